"""All layers at all tokens of the text: read when it is asked for, with the numbers of the other views."""

from __future__ import annotations

from collections.abc import Hashable
from types import SimpleNamespace

import pytest
from fake_work import FakeEngine, ended, fake_session
from streamlit.testing.v1 import AppTest
from visitor import asked, chart_rows, corrected, opened, shown_html, until, visitor

from llm_tracker.app.work import background
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import MAX_POSITION_LENSES, Workspace
from llm_tracker.wording.formats import percent

KEY = "read positions"


def read_all(at: AppTest) -> AppTest:
    at.button(key=KEY).click().run()
    return until(at, lambda: len(at.get("vega_lite_chart")) == 4)


def test_it_is_read_when_asked_for_and_agrees_with_the_answers_own_lens(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"))
    assert len(at.get("vega_lite_chart")) == 3
    at = read_all(at)
    workspace = visitor(engine)
    trace = workspace.sessions[1].turns[0].trace
    first = trace.prompt_length - 1
    drawn = [row for table in chart_rows(at, 2) for row in table if "layer" in row and row["position"] == first]
    assert [row["value"] for row in sorted(drawn, key=lambda row: int(str(row["layer"])))] == pytest.approx(
        trace.lens[0].token_prob.tolist(), abs=1e-4
    )
    assert f"of {trace.prompt_length + trace.n_steps - 1:,} tokens the last layer" in shown_html(at)


def test_a_text_is_drawn_in_stretches_from_any_token_on(engine: engines.Engine) -> None:
    at = read_all(asked(opened("dashboard.py")))
    trace = visitor(engine).sessions[1].turns[0].trace
    count = trace.prompt_length + trace.n_steps - 1
    at.slider(key=f"positions from {count}").set_value(11).run()
    positions = {row["position"] for table in chart_rows(at, 2) for row in table}
    assert positions == set(range(10, 40))


def test_of_a_followed_word_the_sentence_says_where_it_gets_most(engine: engines.Engine) -> None:
    at = read_all(corrected(asked(opened("dashboard.py")), "No, Oslo."))
    at.selectbox(key="positions value").select("prob of Oslo").run()
    lens = visitor(engine).position_lenses[TurnRef(1, 1)]
    drawn = lens.watched["Oslo"][:, -30:]
    layer, at_token = divmod(int(drawn.argmax()), 30)
    token = len(lens.tokens) - 30 + at_token + 1
    assert f"(token {token:,}), at layer {layer + 1}: {percent(float(drawn[layer, at_token]))}." in shown_html(at)


def test_the_map_stays_while_it_is_read_anew(engine: engines.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = read_all(asked(opened("dashboard.py")))
    workspace = visitor(engine)
    workspace.job = Job("positions", subject=background.positions_of(TurnRef(1, 0)), status="running")
    at.run()
    assert len(at.get("vega_lite_chart")) == 4
    assert at.button(key="stop positions").label == "Stop"
    workspace.job = None


def test_each_answers_text_is_read_by_itself_and_kept(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    at = read_all(at)
    at.segmented_control(key="positions of").set_value("before").run()
    assert len(at.get("vega_lite_chart")) == 3
    at = read_all(at)
    assert visitor(engine).position_lenses.keys() == {TurnRef(1, 0), TurnRef(1, 1)}


def test_a_press_while_a_new_answer_is_being_drawn_reads_the_new_text(engine: engines.Engine) -> None:
    at = asked(opened("dashboard.py"))
    workspace = visitor(engine)
    workspace.sessions[2] = workspace.sessions[1]
    workspace.show(TurnRef(2, 0), None)
    at = read_all(at)
    assert workspace.position_lenses.keys() == {TurnRef(2, 0)}


def test_a_press_reads_the_chosen_side_of_the_answers_that_are_shown_by_then(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    at.segmented_control(key="positions of").set_value("before").run()
    visitor(engine).show(TurnRef(1, 1), TurnRef(1, 0))
    at = read_all(at)
    assert visitor(engine).position_lenses.keys() == {TurnRef(1, 1)}


@pytest.mark.parametrize(
    "subject", [background.control_of(TurnRef(1, 0)), background.positions_of(TurnRef(1, 1))], ids=str
)
def test_a_press_while_something_else_is_being_computed_says_so(engine: engines.Engine, subject: Hashable) -> None:
    at = asked(opened("dashboard.py"))
    workspace = visitor(engine)
    workspace.job = Job("other", subject=subject, status="running")
    at.button(key=KEY).click().run()
    assert [each.value for each in at.toast] == [
        "Not begun: something else is being computed. Press again once it is there."
    ]
    assert workspace.job.subject == subject
    workspace.job = None


def test_a_word_that_is_followed_since_is_read_on_demand(engine: engines.Engine) -> None:
    at = corrected(read_all(asked(opened("dashboard.py"))), "No, Oslo.")
    at.segmented_control(key="positions of").set_value("before").run()
    again = at.button(key=KEY)
    assert again.label == "Read again, for “Oslo” too"
    again.click().run()
    until(at, lambda: "Oslo" in visitor(engine).position_lenses[TurnRef(1, 0)].watched)


def test_a_reading_that_is_stopped_leaves_all_as_it_was() -> None:
    session = fake_session()
    workspace = Workspace(sessions={1: session})
    background.read_positions(FakeEngine(), workspace, TurnRef(1, 0))
    ended(workspace, status="stopped", error="Stopped.")
    assert workspace.collect()
    assert (workspace.errors, workspace.position_lenses, workspace.sessions) == ({}, {}, {1: session})


def test_only_the_last_few_are_kept() -> None:
    workspace = Workspace(sessions={1: fake_session(n_turns=MAX_POSITION_LENSES + 2)})
    for turn in range(MAX_POSITION_LENSES + 2):
        background.read_positions(FakeEngine(), workspace, TurnRef(1, turn))
        ended(workspace, result=SimpleNamespace(n_bytes=0))
        workspace.collect()
    assert list(workspace.position_lenses) == [TurnRef(1, turn) for turn in range(2, MAX_POSITION_LENSES + 2)]
