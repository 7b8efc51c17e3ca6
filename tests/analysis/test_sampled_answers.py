"""How often each answer came, and between which shares that may lie."""

from __future__ import annotations

import pytest

from llm_tracker.analysis.sampled_answers import COLUMNS, answer_distribution, wilson_interval
from llm_tracker.tracing.sampled import SampledAnswer, SampledAnswers
from llm_tracker.tracing.session import Decoding, Ending


def sampled(*answers: str, cut: tuple[int, ...] = ()) -> SampledAnswers:
    """Answers by seed; those at the places in `cut` ended at the limit."""

    def one(seed: int, answer: str) -> SampledAnswer:
        ending: Ending = "limit" if seed in cut else "end"
        return SampledAnswer(seed, (1,), answer, answer, ending, None, -1.0)

    return SampledAnswers(tuple(one(seed, answer) for seed, answer in enumerate(answers)), Decoding(temperature=1.0))


@pytest.mark.parametrize(
    ("successes", "n", "confidence", "low", "high"),
    [
        (0, 10, 0.95, 0, 0.2775),
        (5, 10, 0.95, 0.2366, 0.7634),
        (10, 10, 0.95, 0.7225, 1),
        (24, 32, 0.95, 0.5789, 0.8675),
        (1, 1, 0.95, 0.2065, 1),
        (81, 263, 0.95, 0.2553, 0.3662),  # Newcombe (1998), table I
        (15, 148, 0.95, 0.0624, 0.1605),
        (5, 10, 0.99, 0.1842, 0.8158),
        (0, 0, 0.95, 0, 1),
    ],
)
def test_intervals_are_wilsons(successes: int, n: int, confidence: float, low: float, high: float) -> None:
    assert wilson_interval(successes, n, confidence) == pytest.approx((low, high), abs=6e-5)


def test_intervals_never_leave_0_to_1_and_hold_the_share() -> None:
    for n in (1, 2, 3, 7, 32, 1024):
        for successes in range(n + 1):
            low, high = wilson_interval(successes, n)
            assert 0 <= low <= successes / n <= high <= 1
        assert wilson_interval(0, n)[0] == 0.0
        assert wilson_interval(n, n)[1] == 1.0


@pytest.mark.parametrize(("successes", "n", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0), (1, 2, 0.0)])
def test_what_is_no_count_or_no_confidence_is_refused(successes: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"give from 0|between 0 and 1"):
        wilson_interval(successes, n, confidence)


def test_the_commonest_comes_first_and_shares_sum_to_1() -> None:
    frame = answer_distribution(sampled("Rome", "Paris", "Oslo", "Paris"))
    assert list(frame.columns) == COLUMNS
    assert frame["answer"].tolist() == ["Paris", "Rome", "Oslo"]
    assert frame["n"].tolist() == [2, 1, 1]
    assert frame["share"].sum() == pytest.approx(1)
    assert (frame["low"][0], frame["high"][0]) == wilson_interval(2, 4)
    assert not frame["is_greedy"].any()


def test_answers_that_differ_in_case_and_outer_marks_are_one_and_the_commonest_spelling_is_shown() -> None:
    frame = answer_distribution(sampled("paris!", "Paris.", "PARIS", "Paris."), greedy="paris")
    assert frame["answer"].tolist() == ["Paris."]
    assert frame["n"].tolist() == [4]
    assert frame["is_greedy"].tolist() == [True]
    level = answer_distribution(sampled("it’s", "It's"))
    assert level["answer"].tolist() == ["it’s"], "the first of several as common"


def test_the_greedy_answer_has_a_row_also_if_it_never_came() -> None:
    frame = answer_distribution(sampled("Rome", "Rome", "Oslo"), greedy="Paris")
    assert frame["answer"].tolist() == ["Rome", "Oslo", "Paris"]
    assert frame["is_greedy"].tolist() == [False, False, True]
    last = frame.iloc[-1]
    assert (last["n"], last["share"], last["low"], last["is_cut"]) == (0, 0, 0, False)
    assert last["high"] == pytest.approx(wilson_interval(0, 3)[1])


def test_an_empty_answer_is_an_answer() -> None:
    frame = answer_distribution(sampled("", "...", "Rome"), greedy="")
    assert (frame["answer"].tolist(), frame["n"].tolist()) == (["", "Rome"], [2, 1])
    assert frame["is_greedy"].tolist() == [True, False]


def test_it_is_said_where_an_answer_was_cut() -> None:
    frame = answer_distribution(sampled("Rome", "Paris", "Paris", cut=(2,)))
    assert dict(zip(frame["answer"], frame["is_cut"], strict=True)) == {"Paris": True, "Rome": False}


def test_without_samples_nothing_is_known() -> None:
    assert answer_distribution(sampled()).empty
    frame = answer_distribution(sampled(), greedy="Paris")
    assert frame[["n", "share", "low", "high"]].values.tolist() == [[0, 0, 0, 1]]
