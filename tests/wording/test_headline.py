"""The headline says no more than its numbers do: of words, of the answer, and of merely being asked again."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import llm_tracker as lt
from llm_tracker.analysis.compare import Side, WordChange, sides_of, word_changes
from llm_tracker.tracing.whole_words import Spelling, WordScore
from llm_tracker.wording.headline import change_parts, headline, shift_split


def test_the_headline_sets_each_word_against_before_and_against_asking_again(session: lt.Session) -> None:
    sides = sides_of(session)
    change = {each.word: each for each in word_changes(sides, session.watch_words)}["London"]
    first, second, third = (side.turn.scores[0]["London"].prob for side in sides)
    assert (change.before, change.after, change.again) == (first, second, third)
    assert max(first, second, third) < 1e-12, "of tiny models"
    assert headline(sides, session.watch_words).count("“London” less than 1 in a trillion each time.") == 1
    likely = [replace(side, turn=with_prob(side.turn, 0.5 - 0.1 * at)) for at, side in enumerate(sides)]
    assert "“London” 50 % → 40 % (asked again: 30 %)." in headline(likely, session.watch_words)


def with_prob(turn: lt.Turn, prob: float) -> lt.Turn:
    """A turn that says “London” with some probability."""
    score = turn.scores[0]["London"]
    spelling = replace(score.spellings[0], log_prob=math.log(prob))
    return replace(turn, scores={0: {"London": replace(score, spellings=(spelling,))}})


def test_where_all_are_tiny_they_are_told_as_one_in_so_many() -> None:
    change = WordChange("Rome", 0.0003, 0.00001, 0.0005)
    assert change_parts(change) == ("“Rome”", "1 in 3,300 → 1 in 100,000", "asked again: 1 in 2,000")
    assert change_parts(replace(change, after=0.5))[1:] == ("under 0.1 % → 50 %", "asked again: under 0.1 %")
    assert change_parts(WordChange("Rome", 2.9e-7, 4e-11, None))[1] == "1 in 3.4 million → 1 in 25 billion"
    assert (
        change_parts(WordChange("Rome", 0.0, 1e-13, None))[1:]
        == change_parts(WordChange("Rome", 0.0, 1e-13, 1e-14))[1:]
        == ("less than 1 in a trillion each time", "")
    )


def test_a_word_that_was_not_scored_on_both_sides_is_left_out(session: lt.Session) -> None:
    sides = sides_of(session)
    unscored = [sides[0], replace(sides[1], turn=replace(sides[1].turn, scores={}))]
    assert word_changes(unscored, session.watch_words) == []
    assert headline(unscored, session.watch_words) == headline(unscored, [])


@pytest.mark.parametrize(
    ("probs", "told"),
    [
        (
            (0.952, 0.0003, 0.673),
            "Of the 95 points that “a” lost, 28 come with merely being asked again, the other 67 with this correction.",
        ),
        (
            (0.1, 0.5, 0.1),
            "Of the 40 points that “a” gained, none comes with merely being asked again.",
        ),
        ((0.5, 0.1, 0.1), "Of the 40 points that “a” lost, all come with merely being asked again."),
        ((0.5, 0.4, 0.6), ""),  # asking again moves it the other way
        ((0.5, 0.4, 0.2), ""),  # asking again moves it farther
        ((0.5, 0.505, 0.5), ""),  # nothing to be split
    ],
)
def test_the_change_is_split_into_asking_again_and_the_correction(
    session: lt.Session, probs: tuple[float, float, float], told: str
) -> None:
    turns = (session.turns[0], session.turns[1], session.controls[1])
    sides = []
    for name, turn, prob in zip(("before", "after", "again"), turns, probs, strict=True):
        score = WordScore("a", (Spelling("a", (1,), math.log(prob)),), "answer")
        sides.append(Side(name, replace(turn, scores={0: {"a": score}})))  # type: ignore[arg-type]
    assert shift_split(sides, ["a"]) == told
    assert shift_split(sides[:2], ["a"]) == ""
    assert shift_split(sides, []) == ""


def test_without_a_control_the_headline_does_not_speak_of_one(session: lt.Session) -> None:
    assert "sked again" not in headline(sides_of(replace(session, controls={})), session.watch_words)


def answering(turn: lt.Turn, answer: str, ended: str = "end") -> lt.Turn:
    return replace(turn, answer=answer, ended=ended)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (("Paris", "London", None), "The answer changed from “Paris” to “London”."),
        (
            ("Paris", "London", "Paris."),
            "The answer changed from “Paris” to “London”. Merely asked again, it stays “Paris”.",
        ),
        (
            ("Paris", "London", "london"),
            "The answer changed from “Paris” to “London”. Merely asked again, it changes in the same way.",
        ),
        (
            ("Paris", "London", "Rome"),
            "The answer changed from “Paris” to “London”. Merely asked again, it becomes “Rome”.",
        ),
        (("Paris", "paris", "Paris"), "The answer stayed the same. Merely asked again, it stays the same too."),
        (("Paris", "Paris", "Rome"), "The answer stayed the same. Merely asked again, it becomes “Rome”."),
        (
            ("Paris", "A city.", "Why?"),
            "The answer changed from “Paris” to “A city.” Merely asked again, it becomes “Why?”",
        ),
        (
            ("It is Paris.", "London", "It is Paris."),
            "The answer changed from “It is Paris.” to “London”. Merely asked again, it stays “It is Paris.”",
        ),
        (("Paris", "", ""), "The answer changed. Merely asked again, it changes in the same way."),
        (
            ("Paris", "x" * 50, "y" * 50),
            f"The answer changed from “Paris” to “{'x' * 40} …”. Merely asked again, it becomes “{'y' * 40} …”.",
        ),
    ],
)
def test_the_verdict_speaks_of_the_answer_itself(
    session: lt.Session, answers: tuple[str, str, str | None], told: str
) -> None:
    before, after, again = answers
    sides = [
        Side("before", answering(session.turns[0], before)),
        Side("after", answering(session.turns[1], after)),
    ]
    if again is not None:
        sides.append(Side("again", answering(session.controls[1], again)))
    assert headline(sides, []) == told


def test_of_two_corrections_of_one_answer_the_verdict_claims_nothing_about_asking_again(session: lt.Session) -> None:
    sides = [
        Side("before", answering(session.turns[1], "London")),
        Side("after", answering(session.turns[1], "Paris")),
        Side("again", answering(session.controls[1], "Paris")),
    ]
    assert headline(sides, []) == (
        "The answer changed from “London” to “Paris”. Merely asked again, the answer is “Paris”."
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (("The capital is", "limit"), ("The capital is", "limit"), "The answer stayed the same as far as it goes."),
        (
            ("The capital is Paris", "end"),
            ("The", "stopped"),
            "An answer was cut short: whether it changed cannot be said.",
        ),
        (("Paris", "end"), ("London is a", "limit"), "The answer changed from “Paris” to “London is a”."),
        (("The", "end"), ("The capital", "end"), "The answer changed from “The” to “The capital”."),
    ],
)
def test_of_an_answer_that_was_cut_no_more_is_said_than_can_be_seen(
    session: lt.Session, before: tuple[str, str], after: tuple[str, str], told: str
) -> None:
    sides = [
        Side("before", answering(session.turns[0], *before)),
        Side("after", answering(session.turns[1], *after)),
    ]
    assert headline(sides, []) == told
