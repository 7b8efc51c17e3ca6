"""A researcher brings a model of their own, asks what the correction did, takes the tensors along, and runs a study."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Download, Page, expect
from recompute import largest_gaps
from safetensors.numpy import load_file
from steps import (
    Visit,
    ask_capital,
    computed,
    correct,
    expect_answer,
    expect_control,
    expect_ready,
    on_page,
    settle,
    type_model,
)

import llm_tracker as lt
from llm_tracker.models.sources.gguf import embedded_gguf

pytestmark = [pytest.mark.browser, pytest.mark.real]

QUESTIONS = "What is the capital of France?, Paris, London\nWhat is the capital of Japan?, Tokyo, Seoul"


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory, embedded: lt.LoadedModel) -> Path:
    """A file of weights somewhere on this machine."""
    file = tmp_path_factory.mktemp("weights") / "my-model.gguf"
    file.symlink_to(embedded_gguf(embedded.entry.location))
    return file


def unpacked(download: Download, folder: Path) -> Path:
    with zipfile.ZipFile(download.path()) as archive:
        archive.extractall(folder)
    return folder


def test_a_model_by_its_path_is_asked_examined_exported_and_studied(
    visit: Visit, server: str, own_file: Path, embedded: lt.LoadedModel, tmp_path: Path
) -> None:
    page = visit(server)
    expect_ready(page)
    type_model(page, str(own_file))
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("my-model")
    expect_ready(page)
    ask_capital(page)
    expect(page.get_by_text("Answered by my-model")).to_be_visible()
    correct(page)
    expect_answer(page, "after", "London")
    expect_control(page)
    folder = take_tensors(page, tmp_path)
    session = lt.load_session(folder)
    assert {name: gap for name, gap in largest_gaps(embedded, session).items() if gap > 1e-3} == {}
    examine(page)
    study_it(page, session)


def take_tensors(page: Page, tmp_path: Path) -> Path:
    """The conversation's archive: its numbers open without the app."""
    page.get_by_text("Take this conversation along").click()
    settle(page)
    computed(page, "Read all that is missing")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Archive (zip)").click()
    folder = unpacked(coming.value, tmp_path / "session")
    tensors = {name: array for file in folder.rglob("*.safetensors") for name, array in load_file(file).items()}
    assert sum(array.size for array in tensors.values()) > 1e5
    assert all(np.isfinite(array).all() for array in tensors.values())
    assert json.loads((folder / "session.json").read_text("utf-8"))["model"]["title"] == "my-model"
    return folder


def examine(page: Page) -> None:
    """What the correction did, of the conversation that is shown."""
    on_page(page, "Correction")
    page.get_by_role("button", name="Find out what it did").click()
    expect(page.get_by_role("button", name="Find out again")).to_be_enabled()
    settle(page)
    expect(page.get_by_text("brings it to the position that writes the answer").first).to_be_visible()


def study_it(page: Page, session: lt.Session) -> None:
    """Two questions to the same model; the first one's margins are those of the answer that was asked on Ask."""
    on_page(page, "Study")
    page.get_by_role("textbox", name="One question a line").fill(QUESTIONS)
    page.get_by_role("button", name="Run the study").click()
    expect(page.get_by_text("All is there: 2 of 2 questions of my-model")).to_be_visible()
    settle(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name="results.parquet").click()
    rows = pd.read_parquet(coming.value.path())
    (own,) = rows[(rows["question_id"] == "row-1") & (rows["text"] == session.turns[1].said)].to_dict("records")
    assert own["answer_text"] == session.turns[1].answer
