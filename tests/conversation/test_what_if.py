"""What if it had said something else: a branch is what the model writes behind the other token, from there on alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recompute import Recomputed, largest_gaps
from thinking import thinking_model
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.conversation.branch import up_to
from llm_tracker.conversation.lenses import with_all_lenses
from llm_tracker.progress import ended
from llm_tracker.tracing import recorder

QUESTION = "What is the capital of France?"


def second_best(session: lt.Session, step: int, turn: int = -1) -> int:
    """The best candidate of a step that was not written."""
    trace = session.turns[turn].trace
    return next(each for each in trace.top_token_ids[step].tolist() if each != trace.token_ids[step])


@pytest.mark.parametrize("family", ["llama", "mistral", "gpt2", "gemma2"])
def test_a_branch_goes_on_as_a_teacher_forced_run_does(family: str) -> None:
    model = tiny_model(family)
    session = lt.track(model, QUESTION, ["No."], recipe="chat", max_new_tokens=6)
    token_id = second_best(session, 2)
    branch = lt.what_if(model, session, 1, 2, token_id)
    own, other = session.turns[1].trace, branch.turns[1].trace
    assert other.token_ids[:3].tolist() == [*own.token_ids[:2].tolist(), token_id]
    assert branch.turns[1].prompt is session.turns[1].prompt
    truth = Recomputed(model, branch.turns[1])
    first_new = truth.logits[truth.first + 3]
    np.testing.assert_allclose(other.top_logits[3], first_new[other.top_token_ids[3].tolist()], atol=1e-4)
    greedy = [int(truth.logits[truth.first + step].argmax()) for step in range(3, other.n_steps)]
    assert other.token_ids[3:].tolist() == greedy
    gaps = largest_gaps(model, with_all_lenses(model, branch))
    assert {name: gap for name, gap in gaps.items() if gap > 1e-3} == {}


def test_up_to_the_chosen_token_it_is_the_answer_as_it_was_given() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=6)
    branch = lt.what_if(model, session, 0, 3, second_best(session, 3))
    own, other = session.turns[0].trace, branch.turns[0].trace
    length = own.prompt_length + 3
    np.testing.assert_array_equal(other.attention[:4, ..., :length], own.attention[:4, ..., :length])
    np.testing.assert_array_equal(other.resid[:4], own.resid[:4])
    np.testing.assert_array_equal(other.top_logits[:4], own.top_logits[:4])
    assert branch.parent is not None
    assert (branch.parent.turn, branch.parent.step) == (0, 3)


def test_past_the_budget_of_heads_the_means_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    monkeypatch.setattr(recorder.Recorder.__init__, "__defaults__", (3 * 3 * 4 * 30 * 4,))
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=6)
    assert 0 < len(session.turns[0].trace.attention) < 4
    branch = lt.what_if(model, session, 0, 4, second_best(session, 4))
    gaps = largest_gaps(model, with_all_lenses(model, branch))
    assert {name: gap for name, gap in gaps.items() if gap > 1e-3} == {}


def test_any_token_of_the_vocabulary_can_be_said() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=3)
    trace = session.turns[0].trace
    token_id = next(each for each in range(3, 320) if each not in trace.top_token_ids[1])
    other = lt.what_if(model, session, 0, 1, token_id).turns[0].trace
    truth = Recomputed(model, session.turns[0])
    row = truth.logits[truth.first + 1]
    assert other.token_logits[1] == pytest.approx(row[token_id].item(), abs=1e-4)
    assert other.token_probs[1] == pytest.approx(row.softmax(-1)[token_id].item(), abs=1e-5)
    assert other.token_ranks[1] == int((row > row[token_id]).sum()) + 1


def test_an_end_token_that_is_chosen_ends_the_answer() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=6)
    assert session.turns[0].trace.token_ids[2] != 0
    branch = lt.what_if(model, session, 0, 2, 0)
    assert branch.turns[0].trace.n_steps == 3
    assert branch.turns[0].ended == "end"


def test_a_token_at_the_limit_of_the_answer_is_its_last() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=3)
    assert session.turns[0].trace.n_steps == 3
    branch = lt.what_if(model, session, 0, 2, second_best(session, 2))
    assert branch.turns[0].trace.n_steps == 3
    assert branch.turns[0].ended == "limit"


def test_its_tokens_come_one_by_one_and_it_can_be_stopped() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=8)
    events = list(lt.stream_what_if(model, session, 0, 2, second_best(session, 2)))
    assert [event.step for event in events] == list(range(8))
    count = iter(range(100))
    stopped = ended(lt.stream_what_if(model, session, 0, 2, second_best(session, 2), lambda: next(count) > 3))
    assert stopped.turns[0].ended == "stopped"
    assert 3 < stopped.turns[0].trace.n_steps < 8


def test_a_branch_within_a_thought_goes_on_with_the_thought() -> None:
    model = thinking_model("opened")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=4, thinking=True, max_thought_tokens=8)
    thought = session.turns[0].thought
    assert thought is not None
    branch = lt.what_if(model, session, 0, 2, second_best(session, 2))
    assert branch.turns[0].thought is not None
    assert branch.turns[0].has_answer


def test_it_is_saved_with_where_it_left_the_other_answer(tmp_path: Path) -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, ["No."], recipe="chat", max_new_tokens=4, control=True)
    branch = lt.what_if(model, session, 1, 1, second_best(session, 1))
    assert set(branch.controls) == set()
    again = lt.load_session(lt.save_session(with_all_lenses(model, branch), tmp_path / "branch"))
    assert again.parent == branch.parent
    assert up_to(branch, 0, model).parent is None
    assert up_to(branch, 1, model).parent == branch.parent


def test_what_cannot_be_said_is_refused() -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=3)
    own = int(session.turns[0].trace.token_ids[1])
    with pytest.raises(lt.InputError, match="the token that was written"):
        lt.what_if(model, session, 0, 1, own)
    with pytest.raises(lt.InputError, match="no token 999"):
        lt.what_if(model, session, 0, 1, 999)
    with pytest.raises(lt.InputError, match="no step 7"):
        lt.what_if(model, session, 0, 7, own)
    others = replace(session, model=replace(session.model, weights_sha256="another"))
    with pytest.raises(lt.OtherWeightsError):
        lt.what_if(model, others, 0, 1, 5)


def test_behind_a_thought_that_was_closed_at_its_limit_that_is_still_said() -> None:
    model = thinking_model("opened")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=4, thinking=True, max_thought_tokens=6)
    turn = session.turns[0]
    assert turn.thought is not None
    assert turn.thought.closed_by == "limit"
    step = turn.first_step
    branch = lt.what_if(model, session, 0, step, second_best(session, step)).turns[0]
    assert branch.thought is not None
    assert branch.thought.closed_by == "limit"
    assert branch.thought.text == turn.thought.text


def test_a_branch_of_a_session_of_an_earlier_version_is_saved_as_json(tmp_path: Path) -> None:
    model = tiny_model("llama")
    session = lt.track(model, QUESTION, recipe="chat", max_new_tokens=4)
    old = replace(session.turns[0], trace=replace(session.turns[0].trace, entropies=None))
    branch = lt.what_if(model, replace(session, turns=(old,)), 0, 2, second_best(session, 2))
    folder = lt.save_session(with_all_lenses(model, branch), tmp_path / "branch")
    assert "NaN" not in (folder / "session.json").read_text("utf-8")
    assert lt.load_session(folder).turns[0].trace.entropies is None
