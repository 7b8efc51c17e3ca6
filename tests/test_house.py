"""The house: who may import whom, groups included; what stays light; how long a module and how full a folder may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "llm_tracker"
BASE = {"errors", "languages", "load_options", "places", "progress", "quiet", "settings", "several"}
MODELS = {
    "models/architecture": set[str](),
    "models/catalogue": set[str](),
    "models/kernels": set[str](),
    "models/memory": set[str](),
    "models/forward": {"models/kernels", "models/memory"},
    "models/adapters": {"models/forward", "models/kernels", "models/memory"},
    "models/plugins": {"models/adapters", "models/catalogue"},
    "models/sources": {"models/plugins", "models/catalogue", "models/memory"},
    "models/proof": {
        "models/architecture",
        "models/plugins",
        "models/adapters",
        "models/forward",
        "models/kernels",
        "models/memory",
    },
}
APP = {
    "app/work": set[str](),
    "app/parts": {"app/work"},
    "app/selection": {"app/work", "app/parts"},
    "app/views": {"app/work", "app/parts", "app/selection"},
    "app/frame": {"app/work", "app/parts", "app/selection"},
}
PAGE = {*APP}


def pages_groups() -> list[str]:
    """Every other folder of the app is a page's own: one that comes is listed nowhere."""
    return [f"app/{folder.parent.name}" for folder in (PACKAGE / "app").glob("*/__init__.py")]


ROOMS_OF_A_SCREEN = {
    "models",
    "prompts",
    "tracing",
    "analysis",
    "conversation",
    "experiments",
    "studies",
    "wording",
    "charts",
    "figures",
    "storage",
    "export",
}
"""What the pages and the command line may import."""

ROOMS: dict[str, set[str]] = {
    **{module: {"languages"} - {module} for module in BASE},
    "load_options": {"errors", "languages"},
    "settings": {"errors", "languages", "load_options"},
    **{group: BASE | below for group, below in MODELS.items()},
    "models/loading": BASE | MODELS.keys(),
    "prompts": BASE,
    "tracing": BASE | {"models", "prompts"},
    "analysis/lens": BASE | {"models", "prompts", "tracing", "analysis"},
    "analysis": BASE | {"models", "prompts", "tracing"},
    "conversation": BASE | {"models", "prompts", "tracing", "analysis"},
    "experiments/values": BASE | {"prompts", "tracing"},
    "experiments/passes": BASE | {"models", "prompts", "tracing"},
    "experiments": BASE | {"models", "prompts", "tracing", "analysis", "conversation", "experiments"},
    "studies/values": BASE | {"prompts", "tracing", "experiments/values"},
    "studies/statistics": BASE | {"prompts", "analysis", "studies/values"},
    "studies/question_set": set[str](),
    "studies": BASE | {"models", "prompts", "tracing", "analysis", "conversation", "experiments", "studies"},
    "wording": BASE
    | {
        "models/catalogue",
        "prompts",
        "tracing",
        "analysis",
        "experiments/values",
        "studies/values",
        "studies/statistics",
    },
    "charts": BASE | {"analysis", "experiments/values", "studies/values", "studies/statistics", "wording"},
    "storage": BASE | {"prompts", "tracing", "analysis", "experiments/values"},
    "figures": BASE
    | {"models", "prompts", "tracing", "analysis", "experiments/values", "wording", "charts"}
    | {"studies/values", "studies/statistics"},
    "export": BASE
    | {
        "prompts",
        "tracing",
        "analysis",
        "experiments/values",
        "studies/values",
        "studies/statistics",
        "wording",
        "charts",
        "figures",
        "storage",
    },
    "cli": BASE | ROOMS_OF_A_SCREEN,
    **{
        group: BASE | below | ROOMS_OF_A_SCREEN
        for group, below in {**dict.fromkeys(pages_groups(), PAGE), **APP}.items()
    },
}
"""Room, or group of a room -> what it may import of ours besides itself. Nobody imports app, cli or the pages."""

MOST_MODULES = 15
"""In a folder: more, and nobody finds a thing by looking."""

TORCH_ROOMS = ("models", "prompts", "tracing", "analysis", "experiments", "studies")
"""Where tensors and tokenizers are."""

LIGHT = (
    "import llm_tracker",
    "import llm_tracker.cli.main",
    "import llm_tracker.charts.layers, llm_tracker.charts.attention",
    "import llm_tracker.app.ask.answers, llm_tracker.app.views.attention, llm_tracker.app.frame.page",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def inhabitants() -> list[Path]:
    """All modules but the doors of the house, which open into every room."""
    return [path for path in modules() if path not in (PACKAGE / "__init__.py", PACKAGE / "__main__.py")]


def room_of(module: str) -> str:
    """The room of a dotted name below `llm_tracker`, or its group where the room has any."""
    first, *rest = module.split(".")
    group = f"{first}/{rest[0]}" if rest else first
    return group if group in ROOMS else first


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Names of all modules that a file imports, at any depth, for type checking too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if _is_module(name) else node.module for name in whole}
    return names


def _is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def ours(path: Path) -> set[str]:
    """The modules of ours that a file imports, below `llm_tracker`."""
    return {name.removeprefix("llm_tracker.") for name in imported(path) if name.startswith("llm_tracker.")}


def may(importer: str, room: str) -> bool:
    """Whether a room (or a group) may import another."""
    allowed = ROOMS[importer]
    return room == importer or room in allowed or room.split("/")[0] in allowed


@pytest.mark.parametrize("path", inhabitants(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_the_rooms_below_it(path: Path) -> None:
    own = room_of(dotted(path))
    assert {room_of(name) for name in ours(path) if not may(own, room_of(name))} == set()


def test_every_module_lives_in_a_room_that_is_drawn() -> None:
    strangers = {str(path.relative_to(ROOT)) for path in inhabitants() if room_of(dotted(path)) not in ROOMS}
    assert strangers <= {f"llm_tracker/{room}/__init__.py" for room in ("models", "app")}


def test_the_architecture_page_has_every_room_behind_those_that_it_imports_and_every_group() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\|(.*)\|$", page.split("## ")[1], flags=re.MULTILINE)
    order = [room for room, _ in rows]
    assert sorted(order) == sorted(folder.parent.name for folder in PACKAGE.glob("*/__init__.py"))
    for place, (room, groups) in enumerate(rows):
        own = {name: allowed for name, allowed in ROOMS.items() if name.split("/")[0] == room}
        imported_rooms = {name.split("/")[0] for allowed in own.values() for name in allowed} & {*order} - {room}
        assert imported_rooms <= {*order[:place]}, room
        assert {name.partition("/")[2] for name in own if "/" in name} - {"architecture", "catalogue"} <= {
            *re.findall(r"`(\w+)`", groups)
        }, room


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {dotted(path): {name for name in at_once(path) if name != dotted(path)} for path in inhabitants()}
    TopologicalSorter(graph).prepare()  # raises CycleError, with the circle


def at_once(path: Path) -> set[str]:
    """What of ours is imported when the file itself is: neither within functions nor for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = ast.Module([node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))], [])
    names: set[str] = set()
    for node in top.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("llm_tracker"):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if _is_module(name) else node.module for name in whole}
    return {name.removeprefix("llm_tracker.") for name in names}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_is_in_the_app_only_and_torch_where_tensors_are(path: Path) -> None:
    tops, room = {name.split(".")[0] for name in imported(path)}, dotted(path).split(".")[0]
    assert "streamlit" not in tops or room == "app"
    assert not {"torch", "transformers"} & tops or room in TORCH_ROOMS


def test_no_folder_is_too_full_to_find_a_thing_in() -> None:
    folders = {path.parent for path in modules()}
    full = {str(folder.relative_to(ROOT)): len(list(folder.glob("[!_]*.py"))) for folder in folders}
    assert {folder: count for folder, count in full.items() if count > MOST_MODULES} == {}


def test_adapters_import_only_public_names() -> None:
    for path in (ROOT / "adapters").glob("*.py"):
        assert {name for name in imported(path) if name.startswith("llm_tracker")} == {"llm_tracker"}, path.name


def test_pages_import_only_the_app_and_its_texts() -> None:
    for path in [ROOT / "dashboard.py", *(ROOT / "pages").glob("*.py")]:
        ours = ("llm_tracker.app.", "llm_tracker.languages.")
        assert all(name == "streamlit" or name.startswith(ours) for name in imported(path)), path.name


@pytest.mark.parametrize("statement", LIGHT)
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
