"""Every page, run by itself as a script: what it shows, and what it says to bad input."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.app import engine as engines

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[engines.Engine]:
    """An engine of its own, whose models are all one tiny random model."""
    st.cache_resource.clear()
    engine = engines.the_engine()
    monkeypatch.setattr(engine.pool, "_load", tiny_of_any_name)
    monkeypatch.setattr(engines, "_first_model_id", lambda: "embedded")
    yield engine
    st.cache_resource.clear()


def tiny_of_any_name(name: str, *_: object) -> lt.LoadedModel:
    model = tiny_model("llama")
    return replace(model, entry=replace(model.entry, id=name))


def opened(page: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=30)
    return settled((at if page == "dashboard.py" else at.switch_page(page)).run())


def settled(at: AppTest) -> AppTest:
    """Run again until no fragment waits for a job."""
    for _ in range(100):
        assert not at.exception, at.exception[0].message
        if not any("…" in caption.value for caption in at.caption) and "…" not in " ".join(
            h.proto.body for h in at.get("html")
        ):
            return at
        time.sleep(0.05)
        at.run()
    raise AssertionError("a job did not end")


def shown_html(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def asked(at: AppTest, question: str = "What is it?") -> AppTest:
    at.text_input(key="question").set_value(question)
    return settled(at.button(key="ask button").click().run())


def corrected(at: AppTest, correction: str = "No, London.") -> AppTest:
    at.text_input(key="correction").set_value(correction)
    return settled(at.button(key="correct button").click().run())


def test_the_first_paint_shows_the_form_and_the_badge_and_no_view(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    assert at.title[0].value == "LLM Inference Tracker"
    assert any("read exactly" in caption.value for caption in at.sidebar.caption)
    assert at.subheader.len == 0


def test_asking_and_correcting_shows_three_views_before_and_after(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    assert [heading.value for heading in at.subheader] == ["Candidates", "Layer by layer", "Attention by word"]
    workspace = next(iter(engine.workspaces._kept.values()))
    session = workspace.session
    assert session is not None
    assert len(session.turns) == 2
    for turn in session.turns:
        assert f"“{turn.said}”" in shown_html(at)
    assert "→" in shown_html(at)


def test_the_charts_carry_the_numbers_of_the_session(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    session = next(iter(engine.workspaces._kept.values())).session
    assert session is not None
    specs = [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]
    assert len(specs) == 6
    drawn = [row for rows in chart_rows(at, 0) for row in rows]
    for name, turn in zip(("before", "after"), session.turns, strict=True):
        frame = lt.candidates(turn.trace, 0, words=session.watch_words)
        assert [row["prob"] for row in drawn if row["turn"] == name] == pytest.approx(frame["prob"].tolist())
    left, right = (spec["encoding"]["x"]["scale"]["domain"] for spec in (specs[3], specs[5]))
    assert left == right


def test_another_token_can_be_looked_at(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"))
    session = next(iter(engine.workspaces._kept.values())).session
    assert session is not None
    unread = next(step for step in range(session.turns[0].trace.n_steps) if step not in session.turns[0].trace.lens)
    chooser = next(box for box in at.selectbox if box.label.startswith("Token to look at"))
    at = settled(chooser.set_value(unread).run())
    assert any(f"token {unread + 1} of" in caption.value for caption in at.caption)
    assert [heading.value for heading in at.subheader] == ["Candidates", "Layer by layer", "Attention by word"]


def chart_rows(at: AppTest, place: int) -> list[list[dict[str, object]]]:
    """The data of a chart on the page."""
    proto = at.get("vega_lite_chart")[place].proto
    frames = [pa.ipc.open_stream(dataset.data.data).read_pandas() for dataset in proto.datasets]
    return [frame.to_dict("records") for frame in frames]


def test_a_model_let_go_from_memory_is_loaded_again_when_the_page_needs_it(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    engine.pool._models.clear()
    at = settled(at.run())
    assert any("read exactly" in caption.value for caption in at.sidebar.caption)
    assert engine.loaded("embedded") is not None


def test_the_sidebar_names_the_model_that_is_being_downloaded(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    at = settled(next(button for button in at.sidebar.button if button.label.startswith("Download")).click().run())
    assert at.sidebar.selectbox(key="model").value == "tinyllama"


def test_a_recipe_chosen_later_is_said_to_be_for_the_next_question(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"))
    assert not any("for the next question" in caption.value for caption in at.caption)
    at = settled(at.sidebar.radio(key="recipe").set_value("chat").run())
    assert any("one-word answers. A correction goes to the same" in caption.value for caption in at.caption)


@pytest.mark.parametrize("question", ["", "   "])
def test_an_empty_question_is_one_sentence_and_loses_nothing(engine: engines.Engine, question: str) -> None:
    at = asked(asked(opened("dashboard.py")), question)
    assert "question is empty" in at.error[0].value
    assert [heading.value for heading in at.subheader] == ["Candidates", "Layer by layer", "Attention by word"]


def test_a_correction_before_an_answer_is_one_sentence(engine: engines.Engine) -> None:
    at = corrected(opened("dashboard.py"))
    assert "no answer to correct yet" in at.error[0].value


@pytest.mark.parametrize(
    ("correction", "sentence"),
    [("word " * 3000, "reads 2,048 at most"), ("a\x00b", "NUL"), ("  ", "correction is empty")],
)
def test_a_correction_that_cannot_be_read_loses_nothing(engine: engines.Engine, correction: str, sentence: str) -> None:
    at = corrected(asked(opened("dashboard.py")), correction)
    assert sentence in at.error[0].value
    assert at.subheader.len == 3


def test_three_turns_can_be_compared_in_any_pair(engine: engines.Engine) -> None:
    at = corrected(corrected(asked(opened("dashboard.py"))), "Are you sure?")
    assert "Are you sure?" in shown_html(at)
    before = next(box for box in at.selectbox if box.label == "Before")
    at = settled(before.set_value(0).run())
    assert "What is it?" in shown_html(at)


def test_a_model_that_fails_to_load_says_so_and_can_be_tried_again(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise lt.ModelError("The weights are damaged. Load them again.")

    monkeypatch.setattr(engine.pool, "_load", fail)
    at = opened("dashboard.py")
    assert at.sidebar.error[0].value == "The weights are damaged. Load them again."
    monkeypatch.setattr(engine.pool, "_load", tiny_of_any_name)
    at = settled(next(button for button in at.sidebar.button if button.label == "Try again").click().run())
    assert any("read exactly" in caption.value for caption in at.sidebar.caption)


def test_nothing_is_downloaded_unasked(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    assert any(button.label == "Download TinyLlama, 2.2 GB" for button in at.sidebar.button)
    at.sidebar.selectbox(key="model").set_value("smollm2").run()
    assert engine.load_job("smollm2") is None
    assert any(button.label.startswith("Download SmolLM2") for button in at.sidebar.button)


def test_choosing_another_model_keeps_the_conversation(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_local", lambda _entry: True)
    at = asked(opened("dashboard.py"))
    at = settled(at.sidebar.selectbox(key="model").set_value("smollm2").run())
    assert at.subheader.len == 3
    workspace = next(iter(engine.workspaces._kept.values()))
    assert workspace.model_id == "smollm2"


def test_where_no_model_is_here_the_download_begins_by_itself(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    st.cache_resource.clear()
    monkeypatch.setattr(engines, "default_model_id", lambda: "embedded")
    monkeypatch.setattr(engines, "is_local", lambda _entry: False)
    monkeypatch.setattr(engines.the_engine().pool, "_load", tiny_of_any_name)
    at = opened("dashboard.py")
    assert engines.the_engine().load_job("tinyllama") is not None
    assert at.sidebar.selectbox(key="model").value == "tinyllama"


def test_the_models_page_lists_the_catalogue_and_the_proof(engine: engines.Engine) -> None:
    at = opened("pages/1_Models.py")
    assert "embedded, on this machine" in shown_html(at)
    assert "tinyllama, to download" in shown_html(at)
    assert any("check" in table.value and "tail" in table.value["check"].tolist() for table in at.main.dataframe)


def test_the_guide_stands_by_itself(engine: engines.Engine) -> None:
    at = opened("pages/2_Guide.py")
    assert at.title[0].value == "Guide"
    assert "logit lens" in " ".join(markdown.value for markdown in at.markdown)
