"""The Tokens page: every token with what was likely there, branches beside the original, and sampled answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from explore import TOKENS, alts, computed, gone_to, players
from recompute import Recomputed
from streamlit.testing.v1 import AppTest
from visitor import chart_rows, picker, reopened, settled, shown_html, told, until, visitor

from llm_tracker.analysis.sampled_answers import answer_distribution
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.on_demand import begin_branch, branch_of, samples_of
from llm_tracker.app.work.turn_ref import TurnRef

AFTER = TurnRef(1, 1)


@pytest.fixture
def tokens(engine: engines.Engine) -> AppTest:
    return told(engine, page=TOKENS)


def data(at: AppTest, place: int) -> dict[str, Any]:
    """What a player shows."""
    found: dict[str, Any] = json.loads(players(at)[place].json)
    return found


def test_each_token_has_its_probability_its_entropy_and_what_lost(engine: engines.Engine, tokens: AppTest) -> None:
    model, session = engine.models.loaded("embedded"), visitor(engine).sessions[1]
    for place, turn in enumerate(session.turns):
        truth, shown = Recomputed(model, turn), data(tokens, place)
        assert len(shown["tokens"]) == turn.trace.n_steps
        for step, token in enumerate(shown["tokens"]):
            log_probs = truth.logits[truth.first + step].log_softmax(-1)
            probs = log_probs.exp()
            assert token["prob"] == pytest.approx(float(probs[turn.trace.token_ids[step]]), abs=1e-5)
            for candidate in token["candidates"]:
                assert candidate["prob"] == pytest.approx(float(probs[candidate["id"]]), abs=1e-5)
                assert candidate["own"] == (candidate["id"] == turn.trace.token_ids[step])
            assert [each["id"] for each in token["candidates"]] == probs.topk(6).indices.tolist()
            entropy = -float((probs * log_probs).sum())
            assert f"entropy of the prediction {entropy:.{2 if entropy < 1 else 1}f} nats" in token["facts"]


def test_the_bars_show_probability_or_entropy_or_the_difference(engine: engines.Engine, tokens: AppTest) -> None:
    turns = visitor(engine).sessions[1].turns
    at = tokens.segmented_control(key="bars segments").set_value("entropy_nats").run()
    drawn = [row for table in chart_rows(at, 0) for row in table if row.get("name") == "after"]
    assert [row["value"] for row in drawn[: turns[1].trace.n_steps]] == pytest.approx(turns[1].trace.entropies.tolist())
    at = at.segmented_control(key="bars segments").set_value("prob").run()
    at = at.segmented_control(key="arrangement of 4").set_value("difference").run()
    drawn = [row for table in chart_rows(at, 0) for row in table if row.get("turn") == "after"]
    expected = turns[1].trace.token_probs[0] - turns[0].trace.token_probs[0]
    assert drawn[0]["value"] == pytest.approx(float(expected), abs=1e-6)


def test_a_branch_stands_beside_the_original_and_can_be_compared_everywhere(
    engine: engines.Engine, tokens: AppTest
) -> None:
    workspace = visitor(engine)
    trace = workspace.sessions[1].turns[1].trace
    other = next(each for each in trace.top_token_ids[1].tolist() if each != trace.token_ids[1])
    subject = branch_of(AFTER, 1, other)
    begin_branch(engine, workspace, subject)
    at = settled(until(tokens, lambda: subject in workspace.computed))
    branch = workspace.computed[subject]
    turn = workspace.sessions[branch.session].turns[branch.turn]
    assert turn.trace.token_ids[:2].tolist() == [int(trace.token_ids[0]), other]
    assert "Token 2 says" in shown_html(at)
    at = settled(at.button(key=f"compare {subject}").click().run())
    assert at.query_params["turns"] == f"{AFTER}-{branch}"
    assert [len(data(at, place)["tokens"]) for place in (0, 1)] == [trace.n_steps, turn.trace.n_steps]
    assert "· what if" in picker(at, "after").format_func(branch)
    assert at.button(key=f"compare {subject}").disabled
    at = gone_to(at, "dashboard.py")
    assert "was made to say another token" in shown_html(at)


def test_a_branch_that_is_being_written_shows_its_text_and_a_stop(engine: engines.Engine, tokens: AppTest) -> None:
    workspace = visitor(engine)
    subject = branch_of(AFTER, 0, 5)
    begin_branch(engine, workspace, subject)
    job = workspace.job
    assert job is not None
    until(tokens, lambda: not job.active)
    workspace.collect()
    job.status, job.written = "running", "so far"
    workspace.job = job
    at = tokens.run()
    assert "What if it had said" in shown_html(at)
    assert "so far" in shown_html(at)
    at.button(key=f"stop {subject}").click().run()
    assert job.stopping()
    workspace.job = None


def test_sampled_answers_are_counted_beside_the_greedy_one(engine: engines.Engine, tokens: AppTest) -> None:
    at = tokens.select_slider(key="samples n").set_value(8).run()
    at = at.segmented_control(key="arrangement of 4").set_value("after").run()
    subject = samples_of(AFTER, 8, 1.0, 0)
    at = computed(engine, at, subject)
    samples = visitor(engine).computed[subject]
    assert [each.seed for each in samples.answers] == list(range(8))
    frame = answer_distribution(samples, visitor(engine).sessions[1].turns[1].answer)
    drawn = [row for table in chart_rows(at, 1) for row in table if "share" in row]
    assert [row["share"] for row in drawn[: len(frame)]] == pytest.approx(frame["share"].tolist()[:12])
    assert "At temperature 1, " in shown_html(at)
    assert alts(at)[1].startswith("How often each answer came")


def test_a_page_in_another_tab_shows_the_same_token(engine: engines.Engine, tokens: AppTest) -> None:
    tab = gone_to(reopened(tokens, turns="1.0-1.1", step="1-1", show="after"), TOKENS)
    assert [data(tab, 0)["chosen"], len(players(tab))] == [1, 1]


def test_while_an_answer_is_written_the_page_says_so(engine: engines.Engine, tokens: AppTest) -> None:
    from llm_tracker.app.work.coming_answer import ComingAnswer
    from llm_tracker.app.work.jobs import Job

    workspace = visitor(engine)
    workspace.job = Job("ask", "embedded", ComingAnswer("ask", "Why?"), status="running")
    assert "An answer is being written on the Ask page" in shown_html(tokens.run())
    workspace.job = None
