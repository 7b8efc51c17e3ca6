"""The two tokens in which a right word and a foil part."""

from __future__ import annotations

import pytest
import torch
from small_cases import small, small_case

import llm_tracker as lt


def ids(text: str) -> list[int]:
    found: list[int] = small("llama").model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


@pytest.mark.parametrize(("answer", "foil", "n_shared"), [("Bonn", "Rome", 0), ("Bonner", "Bonnie", 4)])
def test_words_part_at_their_first_unlike_token(answer: str, foil: str, n_shared: int) -> None:
    probe = small_case(small("llama").model, answer=answer, foil=foil).probe
    assert list(probe.shared) == ids(answer)[:n_shared] == ids(foil)[:n_shared]
    assert (probe.answer_id, probe.foil_id) == (ids(answer)[n_shared], ids(foil)[n_shared])


@pytest.mark.parametrize(("answer", "foil"), [("Rome", "Romeo"), ("Romeo", "Rome")])
def test_a_word_that_the_other_begins_with_cannot_be_told_from_it(answer: str, foil: str) -> None:
    case = small_case(small("llama").model, answer=answer, foil=foil)
    with pytest.raises(lt.InputError, match="begin alike and one ends there"):
        _ = case.probe


def test_a_margin_is_the_lead_of_the_right_words_token_and_turns_round_with_the_words() -> None:
    model = small("llama").model
    one = small_case(model, answer="Bonn", foil="Rome").probe
    other = small_case(model, answer="Rome", foil="Bonn").probe
    logits = torch.randn(3, model.architecture.vocab_size)
    assert torch.equal(one.margins(logits), logits[:, ids("B")[0]] - logits[:, ids("R")[0]])
    assert torch.equal(one.margins(logits), -other.margins(logits))
    assert one.margins(logits.log_softmax(-1)) == pytest.approx(one.margins(logits), abs=1e-5)
