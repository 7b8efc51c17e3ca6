"""An answer with one thing changed in the model: word for word what plain transformers writes with hooks of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from plain_passes import Plain
from small_cases import CORRECTION, QUESTION, RECIPE, Small, tiny

import llm_tracker as lt
from llm_tracker.experiments.edited_answers import stream_edited
from llm_tracker.models.forward import hidden_edges
from llm_tracker.progress import ended
from llm_tracker.tracing.edit import Edit

N = 6
LAYER = 2


def case_of(family: str, **changes: Any) -> Small:
    model = tiny(family, **changes)
    session = lt.track(model, QUESTION, [CORRECTION], recipe=RECIPE, max_new_tokens=N)
    words = {"answer": "Bonn", "foil": "Rome", "correction": CORRECTION, "own_answer": session.turns[0].answer}
    return Small(model, session, lt.Case(QUESTION, **words))


def written(case: Small, edit: Edit) -> list[int]:
    return ended(stream_edited(case.model, case.session, 1, edit)).turns[1].trace.token_ids.tolist()


def greedy(prompt: Sequence[int], logits_of: Callable[[list[int]], torch.Tensor], ends: Sequence[int]) -> list[int]:
    """What is written token by token, each text read whole."""
    ids = list(prompt)
    while len(ids) < len(prompt) + N and (len(ids) == len(prompt) or ids[-1] not in ends):
        ids.append(int(logits_of(ids).argmax()))
    return ids[len(prompt) :]


def prompt_of(case: Small) -> list[int]:
    return list(case.session.turns[1].prompt.token_ids)


def scaled_mlp(case: Small, truth: Plain, factor: float) -> Callable[[list[int]], torch.Tensor]:
    slot = len(prompt_of(case)) - 1

    def change(_module: Any, _args: Any, output: torch.Tensor) -> torch.Tensor:
        new = output.clone()
        new[:, slot:] *= factor
        return new

    def logits(ids: list[int]) -> torch.Tensor:
        handle = truth.layers[LAYER - 1].mlp.register_forward_hook(change)
        try:
            return truth.logits(ids)[-1]
        finally:
            handle.remove()

    return logits


@pytest.mark.parametrize("family", ["llama", "gemma2", "mistral"])
@pytest.mark.parametrize("factor", [0.0, -2.0])
def test_a_layers_mlp_is_scaled_from_the_answer_position_on(family: str, factor: float) -> None:
    case = case_of(family)
    expected = greedy(prompt_of(case), scaled_mlp(case, Plain(case.model), factor), [0])
    assert written(case, Edit("mlp", (LAYER, LAYER), factor=factor)) == expected


@pytest.mark.parametrize("family", ["llama", "gemma2", "mistral", "gpt2"])
def test_a_hidden_word_is_seen_by_no_position_of_the_answer(family: str) -> None:
    case = case_of(family)
    truth, prompt = Plain(case.model), prompt_of(case)
    word = next(word for word in case.session.turns[1].prompt.words if word.text.strip() == "Rome")

    def logits(ids: list[int]) -> torch.Tensor:
        places = truth.hiding(len(ids), word.tokens, (len(prompt) - 1, len(ids)), (1, 2, 3))
        return truth.without_edges(ids, places)[-1]

    edit = Edit("hidden", (1, 3), text="Rome", tokens=word.tokens)
    assert written(case, edit) == greedy(prompt, logits, [0])


def test_a_long_text_is_hidden_from_some_queries_at_a_time_with_the_same_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = case_of("llama")
    edit = Edit("hidden", (1, 3), text="No", tokens=(5, 9))
    whole = ended(stream_edited(case.model, case.session, 1, edit)).turns[1].trace
    monkeypatch.setattr(hidden_edges, "QUERIES", 7)
    pieces = ended(stream_edited(case.model, case.session, 1, edit)).turns[1].trace
    assert pieces.token_ids.tolist() == whole.token_ids.tolist()
    assert abs(pieces.top_logits - whole.top_logits).max() < 1e-4
    assert abs(pieces.attention.astype(float) - whole.attention.astype(float)).max() < 1e-5


def test_an_answer_that_crosses_a_change_of_frequencies_is_edited_at_its_own_positions_only() -> None:
    """There the text is read anew, from its beginning: what was counted before does not hold any more."""
    n_prompt = len(prompt_of(case_of("llama")))
    rope = {"rope_type": "longrope", "rope_theta": 10000.0, "factor": 4.0, "short_factor": [1.0] * 4}
    length = n_prompt + 2
    case = case_of(
        "phi3",
        pad_token_id=2,
        original_max_position_embeddings=length,
        rope_parameters={**rope, "long_factor": [4.0] * 4, "original_max_position_embeddings": length},
    )
    assert len(prompt_of(case)) <= length
    expected = greedy(prompt_of(case), scaled_mlp(case, Plain(case.model), 0.5), [0])
    assert len(expected) > length - len(prompt_of(case)) + 1
    assert written(case, Edit("mlp", (LAYER, LAYER), factor=0.5)) == expected


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Edit("mlp", (4, 4)), "There are layers 1 to 3"),
        (Edit("head", (1, 1), head=99), "There is no head 99"),
        (Edit("hidden", (1, 3), tokens=(3, 10_000)), "no such word"),
    ],
)
def test_what_is_not_there_is_refused(edit: Edit, reason: str) -> None:
    case = case_of("llama")
    with pytest.raises(lt.InputError, match=reason):
        written(case, edit)


def test_what_is_said_in_the_corrections_place_is_answered_as_if_it_had_been_said() -> None:
    case = case_of("llama")
    branch = ended(stream_edited(case.model, case.session, 1, said="No."))
    alone = lt.track(case.model, QUESTION, ["No."], recipe=RECIPE, max_new_tokens=N)
    assert branch.turns[1].trace.token_ids.tolist() == alone.turns[1].trace.token_ids.tolist()
    assert branch.turns[1].said == "No."
    assert branch.turns[1].edit is None
    assert branch.parent is not None
