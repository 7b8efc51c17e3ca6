"""F1, F2, F6, F7 and F8: what is written, and how likely, under each correction."""

from __future__ import annotations

from collections.abc import Mapping

from findings.numbers import (
    SHARE,
    Figure,
    above,
    both,
    difference,
    is_near_zero,
    is_one_word,
    leaves_out_zero,
    level,
    right_at_first,
    share,
    told,
    verdict,
)
from findings.page import Finding
from llm_tracker.studies.values.study import Study

Studies = Mapping[str, Study]

RECIPES = {
    "asked-for-one-word": "“Answer with one word.” alone",
    "worked": "two worked turns",
    "system-and-worked": "a system line and two worked turns",
    "one-word": "the app's recipe (five worked corrections)",
}


def asking_again(studies: Studies) -> Finding:
    """F1: never before and after without a neutral control."""
    old, new = studies["worked"].rows, studies["one-word"].rows
    figures = [
        both(
            "worked turns, all first answers: asked again − question alone", old, difference("asked_again", "baseline")
        ),
        both("worked turns, all first answers: “wrong” − asked again", old, difference("wrong", "asked_again")),
        both(
            "the app's recipe, all first answers: asked again − question alone",
            new,
            difference("asked_again", "baseline"),
        ),
        both("the app's recipe, all first answers: “wrong” − asked again", new, difference("wrong", "asked_again")),
    ]
    moved, added = figures[0].open, figures[1].open
    claims = [moved.high < 0, is_near_zero(added), figures[0].held_out.high < 0, leaves_out_zero(figures[2].open)]
    return Finding(
        "F1",
        "Merely asking again moves the lead; without that control a chart would credit it to the correction",
        "With two worked turns, asking again moved the lead by −2.4 nats in 12 questions, and “wrong” added +0.1: "
        "nothing that could be told from 0.",
        verdict(claims),
        figures,
    )


def minimal_pair(studies: Studies) -> Finding:
    """F2: the verdict is measurable with a minimal pair."""
    figures = []
    recipes = {"worked turns, all first answers": "worked", "the app's recipe, all first answers": "one-word"}
    for name, study in recipes.items():
        rows = studies[study].rows
        figures += [
            both(
                f"{name}: log p of the right word, “right” − “wrong”",
                rows,
                difference("right", "wrong", "score_answer"),
            ),
            both(f"{name}: the same of the lead", rows, difference("right", "wrong")),
            both(f"{name}: likelier after “right”", rows, above("right", "wrong", "score_answer"), SHARE),
        ]
    claims = [
        figures[0].open.low > 0,
        figures[0].held_out.low > 0,
        figures[1].open.low > 0,
        figures[1].held_out.low > 0,
    ]
    return Finding(
        "F2",
        "“That is right.” and “That is wrong.” differ in one token, and the right word is likelier after the first",
        "12 of 12 questions, +1.5 nats; of the lead +0.7 nats.",
        verdict(claims),
        figures,
    )


def one_word_format(studies: Studies) -> Finding:
    """F6: one-word answers need a format."""
    figures = []
    for name, label in RECIPES.items():
        rows = studies[name].rows
        figures.append(both(f"{label}: first answers of one word", rows, share("baseline", is_one_word()), SHARE))
        figures.append(both(f"{label}: right", rows, share("baseline", lambda own: own["grade"] == "answer"), SHARE))
    alone, *shown = figures[::2]
    claims = [alone.open.high < min(each.open.low for each in shown)]
    claims += [alone.held_out.high < min(each.held_out.low for each in shown)]
    return Finding(
        "F6",
        "A small model answers in one word only when it is shown how",
        "“Answer with one word.” is not enough; with a system line and two worked turns 5 of 6 easy questions were.",
        verdict(claims),
        figures,
    )


def sentence_or_correction(studies: Studies) -> Finding:
    """F7: small models answer the sentence, not the correction."""
    old, new = right_at_first(studies["worked"].rows), right_at_first(studies["one-word"].rows)
    says = share("are_you_sure", lambda own: own["answer_text"].str.match(r"(?i)(yes|no)\b"))
    figures = [
        both("worked turns: “Are you sure?” is answered with yes or no", studies["worked"].rows, says, SHARE),
        both("the app's recipe: the same", studies["one-word"].rows, says, SHARE),
        both("worked turns: “… is not F” − “… is F”, lead", old, difference("negation", "user")),
        both("worked turns: “… is not F” − asked again, lead", old, difference("negation", "asked_again")),
        both("the app's recipe: “… is not F” − merely mentioned, lead", new, difference("negation", "mention")),
    ]
    claims = [is_near_zero(figures[2].open), figures[3].open.high < 0, figures[3].held_out.high < 0]
    denied, unlike = figures[3].open, figures[2].open
    return Finding(
        "F7",
        "Denying a word moves the lead towards it, as naming it does; the “not” makes no difference",
        "In 8 questions “is not X” and “is X” left the same mean lead (1.4 and 1.2; asked again 2.7). "
        "“Are you sure?” is answered as a question.",
        verdict(claims),
        figures,
        note=f"With two worked turns a denied foil moves the lead by {told(denied)}; the “not” alone does so by "
        f"{told(unlike)}.",
    )


def worked_corrections(studies: Studies) -> Finding:
    """F8: worked corrections make one-word corrections work."""
    rows = studies["all"].rows
    right = right_at_first(rows)
    figures: list[Figure] = []
    for name, label in (
        ("wrong_alternative", "“wrong”, and the foil named"),
        ("right", "“right”"),
        ("wrong", "“wrong”"),
        ("asked_again", "merely asked again"),
        ("are_you_sure", "are you sure?"),
    ):
        own = right if name == "wrong_alternative" else rows  # of others it names the right word
        figures.append(both(f"{label}: answers of one word", own, share(name, is_one_word()), SHARE))
    says_foil = share("wrong_alternative", lambda own: own["grade"] == "foil")
    figures.append(both("the foil is said when it is named (right at first)", right, says_foil, SHARE))
    for name, label in (
        ("baseline", "the question alone"),
        ("asked_again", "merely asked again"),
        ("right", "“right”"),
        ("wrong", "“wrong”"),
        ("wrong_alternative", "“wrong”, and the foil named"),
        ("mention", "the foil merely mentioned"),
        ("negation", "the foil denied"),
    ):
        figures.append(both(f"{label}: lead (right at first)", right, level(name)))
    claims = [claim for whose in ("open", "held_out") for claim in _worked(figures, whose)]
    return Finding(
        "F8",
        "With worked corrections in front, the bare verdict moves little and the named word moves all",
        "14 of 14 answers of one word after a named foil, which is said in 12; leads 2.1 alone, 4.5 asked again, 5.7 "
        "“wrong”, −6.3 with the foil named.",
        verdict(claims),
        figures,
    )


def _worked(figures: list[Figure], whose: str) -> list[bool]:
    """What F8 claims, of the questions in view or of those held out."""
    told = [getattr(figure, whose) for figure in figures]
    leads = {figure.name.split(":")[0]: each.value for figure, each in zip(figures[6:], told[6:], strict=True)}
    bare, named = (leads[name] - leads["merely asked again"] for name in ("“wrong”", "“wrong”, and the foil named"))
    return [
        told[0].low > 0.8,
        told[5].low > 0.5,
        abs(bare) < abs(named) / 4,
        leads["“wrong”, and the foil named"] < 0,
    ]
