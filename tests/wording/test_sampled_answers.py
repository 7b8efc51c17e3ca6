"""One sentence on answers that were sampled: how often the commonest came, and the greedy one."""

from __future__ import annotations

import pytest

from llm_tracker.analysis.sampled_answers import answer_distribution
from llm_tracker.tracing.sampled import SampledAnswer, SampledAnswers
from llm_tracker.tracing.session import Decoding
from llm_tracker.wording.sampled_answers import CUT_NOTE, samples_sentence


def told(counts: dict[str, int], greedy: str | None = None, is_cut: bool = False) -> str:
    answers = [answer for answer, n in counts.items() for _ in range(n)]
    ending = "limit" if is_cut else "end"
    samples = [
        SampledAnswer(seed, (1,), answer, answer, ending, None, -1.0)  # type: ignore[arg-type]
        for seed, answer in enumerate(answers)
    ]
    frame = answer_distribution(SampledAnswers(tuple(samples), Decoding(temperature=1.0)), greedy)
    return samples_sentence(frame, 1.0)


@pytest.mark.parametrize(
    ("counts", "greedy", "sentence"),
    [
        (
            {"Paris": 24, "Lyon": 8},
            "paris",
            "24 of 32 answers say “Paris” (75 %; 95 % interval 58 to 87 %); the greedy answer is the commonest.",
        ),
        (
            {"Lyon": 21, "Paris": 3},
            "Paris",
            "21 of 24 answers say “Lyon” (88 %; 95 % interval 69 to 96 %); the greedy answer “Paris” came 3 times.",
        ),
        (
            {"Lyon": 3, "Paris": 2},
            "Paris",
            "3 of 5 answers say “Lyon” (60 %; 95 % interval 23 to 88 %); the greedy answer “Paris” came twice.",
        ),
        (
            {"Lyon": 3, "Rome": 2},
            "Paris",
            "3 of 5 answers say “Lyon” (60 %; 95 % interval 23 to 88 %); the greedy answer “Paris” never came.",
        ),
        ({"Lyon": 3, "Rome": 2}, None, "3 of 5 answers say “Lyon” (60 %; 95 % interval 23 to 88 %)."),
        (
            {"Paris": 10},
            "Paris",
            "all 10 answers say “Paris” (95 % interval 72 to 100 %); the greedy answer is the same.",
        ),
        (
            {"Lyon": 10},
            "Paris",
            "all 10 answers say “Lyon” (95 % interval 72 to 100 %); the greedy answer “Paris” never came.",
        ),
        (
            {"Paris": 1},
            "Paris",
            "the only answer says “Paris” (95 % interval 21 to 100 %); the greedy answer is the same.",
        ),
        (
            {"Lyon": 1},
            "Paris",
            "the only answer says “Lyon” (95 % interval 21 to 100 %); the greedy answer “Paris” never came.",
        ),
        ({"a": 1, "b": 1, "c": 1}, "b", "no two of 3 answers are alike; the greedy answer “b” came once."),
        ({"a": 1, "b": 1}, "c", "no two of 2 answers are alike; the greedy answer “c” never came."),
        (
            {"a": 5, "b": 5},
            "b",
            "“a” and “b” lead with 5 of 10 each (50 %; 95 % interval 24 to 76 %); the greedy answer is one of them.",
        ),
        (
            {"a": 2, "b": 2, "c": 2, "d": 1},
            "d",
            "3 answers lead with 2 of 7 each (29 %; 95 % interval 8 to 64 %); the greedy answer “d” came once.",
        ),
        (
            {"": 8, "Paris": 2},
            "",
            "8 of 10 answers are empty (80 %; 95 % interval 49 to 94 %); the greedy answer is the commonest.",
        ),
        ({"": 1}, None, "the only answer is empty (95 % interval 21 to 100 %)."),
        (
            {"Paris": 4},
            "",
            "all 4 answers say “Paris” (95 % interval 51 to 100 %); the greedy answer is empty and never came.",
        ),
        (
            {"": 2, "a": 2},
            None,
            "an empty answer and “a” lead with 2 of 4 each (50 %; 95 % interval 15 to 85 %).",
        ),
    ],
)
def test_it_says_who_leads_how_surely_and_where_the_greedy_answer_stands(
    counts: dict[str, int], greedy: str | None, sentence: str
) -> None:
    assert told(counts, greedy) == f"At temperature 1, {sentence}"


def test_it_is_said_where_answers_were_cut() -> None:
    assert told({"Paris": 2}, is_cut=True).endswith(f" {CUT_NOTE}")
    assert CUT_NOTE not in told({"Paris": 2})


def test_a_long_answer_is_named_by_its_beginning_and_a_line_end_is_seen() -> None:
    assert "“A vast and mysterious place, or so they …”" in told(
        {"A vast and mysterious place, or so they say it is": 2}
    )
    assert "“a↵b”" in told({"a\nb": 2})


@pytest.mark.parametrize(("temperature", "written"), [(0.7, "0.7"), (1.0, "1"), (1.25, "1.25")])
def test_a_temperature_is_written_as_it_was_given(temperature: float, written: str) -> None:
    samples = SampledAnswers((SampledAnswer(0, (1,), "a", "a", "end", None, 0.0),), Decoding(temperature=temperature))
    assert samples_sentence(answer_distribution(samples), temperature).startswith(f"At temperature {written}, ")


def test_where_nothing_was_sampled_nothing_is_said_of_it() -> None:
    assert told({}, "Paris") == "No answer was sampled."
