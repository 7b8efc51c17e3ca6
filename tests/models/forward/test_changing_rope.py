"""A RoPE that changes with the text's length: a text past its switch is read as transformers' generation reads it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from tiny_models import loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models.forward.changing_rope import RopeSwitch, rope_switch
from llm_tracker.tracing import word_scoring
from llm_tracker.tracing.rereading.resid_by_position import read_positions

SHORT = 60
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "short_factor": [1.0] * 4,
    "long_factor": [1.5, 2.0, 3.0, 4.0],
    "factor": 4.0,
    "original_max_position_embeddings": SHORT,
}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}


def changing(kind: str) -> lt.LoadedModel:
    if kind == "longrope":
        more: dict[str, Any] = {
            "rope_parameters": LONGROPE,
            "original_max_position_embeddings": SHORT,
            "pad_token_id": 2,
        }
        return loaded(tiny_network("phi3", max_position_embeddings=4 * SHORT, **more))
    return loaded(tiny_network("llama", max_position_embeddings=SHORT, rope_parameters=DYNAMIC))


def fresh(model: lt.LoadedModel) -> Any:
    """The same network as it was made: it has read nothing yet."""
    network = type(model.model)(copy.deepcopy(model.model.config)).eval()
    network.load_state_dict(model.model.state_dict())
    network.set_attn_implementation("eager")
    return network


def generated(model: lt.LoadedModel, turn: lt.Turn) -> torch.Tensor:
    """The logits (step, vocab_size) of transformers' own generation, in a fresh network."""
    network = fresh(model)
    output = network.generate(
        torch.tensor([turn.prompt.token_ids]),
        max_new_tokens=turn.trace.n_steps,
        do_sample=False,
        return_dict_in_generate=True,
        output_logits=True,
        eos_token_id=None,
        pad_token_id=2,
    )
    return torch.stack(output.logits)[:, 0]


def gap(model: lt.LoadedModel, turn: lt.Turn) -> float:
    logits = generated(model, turn)
    known = logits.gather(1, torch.tensor(turn.trace.top_token_ids.copy()))
    return float((known - torch.tensor(turn.trace.top_logits.copy())).abs().max())


@pytest.fixture(params=["longrope", "dynamic"])
def model(request: pytest.FixtureRequest) -> lt.LoadedModel:
    changing_model = changing(request.param)
    changing_model.model.generation_config.eos_token_id = None
    return changing_model


def ids_of(length: int) -> list[int]:
    return [3 + at % 200 for at in range(length)]


def test_the_switch_is_found(model: lt.LoadedModel) -> None:
    switch = rope_switch(model.model)
    assert switch is not None
    assert switch.length == SHORT
    assert rope_switch(tiny_model("llama").model) is None


@pytest.mark.parametrize("length", [SHORT - 30, SHORT - 4, SHORT - 1, SHORT, SHORT + 1, SHORT + 30])
def test_a_text_that_grows_past_the_switch_is_that_of_generate(model: lt.LoadedModel, length: int) -> None:
    turn = lt.track(model, ids_of(length), recipe="raw", max_new_tokens=8).turns[0]
    assert gap(model, turn) < 1e-4


def test_texts_of_all_lengths_one_after_another_are_each_as_by_themselves(model: lt.LoadedModel) -> None:
    for length in (SHORT - 20, SHORT + 30, SHORT - 10, SHORT + 10, SHORT + 60, SHORT + 20, SHORT - 30):
        turn = lt.track(model, ids_of(length), recipe="raw", max_new_tokens=4).turns[0]
        assert gap(model, turn) < 1e-4, length


def test_whole_words_behind_a_long_text_are_scored_as_the_model_reads_it(model: lt.LoadedModel) -> None:
    for length in (SHORT - 12, SHORT - 2, SHORT + 20):
        session = lt.track(model, ids_of(length), recipe="raw", max_new_tokens=1, watch_words=["Paris", "Q"])
        turn = session.turns[0]
        ends = set(word_scoring.end_token_ids_of(model, "word"))
        for spelling in (each for score in turn.scores[0].values() for each in score.spellings):
            network = fresh(model)
            with torch.no_grad():
                row = torch.tensor([[*turn.prompt.token_ids, *spelling.token_ids]])
                log_probs = network(row).logits[0].log_softmax(-1)
            written = sum(float(log_probs[length - 1 + at, token]) for at, token in enumerate(spelling.token_ids))
            ended = float(log_probs[-1, sorted(ends)].logsumexp(-1))
            assert spelling.log_prob == pytest.approx(written + ended, abs=2e-4), (length, spelling.text)


def test_two_answers_that_come_in_turn_are_each_as_by_themselves(model: lt.LoadedModel) -> None:
    sessions = [lt.begin_session(model, "raw", lt.Decoding(max_new_tokens=4)) for _ in range(2)]
    lengths = (SHORT + 10, SHORT + 90)
    streams = [lt.stream_turn(model, each, ids_of(n)) for each, n in zip(sessions, lengths, strict=True)]
    done: list[lt.Session] = []
    while len(done) < 2:
        for stream in streams:
            try:
                next(stream)
            except StopIteration as end:
                done += [end.value] if end.value else []
    assert all(gap(model, session.turns[0]) < 1e-4 for session in done)


def test_every_position_of_a_long_text_is_read_as_the_model_reads_it(model: lt.LoadedModel) -> None:
    ids = ids_of(SHORT + 90)
    network = fresh(model)
    with torch.no_grad():
        whole = torch.stack(network(torch.tensor([ids]), output_hidden_states=True).hidden_states[1:-1])[:, 0]
    lt.track(model, ids_of(SHORT + 130), recipe="raw", max_new_tokens=1)
    (resid,) = read_positions(model, ids)
    assert float((torch.tensor(resid[:, :-1]).swapaxes(0, 1) - whole).abs().max()) < 1e-4


def test_a_piece_goes_on_past_the_switch_where_the_whole_does() -> None:
    once, always = RopeSwitch(10, goes_on=False), RopeSwitch(10, goes_on=True)
    assert [once.piece_end(0, 4, 20), always.piece_end(0, 4, 20)] == [11, 20]
    assert [once.piece_end(11, 15, 20), once.piece_end(0, 4, 9), once.piece_end(0, 15, 20)] == [15, 4, 15]
    assert [once.holds(9, 10), once.holds(10, 11), once.holds(11, 12), always.holds(11, 12)] == [
        True,
        False,
        True,
        False,
    ]
