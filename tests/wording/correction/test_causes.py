"""What hiding, taking apart and swapping says: which word, which head, which layer, and what chance does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from experiments import example_experiment

from llm_tracker.experiments.values.findings import (
    Attribution,
    FrozenRoute,
    Heads,
    HeadShare,
    HeadsTogether,
    KnockOuts,
    LayerParts,
    WordEffect,
)
from llm_tracker.tracing.edit import Edit
from llm_tracker.wording.correction.causes import (
    attribution_sentence,
    carried_sentence,
    head_words_sentence,
    heads_sentence,
    hidden_segments_sentence,
    hidden_sentence,
    looked_sentence,
    together_sentence,
)
from llm_tracker.wording.correction.edits import edit_label


def knock_outs() -> KnockOuts:
    found = example_experiment().knock_outs
    assert isinstance(found, KnockOuts)
    return found


def without(*words: tuple[str, float, bool]) -> KnockOuts:
    """Words with what hiding them changes, and whether attention is parked on them too; hidden in all 30 layers."""
    effects = tuple(
        WordEffect(text, "user", (at, at + 1), False, delta, is_parked, share=0.1)
        for at, (text, delta, is_parked) in enumerate(words)
    )
    return KnockOuts((1, 30), 1.0, effects)


def test_the_word_is_named_whose_hiding_changes_most_and_the_next_one() -> None:
    found = knock_outs()
    words = sorted((word for word in found.words if not word.is_segment), key=lambda word: -abs(word.delta))
    said = hidden_sentence(found, 30)
    assert said.startswith(f"Hiding “{words[0].text.strip()}” from the answer position changes the lead by +")
    assert f"the next is “{words[1].text.strip()}”" in said


@pytest.mark.parametrize(
    ("window", "where"),
    [
        ((1, 30), "answer position"),
        ((1, 10), "answer position in layers 1 to 10"),
        ((4, 9), "answer position in layers 4 to 9"),
        ((4, 4), "answer position in layer 4"),
        ((20, 30), "answer position in layers 20 to 30"),
    ],
)
def test_the_layers_are_said_unless_they_are_all(window: tuple[int, int], where: str) -> None:
    found = replace(knock_outs(), layers=window)
    assert f"from the {where} changes the lead" in hidden_sentence(found, 30)
    assert f"hidden from the {where};" in hidden_segments_sentence(found, 30)
    still = replace(found, words=tuple(replace(word, delta=0.0) for word in found.words))
    assert f"from the {where} changes the lead by less" in hidden_sentence(still, 30)


def test_a_word_on_which_attention_is_parked_is_not_named_and_that_is_said() -> None:
    left_out = " Words that hide the first token or the template's marks too are left out."
    said = hidden_sentence(without(("Say", 9.0, True), ("Paris", -2.0, False), ("now", 1.0, False)), 30)
    assert said == (
        f"Hiding “Paris” from the answer position changes the lead by −2.0 nats; the next is “now” with +1.0 nats."
        f"{left_out}"
    )
    still = hidden_sentence(without(("Say", 9.0, True), ("Paris", 0.01, False)), 30)
    assert still == f"Hiding any one word from the answer position changes the lead by less than 0.05 nats.{left_out}"
    assert hidden_sentence(without(("Say", 9.0, True)), 30).startswith("No word here can be hidden without the first")


def test_words_that_change_nothing_are_not_ranked() -> None:
    still = replace(knock_outs(), words=tuple(replace(word, delta=0.01) for word in knock_outs().words))
    assert "changes the lead by less than 0.05 nats" in hidden_sentence(still, 30)
    assert hidden_sentence(replace(still, words=()), 30) == "There is no word to hide."


def test_what_is_carried_adds_up_to_the_lead_and_biases_are_named() -> None:
    found = example_experiment().frozen_route
    assert isinstance(found, FrozenRoute)
    said = carried_sentence(found)
    assert "all words together are that lead" in said
    assert "biases" not in said
    said = carried_sentence(replace(found, bias=1.5))
    assert "the model's own biases +1.5 nats; all words and these biases together are that lead." in said


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
        f"Layer {best.layer} head {best.head} works against the effect (−40 %). Of 8 heads"
    )
    others = (unseen, replace(best, layer=7, head=3, share=0.3))
    assert "Of those that bring it, layer 7 head 3 brings 30 %." in heads_sentence(replace(found, shares=others))
    assert "without 8 by chance" in together_sentence(found)
    assert "no more than" not in together_sentence(found)
    eight = [each for each in found.knocked_out_random if len(each.heads) == 8]
    weak = replace(found.knocked_out[-1], delta=eight[0].delta)
    assert together_sentence(replace(found, knocked_out=(weak,))).endswith("That is no more than heads by chance do.")
    assert together_sentence(replace(found, knocked_out=())) == ""


def test_one_head_by_chance_is_not_several_and_none_is_not_mentioned() -> None:
    found = example_experiment().heads
    assert isinstance(found, Heads)
    one = replace(found, random=(HeadShare(1, 1, -0.3, None),))
    assert heads_sentence(one).endswith(" One head chosen by chance brings −30 %.")
    two = replace(found, random=(HeadShare(1, 1, -0.3, None), HeadShare(1, 2, 0.1, None)))
    assert heads_sentence(two).endswith(" Of 2 heads chosen by chance, the most is −30 %.")
    assert "chance" not in heads_sentence(replace(found, random=()))
    assert heads_sentence(replace(found, shares=(), random=())) == "This model has no heads that could be replaced."


def test_the_first_head_alone_is_told_as_one() -> None:
    found = example_experiment().heads
    assert isinstance(found, Heads)
    first, chance = HeadsTogether(((1, 1),), -2.0), HeadsTogether(((1, 2),), 0.5)
    said = "Without the first head at the answer position, the lead changes by −2.0 nats"
    alone = replace(found, knocked_out=(first,), knocked_out_random=())
    assert together_sentence(alone) == f"{said}."
    beside = replace(alone, knocked_out_random=(chance,))
    assert together_sentence(beside) == f"{said}; without one by chance, by +0.50 nats."
    several = replace(alone, knocked_out_random=(chance, replace(chance, delta=-1.0)))
    assert together_sentence(several) == f"{said}; without one by chance, by −1.0 nats to +0.50 nats."


ATTRIBUTIONS = (
    Attribution("before", (LayerParts(1, 3.0, 1.0), LayerParts(2, 0.5, -0.5)), 0.0, 0.0, 4.0, None),
    Attribution("asked_again", (LayerParts(1, 1.0, 0.5), LayerParts(2, 0.5, 2.0)), 0.0, 0.0, 4.5, None),
    Attribution("after", (LayerParts(1, 1.5, 0.5), LayerParts(2, -5.0, 2.5)), 0.0, 0.0, -0.5, None),
)


@pytest.mark.parametrize(
    ("name", "most", "adds"),
    [
        ("before", "Before the correction, the attention of layer 1", "+3.0 nats of a lead of +4.0 nats"),
        ("asked_again", "Merely asked again, the feed-forward part of layer 2", "+2.0 nats of a lead of +4.5 nats"),
        ("after", "After the correction, the attention of layer 2", "−5.0 nats of a lead of −0.50 nats"),
    ],
)
def test_the_part_that_adds_most_is_named_of_each_answer_with_what_it_leaves_out(
    name: str, most: str, adds: str
) -> None:
    assert attribution_sentence(ATTRIBUTIONS, name) == (
        f"{most} adds most directly: {adds}. What a part does through later layers is not in this."
    )


def test_the_part_that_changes_most_is_named_of_the_difference_with_what_it_leaves_out() -> None:
    assert attribution_sentence(ATTRIBUTIONS, "difference") == (
        "Against merely asking again, what the attention of layer 2 adds directly changes most: by −5.5 nats; the lead "
        "changes by −5.0 nats. What a part does through later layers is not in this."
    )


def test_parts_that_add_the_same_as_when_asked_again_are_not_ranked() -> None:
    _, again, _ = ATTRIBUTIONS
    said = attribution_sentence((again, replace(again, name="after")), "difference")
    assert said.startswith("No part adds 0.05 nats more or less after the correction than when merely asked again.")


@pytest.mark.parametrize("name", ["before", "asked_again", "after", "difference"])
def test_what_has_not_been_taken_apart_says_so(name: str) -> None:
    assert attribution_sentence((), name) == "Nothing has been taken apart yet."
    bare = tuple(replace(each, layers=()) for each in ATTRIBUTIONS)
    assert attribution_sentence(bare, name) == "This model has no layers."


def test_the_head_and_word_that_bring_most_are_named() -> None:
    found = example_experiment().attributions
    assert isinstance(found, tuple)
    after = next(each for each in found if each.name == "after")
    assert head_words_sentence(after).startswith("The largest: layer")
    assert head_words_sentence(replace(after, head_words=())) == ""


def test_an_edit_is_called_by_what_was_changed() -> None:
    assert edit_label(Edit("hidden", (1, 30), text="London")) == "“London” hidden in layers 1 to 30"
    assert edit_label(Edit("hidden", (3, 3), text="London")) == "“London” hidden in layer 3"
    assert edit_label(Edit("head", (24, 24), 1, 0.0)) == "layer 24 head 1 times 0"
    assert edit_label(Edit("mlp", (2, 2), factor=0.5)) == "the feed-forward part of layer 2 times 0.5"
    assert edit_label(Edit("attention", (2, 2), is_replaced=True)) == "the attention of layer 2 as when asked again"
