"""What hiding, taking apart and swapping says: which word, which head, which layer, and what chance does."""

from __future__ import annotations

from dataclasses import replace

from experiments import example_experiment

from llm_tracker.experiments.values.findings import FrozenRoute, Heads, KnockOuts
from llm_tracker.tracing.edit import Edit
from llm_tracker.wording.correction.causes import (
    attribution_sentence,
    carried_sentence,
    head_words_sentence,
    heads_sentence,
    hidden_sentence,
    looked_sentence,
    together_sentence,
)
from llm_tracker.wording.correction.edits import edit_label


def knock_outs() -> KnockOuts:
    found = example_experiment().knock_outs
    assert isinstance(found, KnockOuts)
    return found


def test_the_word_is_named_whose_hiding_changes_most_and_the_next_one() -> None:
    found = knock_outs()
    words = sorted((word for word in found.words if not word.is_segment), key=lambda word: -abs(word.delta))
    said = hidden_sentence(found)
    assert said.startswith(f"Hiding “{words[0].text.strip()}” from the answer position changes the lead by +")
    assert f"the next is “{words[1].text.strip()}”" in said
    assert "in layers 4 to 9" in hidden_sentence(replace(found, layers=(4, 9)))


def test_words_that_change_nothing_are_not_ranked() -> None:
    still = replace(knock_outs(), words=tuple(replace(word, delta=0.01) for word in knock_outs().words))
    assert "changes the lead by less than 0.05 nats" in hidden_sentence(still)
    assert hidden_sentence(replace(still, words=())) == "There is no word to hide."


def test_what_is_carried_adds_up_to_the_lead_and_biases_are_named() -> None:
    found = example_experiment().frozen_route
    assert isinstance(found, FrozenRoute)
    said = carried_sentence(found)
    assert "all words together are that lead" in said
    assert "biases" not in said
    assert "the model's own biases +1.5 nats" in carried_sentence(replace(found, bias=1.5))


def test_looking_is_told_with_what_is_parked_and_is_no_cause() -> None:
    said = looked_sentence(knock_outs())
    assert "Looking is not a cause" in said
    assert "the rest goes to the worked examples" in said


def test_the_first_head_stands_beside_the_best_of_chance() -> None:
    found = example_experiment().heads
    assert isinstance(found, Heads)
    best = found.shares[0]
    said = heads_sentence(found)
    assert said.startswith(f"Layer {best.layer} head {best.head} brings 42 % of the effect")
    assert "it looks at “London” with 94 %" in said
    unseen = replace(best, attention_to_word=None, share=-0.4)
    assert heads_sentence(replace(found, shares=(unseen,))).startswith(
        f"Layer {best.layer} head {best.head} brings -40 % of the effect by itself. Of 8 heads"
    )
    assert "without 8 by chance" in together_sentence(found)
    assert together_sentence(replace(found, knocked_out=())) == ""


def test_the_part_that_adds_most_is_named_with_what_it_leaves_out() -> None:
    found = example_experiment().attributions
    assert isinstance(found, tuple)
    assert "through later layers is not in this" in attribution_sentence(found)
    assert attribution_sentence(()) == "Nothing has been taken apart yet."
    after = next(each for each in found if each.name == "after")
    assert head_words_sentence(after).startswith("The largest: layer")
    assert head_words_sentence(replace(after, head_words=())) == ""


def test_an_edit_is_called_by_what_was_changed() -> None:
    assert edit_label(Edit("hidden", (1, 30), text="London")) == "“London” hidden in layers 1 to 30"
    assert edit_label(Edit("hidden", (3, 3), text="London")) == "“London” hidden in layer 3"
    assert edit_label(Edit("head", (24, 24), 1, 0.0)) == "layer 24 head 1 times 0"
    assert edit_label(Edit("mlp", (2, 2), factor=0.5)) == "the feed-forward part of layer 2 times 0.5"
    assert edit_label(Edit("attention", (2, 2), is_replaced=True)) == "the attention of layer 2 as when asked again"
