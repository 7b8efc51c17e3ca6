"""What is said of a study's summary: the strongest, what cannot be told, and plain words for one, none and all."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from made_studies import chain, frame, row, study, whole_study

from llm_tracker.figures.studies.views import study_figures
from llm_tracker.studies.statistics.pressure import right_by_turn
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.statistics.tables import truth_and_sensitivity
from llm_tracker.studies.values.tables import frame_of
from llm_tracker.wording.studies.sentences import (
    CASE,
    answers_sentence,
    chain_sentence,
    flips_sentence,
    interval,
    margins_sentence,
    shift_of,
)

Record = dict[str, Any]


def condition(
    name: str, shift: float, half: float = 0.5, n: int = 20, pushes: str = "", first: str = "", q: float = 0.01
) -> Record:
    """A condition of a summary: how far it moves the lead, with half the width of its interval, and its sign test."""
    ends = {"low": -shift - half, "high": -shift + half} if n > 1 else {"low": None, "high": None}
    told = {"condition": name, "pushes": pushes, "first": first, "n": n}
    return told | {"sensitivity": {"value": -shift, "n": n, **ends}, "sign_test_q": q}


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-1.234, 0.44, " (95 %: −1.2 to +0.44)"),
        (-0.001, 0.004, " (95 %: 0 to 0)"),
        (-0.04, 12.4, " (95 %: −0.04 to +12)"),
        (None, None, ""),
        (float("nan"), float("nan"), ""),
    ],
)
def test_an_interval_in_brackets_never_has_a_sign_in_front_of_nothing(low: Any, high: Any, said: str) -> None:
    assert interval({"low": low, "high": high}) == said


def test_an_interval_of_shares() -> None:
    assert interval({"low": 0.104, "high": 1.0}, "%") == " (95 %: 10 % to 100 %)"


def test_a_shift_is_the_sensitivity_turned_round_with_its_interval() -> None:
    assert shift_of(condition("wrong", -2.0)) == {"value": -2, "low": -2.5, "high": -1.5, "n": 20}
    assert str(shift_of(condition("wrong", 0.0))["value"]) == "0.0"
    assert shift_of({"sensitivity": {"value": None, "low": None, "high": None, "n": 0}})["value"] is None


def test_the_strongest_is_named_with_its_control_and_what_has_no_effect_beside_it() -> None:
    said = margins_sentence([condition("asked_again", -9), condition("wrong", 0.2), condition("mention", -3)])
    assert said == (
        "“a word merely mentioned” moves the right word's lead most: by −3.0 nats (95 %: −3.5 to −2.5), compared with "
        "merely asking again, over 20 questions. No detectable effect: “wrong”."
    )
    said = margins_sentence([condition("pre_emptive_right", 3.0), condition("right", 2.0)])
    assert said.endswith("by +3.0 nats (95 %: +2.5 to +3.5), compared with the question alone, over 20 questions.")


def test_the_strongest_is_one_that_can_be_told_from_chance() -> None:
    said = margins_sentence([condition("wrong", -2), condition("mention", -8, n=1), condition("negation", -5, half=9)])
    assert said.startswith("“wrong” moves")
    assert said.endswith(
        "No detectable effect: “a word denied”. Too few questions to tell (under 6): “a word merely mentioned”."
    )


def test_what_leaves_out_0_by_chance_is_not_detectable() -> None:
    """Of many conditions some intervals leave out 0 by chance: the signs have to tell, too, adjusted for them all."""
    said = margins_sentence([condition("wrong", -2, q=0.05), condition("mention", -1, q=0.049)])
    assert said.startswith("“a word merely mentioned” moves")
    assert said.endswith("No detectable effect: “wrong”.")


def test_where_nothing_is_detectable_no_text_is_said_to_move_anything() -> None:
    assert margins_sentence([condition("wrong", 0.2), condition("right", -0.1, n=12)]) == (
        "Compared with its control, no text moves the right word's lead detectably (20 questions)."
    )


@pytest.mark.parametrize("n", [1, 2, 5])
def test_of_fewer_than_six_questions_nothing_is_said_beyond_them(n: int) -> None:
    assert margins_sentence([condition("wrong", -9, half=0.1, n=n)]) == (
        "With fewer than 6 questions nothing can be said of others: look at each by itself."
    )


def test_where_only_the_controls_were_asked_there_is_nothing_to_compare() -> None:
    said = "Nothing was said but to ask again: there is nothing to compare with that."
    assert margins_sentence([condition("baseline", 0), condition("asked_again", 0)]) == margins_sentence([]) == said
    assert flips_sentence(truth_and_sensitivity(frame([row("a", "asked_again", 2.0)]))) == said


def test_a_tiny_effect_that_is_sure_is_called_tiny_and_many_without_one_are_counted() -> None:
    assert margins_sentence([condition("wrong", 0.003, half=0.001)]).startswith(
        "“wrong” moves the right word's lead most: by less than 0.01 nats, compared"
    )
    names = ["right", "mention", "negation", "simple", "authority"]
    said = margins_sentence([condition("wrong", 2.0), *(condition(name, 0) for name in names)])
    assert said.endswith("No detectable effect: 5 of 6 conditions.")


def test_a_condition_with_both_words_says_which_one_it_names() -> None:
    both = [condition("simple", -3, pushes="foil"), condition("simple", 2, pushes="answer")]
    assert margins_sentence(both).startswith("“pressure: a plain opinion (the wrong word)” moves")
    assert margins_sentence(both[:1]).startswith("“pressure: a plain opinion” moves")
    either = [condition("user", -3, first="right"), condition("user", 2, pushes="answer", first="other")]
    assert margins_sentence(either).startswith("“your own correction (both words)” moves")
    apart = [condition("wrong", -3, first="right"), condition("wrong", 0.1, first="other")]
    said = margins_sentence(apart)
    assert said.startswith("“wrong (right at first)” moves")
    assert said.endswith("No detectable effect: “wrong (not right at first)”.")


def given_up(name: str, n: int, lost: int, foil: int | None = None, ends: tuple[float, float] = (0.2, 0.9)) -> Record:
    kept = {"value": 1 - lost / n if n else None, "low": ends[0], "high": ends[1], "n": n}
    told = {"condition": name, "pushes": "", "first": "", "n_right": n, "kept": kept}
    return told | {"n_lost": lost, "n_foil": lost if foil is None else foil}


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (
            [given_up("baseline", 9, 9), given_up("asked_again", 9, 1), given_up("wrong", 9, 4, 3, (0.27, 0.81))],
            "After “wrong” 4 of 9 right first answers did not stay right (95 %: 19 % to 73 %): 3 became the wrong "
            "word, 1 neither; after merely asking again, 1 of 9.",
        ),
        (
            [given_up("asked_again", 9, 5), given_up("wrong", 9, 4)],
            "After “merely asked again” 5 of 9 right first answers did not stay right (95 %: 10 % to 80 %): "
            "5 became the wrong word.",
        ),
        (
            [given_up("right", 9, 9, 0), given_up("wrong", 9, 2, 2)],
            "After “wrong” 2 of 9 right first answers did not stay right (95 %: 10 % to 80 %): "
            "2 became the wrong word.",
        ),
        (
            [given_up("right", 9, 2, 0)],
            "After “right” 2 of 9 right first answers did not stay right (95 %: 10 % to 80 %): "
            "2 became neither of the two.",
        ),
        (
            [given_up("wrong", 1, 1)],
            "After “wrong” the one right first answer did not stay right (95 %: 10 % to 80 %): "
            "it became the wrong word.",
        ),
        (
            [given_up("right", 1, 1, 0)],
            "After “right” the one right first answer did not stay right (95 %: 10 % to 80 %): "
            "it became neither of the two words.",
        ),
        (
            [given_up("wrong", 3, 0), given_up("right", 3, 0)],
            "All 3 right first answers stayed right, whatever was said.",
        ),
        ([given_up("wrong", 2, 0)], "Both right first answers stayed right, whatever was said."),
        ([given_up("wrong", 1, 0)], "The one right first answer stayed right, whatever was said."),
        ([given_up("wrong", 0, 0)], "No first answer was right, so none could be given up."),
        ([], "No first answer was right, so none could be given up."),
    ],
)
def test_what_became_of_right_answers(conditions: list[Record], said: str) -> None:
    assert answers_sentence(conditions) == said


def flips(*cases: tuple[float, float]) -> str:
    """Of cases: the lead when merely asked again, and under the text."""
    rows = [row(f"q{at}", "wrong", lead, again=again) for at, (again, lead) in enumerate(cases)]
    return flips_sentence(truth_and_sensitivity(frame(rows)))


def test_how_many_leads_are_lost() -> None:
    assert flips((1, -1), (4, 2), (3, 1), (-2, 5)) == (
        "In 1 of 3 cases (33 %), beyond the line, the right word falls behind: the text moved its lead by more "
        "than it was ahead. It was ahead by 1.0 nats there, and by 3.5 nats elsewhere (medians). "
        f"{CASE}"
    )
    assert (
        flips((1, -1))
        == f"In the one case the right word falls behind: the text moved its lead by more than it was ahead. {CASE}"
    )
    assert flips((1, -1), (2, -1)).startswith("In both cases the right word falls behind")
    assert (
        flips((1, 1))
        == f"In the one case the right word stays ahead: the text moved its lead by less than it was ahead. {CASE}"
    )
    assert flips((1, 1), (2, 9)).startswith("In both cases the right word stays ahead")
    assert (
        flips((-1, -1), (0, 3))
        == "In no question was the right word ahead under a text's control: no lead could be lost."
    )


def pressed(*chains: str) -> str:
    rows = [each for at, letters in enumerate(chains) for each in chain(f"q{at}", letters)]
    return chain_sentence(right_by_turn(frame_of("chains", rows)))


def test_what_became_of_right_answers_under_pressure() -> None:
    assert pressed("aaffff", "affaaa", "aaaaaf", "faaaaa") == (
        "Of 3 right first answers 2 are right after the first push, and 1 after 5."
    )
    assert pressed("aaffff") == "The one right first answer is right after the first push, and not right after 5."
    assert pressed("aooooo").endswith("is not right after the first push, and not right after 5."), "nor is it wrong"
    assert pressed("aaffff", "affaaa", "afaaaa").startswith("Of 3 right first answers 1 is right after the first push")
    assert pressed("faaaaa") == "No first answer was right, so none could give way to pressure."
    assert (
        chain_sentence(right_by_turn(frame_of("chains", [])))
        == "No first answer was right, so none could give way to pressure."
    )
    assert chain_sentence(pd.DataFrame()) == "No first answer was right, so none could give way to pressure."


NEVER = re.compile(
    r"-0(\.0+)?(?![.\d])|nan|None|\b(1|one) (questions|cases|points|answers|conditions)\b"
    r"|understood|believed|decided by|sycophan|confiden",
    re.IGNORECASE,
)
"""What no sentence says: minus nothing, one in the plural, and what a model is not known to do."""


@pytest.mark.parametrize(("n", "n_models"), [(1, 1), (2, 2), (6, 1), (9, 2)])
def test_every_sentence_of_a_study_is_plain(n: int, n_models: int) -> None:
    found = study_figures(whole_study(n, n_models, ("baseline", "asked_again", "wrong", "simple", "pre_emptive_right")))
    assert len(found) == 4 + 2 * n_models
    for figure in found:
        assert NEVER.findall(figure.sentence) == []
        assert figure.sentence.endswith(".")
        assert "  " not in figure.sentence
        assert ("Tiny (bfloat16)" in figure.sentence + figure.title) == (
            n_models == 2 and figure.view not in ("lens", "path")
        )


def test_where_all_leads_are_equal_nothing_is_detectable() -> None:
    rows = [row(f"q{at}", name, 1.0, again=1.0) for at in range(8) for name in ("asked_again", "wrong", "right")]
    said = margins_sentence(summary(study(rows))["conditions"])
    assert said == "Compared with its control, no text moves the right word's lead detectably (8 questions)."
