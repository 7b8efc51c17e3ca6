"""The Ask page, run by itself as a script: what it shows, and what it says to bad input."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
from streamlit.testing.v1 import AppTest
from visitor import (
    ROOT,
    VIEWS,
    Loader,
    asked,
    chart_rows,
    corrected,
    headings,
    opened,
    reopened,
    settled,
    shown_html,
    tiny_of_any_name,
    told,
    visitor,
)

import llm_tracker as lt
from llm_tracker.app.parts import html
from llm_tracker.app.work import engine as engines
from llm_tracker.wording.formats import one_in


def test_the_first_paint_shows_a_finished_example_with_all_its_views(engine: engines.Engine) -> None:
    at = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=90).run()
    assert not at.exception
    assert at.title[0].value == "LLM Inference Tracker"
    assert "A finished example, made with SmolLM2-135M-Instruct." in shown_html(at)
    assert headings(at) == VIEWS
    assert "asked again: 65 %" in shown_html(at)
    assert engine.models.load_job("embedded") is None, "nothing is loaded before the page is painted"


def test_the_first_paint_imports_neither_torch_nor_transformers() -> None:
    code = (
        "from streamlit.testing.v1 import AppTest\nimport sys\n"
        "at = AppTest.from_file('dashboard.py', default_timeout=60).run()\n"
        "assert not at.exception and len(at.header) == 3\n"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_model_is_loaded_once_the_page_has_been_painted(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    captions = [caption.value for caption in at.sidebar.caption]
    assert any("read exactly" in caption for caption in captions)
    assert any("are not read twice" in caption and "134 MB at most" in caption for caption in captions)


def test_asking_and_correcting_shows_three_views_before_after_and_asked_again(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    assert headings(at) == VIEWS
    session = visitor(engine).sessions[1]
    assert len(session.turns) == 2
    for turn in session.turns:
        assert html.exact(turn.said) in shown_html(at)
    assert list(session.controls) == [1], "the control runs by itself"
    assert "(asked again: " in shown_html(at)


def test_the_control_can_be_switched_off_and_on_again(engine: engines.Engine) -> None:
    at = opened("dashboard.py")
    at = settled(at.sidebar.toggle(key="control").set_value(False).run())
    at = corrected(asked(at))
    assert visitor(engine).sessions[1].controls == {}
    assert "Without a control: part of any change comes from being asked again" in shown_html(at)
    settled(at.sidebar.toggle(key="control").set_value(True).run())
    assert list(visitor(engine).sessions[1].controls) == [1], "it is made up for"


def test_the_charts_carry_the_numbers_of_the_session(engine: engines.Engine) -> None:
    at = told(engine)
    session = visitor(engine).sessions[1]
    drawn = [row for rows in chart_rows(at, 0) for row in rows if "bar_end" in row]
    for name, turn in zip(("before", "after"), session.turns, strict=True):
        frame = lt.candidates(turn.trace, 0, words=session.watch_words)
        own = {row["row"]: row["prob"] for row in drawn if row["turn"] == name}
        assert [own[at] for at in sorted(own)] == pytest.approx(frame["prob"].tolist())
    whole = [row for rows in chart_rows(at, -1) for row in rows if "share" in row]
    turns = {"before": session.turns[0], "after": session.turns[1], "again": session.controls[1]}
    for name, turn in turns.items():
        shares = lt.attention_groups(lt.attention_by_word(turn))
        own_shares = {row["group"]: row["share"] for row in whole if row["name"] == name}
        assert own_shares == pytest.approx(shares.to_dict())


def test_a_word_can_be_followed_that_nobody_said(engine: engines.Engine) -> None:
    at = told(engine)
    words = visitor(engine).sessions[1].watch_words
    at = settled(at.multiselect[0].set_value([*words, "zebra"]).run())
    session = visitor(engine).sessions[1]
    assert session.watch_words == (*words, "zebra")
    assert "<bdi>zebra</bdi>" in shown_html(at)
    zebra = [turn.scores[0]["zebra"].prob for turn in (*session.turns, session.controls[1])]
    (each_time,) = set(map(one_in, zebra))
    assert f"<b>“<bdi>zebra</bdi>”</b> {each_time} each time." in shown_html(at)
    assert any("zebra" in box.options for box in at.selectbox if box.label in ("Lead of", "Word"))


def test_a_word_without_a_token_is_refused_and_the_others_stay(engine: engines.Engine) -> None:
    at = told(engine)
    words = list(visitor(engine).sessions[1].watch_words)
    at = settled(at.multiselect[0].set_value([*words, "a\x00b"]).run())
    assert "NUL" in shown_html(at)
    assert at.multiselect[0].value == words
    assert headings(at) == VIEWS


def test_a_word_with_spaces_around_it_is_followed_once(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = told(engine)
    words = list(visitor(engine).sessions[1].watch_words)
    at = settled(at.multiselect[0].set_value([*words, " zebra ", "zebra"]).run())
    assert at.multiselect[0].value == [*words, "zebra"]
    monkeypatch.setattr(engine, "submit", lambda *_: pytest.fail("it was followed again"))
    assert not at.run().exception


def test_another_token_can_be_looked_at(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"))
    workspace = visitor(engine)
    turn = workspace.sessions[1].turns[0]
    unread = next(step for step in range(turn.trace.n_steps) if step not in turn.trace.lens)
    at = reopened(at, step=str(unread))
    assert f"Token {unread + 1} of {turn.trace.n_steps}," in shown_html(at)
    assert unread in workspace.sessions[1].turns[0].trace.lens
    assert headings(at) == VIEWS


def test_the_headline_keeps_its_place_when_another_token_is_looked_at(engine: engines.Engine) -> None:
    at = told(engine)
    headline = re.findall(r'<p class="lt-headline.*?</p>', shown_html(at))
    at = reopened(at, step="-1")
    assert re.findall(r'<p class="lt-headline.*?</p>', shown_html(at)) == headline
    assert "The views below look at token 1 before and token 2 after." in shown_html(at)


def test_a_rerun_asks_nothing_of_the_model(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = told(engine)
    monkeypatch.setattr(engine, "submit", lambda *_: pytest.fail("a rerun sent work to the model"))
    at = at.slider[0].set_value(1).run()
    at = at.segmented_control(key="layers measure of 3").set_value("rank").run()
    assert not at.exception
    assert headings(at) == VIEWS


def test_a_second_click_on_ask_never_stops_the_answer(engine: engines.Engine, loader: Loader) -> None:
    at = opened("dashboard.py")
    ask_ids = {button.id for button in at.button if button.label == "Ask"}
    loader.load = lambda *_: time.sleep(0.5) or tiny_of_any_name("embedded")  # type: ignore[func-returns-value]
    engine.models.pool.unload("embedded")
    at = at.button(key="ask button").click().run()
    (stop,) = [button for button in at.button if button.label == "Stop"]
    assert stop.id not in ask_ids
    job = visitor(engine).job
    assert job is not None
    assert not job.stopping()
    stop.click().run()
    assert job.stopping()


def test_a_ready_question_and_a_ready_correction_take_one_click_each(engine: engines.Engine) -> None:
    at = settled(opened("dashboard.py").button(key="ask opposite").click().run())
    assert at.text_input(key="question").value == "What is the opposite of black?"
    at = settled(at.button(key="correct it is {word}").click().run())
    turns = visitor(engine).sessions[1].turns
    assert [turn.said for turn in turns] == [
        "What is the opposite of black?",
        "That is wrong. The correct answer is Red.",
    ]
    assert at.text_input(key="correction").value == turns[1].said


def test_a_correction_goes_to_the_answer_that_was_chosen_just_before_the_click(engine: engines.Engine) -> None:
    at = told(engine)
    at.segmented_control(key="corrects").set_value("after")  # sent together with the click, before the page is drawn
    at = settled(at.button(key="correct wrong").click().run())
    assert len(visitor(engine).sessions[1].turns) == 3


def test_a_ready_correction_that_needs_a_word_waits_for_it(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py"), "Who wrote Faust?"), " ")
    assert "correction is empty" in shown_html(at)
    at = settled(at.button(key="correct it is {word}").click().run())
    assert at.text_input(key="correction").value == "That is wrong. The correct answer is "
    assert "Type the word" in at.info[0].value
    assert "correction is empty" not in shown_html(at)
    assert len(visitor(engine).sessions[1].turns) == 1


@pytest.mark.parametrize("question", ["", "   "])
def test_an_empty_question_is_one_sentence_and_loses_nothing(engine: engines.Engine, question: str) -> None:
    at = asked(asked(opened("dashboard.py")), question)
    assert "question is empty" in shown_html(at)
    assert headings(at) == VIEWS


def test_what_a_form_lacked_is_said_until_something_is_asked_and_in_no_other_tab(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")), "  ")
    assert "correction is empty" in shown_html(at)
    assert "correction is empty" in shown_html(at.run())
    other = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=90)
    other.query_params["s"] = visitor(engine).key
    assert "correction is empty" not in shown_html(settled(other.run()))
    words = visitor(engine).sessions[1].watch_words
    at = settled(at.multiselect[0].set_value([*words, "zebra"]).run())
    assert "correction is empty" in shown_html(at)  # also when work in the background has ended
    assert "correction is empty" not in shown_html(corrected(at))


@pytest.mark.parametrize(
    ("correction", "sentence"),
    [("word " * 3000, "reads 2,048 at most"), ("a\x00b", "NUL"), ("  ", "correction is empty")],
)
def test_a_correction_that_cannot_be_read_loses_nothing(engine: engines.Engine, correction: str, sentence: str) -> None:
    at = corrected(told(engine, ""), correction)
    assert sentence in shown_html(at)
    assert headings(at) == VIEWS
    assert at.text_input(key="correction").value == correction, "what was typed stays to be mended"
