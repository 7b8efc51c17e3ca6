"""The house: who may import whom, what stays light, and how long a module may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "llm_tracker"
BASE = {"errors", "places", "settings", "streams", "trust"}
ROOMS = {
    "errors": set(),
    "places": set(),
    "settings": {"trust"},
    "streams": set(),
    "trust": set(),
    "models": BASE,
    "tracing": BASE | {"models"},
    "analysis": BASE | {"models", "tracing"},
    "charts": BASE | {"analysis"},
    "storage": BASE | {"tracing", "analysis"},
    "tracking": BASE | {"models", "tracing", "analysis"},
    "textual": BASE | {"tracing", "analysis"},
    "app": {
        "errors",
        "places",
        "settings",
        "streams",
        "models",
        "tracing",
        "analysis",
        "charts",
        "storage",
        "tracking",
        "trust",
    },
    "cli": {"errors", "places", "settings", "trust", "models", "tracing", "analysis", "storage", "tracking", "textual"},
}
"""Room or module -> what it may import of ours. Nobody imports app, cli or the pages."""

LIGHT = (
    "import llm_tracker",
    "import llm_tracker.cli",
    "import llm_tracker.charts.layers, llm_tracker.charts.attention",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def rooms() -> list[Path]:
    """All modules but the doors of the house, which open into every room."""
    return [path for path in modules() if path not in (PACKAGE / "__init__.py", PACKAGE / "__main__.py")]


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Names of all modules that a file imports, at any depth, outside of type checking too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} if node.module != "llm_tracker" else {f"llm_tracker.{a.name}" for a in node.names}
    return names


@pytest.mark.parametrize("path", rooms(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_the_rooms_below_it(path: Path) -> None:
    own = room(path)
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("llm_tracker.")}
    assert ours - {own} <= ROOMS[own]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_is_in_the_app_only_and_torch_where_tensors_are(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert "streamlit" not in tops or room(path) in ("app", "cli")
    assert not {"torch", "transformers"} & tops or room(path) in ("models", "tracing", "analysis", "tracking")


def test_adapters_import_only_public_names() -> None:
    for path in (ROOT / "adapters").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        ours = [
            n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("llm_tracker")
        ]
        assert {node.module for node in ours} == {"llm_tracker"}, path.name


def test_pages_import_only_the_app() -> None:
    for path in [ROOT / "dashboard.py", *(ROOT / "pages").glob("*.py")]:
        assert {name.rsplit(".", 1)[0] for name in imported(path)} <= {"llm_tracker.app", "streamlit"}, path.name


@pytest.mark.parametrize(
    "statement", [*LIGHT, "import llm_tracker.app.answers, llm_tracker.app.attention_view, llm_tracker.app.frame"]
)
def test_what_the_first_paint_needs_is_light(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_no_module_is_longer_than_300_lines() -> None:
    long = [
        str(path)
        for path in ROOT.rglob("*.py")
        if ".venv" not in path.parts and len(path.read_text().splitlines()) > 300
    ]
    assert long == []


def test_every_public_name_can_be_imported() -> None:
    import llm_tracker as lt

    assert all(getattr(lt, name) is not None for name in lt.__all__)
    with pytest.raises(AttributeError, match="It has"):
        lt.nothing_like_that  # noqa: B018
