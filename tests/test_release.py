"""What is released says one version everywhere, and a contributor's forms and hooks are what they say they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
KINDS = {"input", "textarea", "dropdown", "checkboxes", "markdown"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", read("Makefile"), flags=re.MULTILINE)
    assert found is not None
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in found[1].splitlines()]


def test_the_changelog_and_the_citation_are_of_this_version() -> None:
    assert re.findall(r"^## (\S+)", read("CHANGELOG.md"), flags=re.MULTILINE)[0] == VERSION
    assert str(yaml.safe_load(read("CITATION.cff"))["version"]) == VERSION


def test_the_citation_has_what_its_format_asks_for() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["license"] == "MIT"


def test_the_hooks_before_a_commit_are_make_lint_and_are_here() -> None:
    hooks = [hook for repo in yaml.safe_load(read(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    assert [hook["entry"] for hook in hooks] == recipe("lint")
    assert {hook["language"] for hook in hooks} == {"system"}  # what is installed: nothing is downloaded
    development = tomllib.loads(read("pyproject.toml"))["dependency-groups"]["dev"]
    for hook in hooks:
        program = Path(hook["entry"].split()[0]).name
        assert any(each.startswith(program) for each in development)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_for_an_issue_asks_for_something(form: Path) -> None:
    asked: dict[str, Any] = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert asked["name"]
    assert asked["description"]
    assert {each["type"] for each in asked["body"]} <= KINDS
    ids = [each["id"] for each in asked["body"]]
    assert len(ids) == len(set(ids))
    assert any(each.get("validations", {}).get("required") for each in asked["body"])
    assert all(each["attributes"]["label"] for each in asked["body"])


def test_there_is_a_form_for_a_number_a_model_and_an_idea() -> None:
    assert [form.stem for form in FORMS] == ["idea", "refused-model", "wrong-number"]


def test_every_target_that_a_contributor_is_told_of_is_one_of_the_makefile() -> None:
    told = {
        target
        for page in ("README.md", "CONTRIBUTING.md", ".github/pull_request_template.md")
        for several in re.findall(r"\bmake ((?:[a-z-]+ ?)+)", "\n".join(code(read(page))))
        for target in several.split()
    }
    assert told >= {"run", "test", "docs", "texts", "dist"}
    assert {target for target in told if not re.search(rf"^{target}:", read("Makefile"), flags=re.MULTILINE)} == set()


def code(text: str) -> list[str]:
    """What stands in a text as code: in blocks, without what is said of it, and in lines."""
    lines = [
        line.split("#")[0] for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.split("\n")
    ]
    return [*lines, *re.findall(r"`(make [a-z -]+)`", text)]
