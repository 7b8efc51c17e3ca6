"""Attention on the reader's words: each share is the plain model's, and words line up although tokens do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from model_runs import CORRECTION, QUESTION, had, run_of, tiny, two_sizes
from tiny_models import tiny_network

import llm_tracker as lt
from llm_tracker.analysis.across_models.runs import ModelRun, named
from llm_tracker.analysis.across_models.shared_words import groups_by_model, words_by_model
from llm_tracker.prompts.words import words_of

WORDS = [*words_of(QUESTION), "its answer", *words_of(CORRECTION)]


def plain_row(n_layers: int) -> list[float]:
    """What the place that predicts the corrected answer gives to each position in the last layer, heads' mean."""
    network = tiny_network("llama", num_hidden_layers=n_layers, attn_implementation="eager")
    ids = torch.tensor([run_of(n_layers).session.turns[1].prompt.token_ids])
    with torch.no_grad():
        return network(ids, output_attentions=True).attentions[-1][0, :, -1].mean(0).tolist()


@pytest.mark.parametrize(("letter", "n_layers"), [("A", 3), ("B", 5)])
def test_each_share_is_the_sum_over_the_words_tokens_in_the_plain_model(letter: str, n_layers: int) -> None:
    frame = words_by_model(two_sizes(), "after")
    own = frame[frame["model"] == letter]
    row, prompt = plain_row(n_layers), run_of(n_layers).session.turns[1].prompt
    expected = [sum(row[slice(*word.tokens)]) for word in prompt.words if word.role == "user"]
    assert own["share"][own["role"] == "user"].tolist() == pytest.approx(expected, abs=1e-4)
    answer = sum(row[at] for at, role in enumerate(prompt.roles) if role == "assistant")
    assert own["share"][own["role"] == "assistant"].tolist() == pytest.approx([answer] if answer else [], abs=1e-4)


def test_the_words_are_the_readers_in_reading_order_for_all_models() -> None:
    frame = words_by_model(two_sizes(), "after")
    for _, own in frame.groupby("model"):
        assert own["word"].tolist() == WORDS
        assert own["place"].tolist() == list(range(len(WORDS)))
    before = words_by_model(named([run_of(5)]), "before")
    assert before["word"].tolist() == words_of(QUESTION)


def merged(run: ModelRun, first: int) -> ModelRun:
    """The same run, as if a token had stood for two neighbouring words of the question."""
    turn = run.session.turns[0]
    spans = list(turn.prompt.spans)
    own = [word for word in turn.prompt.words if word.role == "user"][first : first + 2]
    start, end = own[0].tokens[0], own[1].tokens[1]
    spans[start:end] = [(spans[start][0], spans[end - 1][1])] * (end - start)
    prompt = replace(turn.prompt, spans=tuple(spans))
    return replace(run, session=replace(run.session, turns=(replace(turn, prompt=prompt), *run.session.turns[1:])))


def test_two_words_that_a_model_has_in_one_token_are_one_row_for_all() -> None:
    plain, joined = run_of(3), merged(run_of(3), 1)
    words = words_of(QUESTION)
    frame = words_by_model(named([plain, joined]), "before")
    for letter in "AB":
        assert frame["word"][frame["model"] == letter].tolist() == [words[0], f"{words[1]} {words[2]}", *words[3:]]
    apart = words_by_model(named([plain]), "before")["share"]
    assert frame["share"][frame["model"] == "A"].iloc[1] == pytest.approx(apart.iloc[1] + apart.iloc[2])
    assert frame["share"][frame["model"] == "B"].sum() == pytest.approx(apart.sum())


def test_all_of_the_attention_is_in_the_groups_and_parked_comes_first() -> None:
    frame = groups_by_model(two_sizes(), "after")
    assert frame.groupby("model")["share"].sum().tolist() == pytest.approx([1, 1])
    assert frame.groupby("model")["group"].first().tolist() == ["parked", "parked"]
    users = frame[frame["group"] == "user"].set_index("model")["share"]
    words = words_by_model(two_sizes(), "after")
    assert words[words["role"] == "user"].groupby("model")["share"].sum().tolist() == pytest.approx(users.tolist())


def test_of_raw_text_the_parked_first_token_keeps_its_place_and_has_no_share() -> None:
    begun = lt.track(tiny(), "Paris and Rome", recipe="raw", max_new_tokens=1)
    frame = words_by_model(named([ModelRun(begun)]), "before")
    assert frame["word"].tolist() == ["Paris", "and", "Rome"]
    parked = groups_by_model(named([ModelRun(begun)]), "before").set_index("group")["share"]["parked"]
    assert frame["share"].sum() == pytest.approx(1 - parked)


def test_an_answer_that_is_not_there_has_no_rows() -> None:
    alone = named([had(tiny(), (QUESTION,))])
    assert words_by_model(alone, "after").empty
    assert groups_by_model(alone, "after").empty
