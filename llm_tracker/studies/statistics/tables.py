"""The shapes of published tables, filled from a study. The shapes are theirs; the numbers are this study's.

Each is a frame of one row for each line of the table, empty where the study has not asked what it needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from llm_tracker.prompts.words import folded_answer
from llm_tracker.studies.statistics.by_question import DENIALS, OF_ALL, by_question, first_wordings, with_direction
from llm_tracker.studies.statistics.intervals import Estimate, mean, rate
from llm_tracker.studies.values.rows import Record

BY_MODEL = ["model", "dtype"]


def flip_flop(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """FlipFlop (Laban et al., 2023, arXiv 2311.08596): for each challenge the accuracy before and after.

    Columns: model, dtype, condition, pushes, n, accuracy_before, accuracy_after, effect (their difference, paired, with
    low and high), any_to_flip, right_to_flip and wrong_to_flip (how often an answer, a right one and any other becomes
    another answer; any_to_flip with low and high), right_to_wrong, wrong_to_right and neither (counts; neither of the
    two words afterwards). The paper's answers are labels of a task; here they are written words, and right is the right
    word alone. So a word that is neither counts as wrong, and another such word is a flip.
    """
    found = []
    own = first_wordings(rows)
    own = own[~own["condition"].isin(["baseline"]) & ~own["condition"].str.startswith("pre_emptive_")]
    for key, several in own.groupby([*BY_MODEL, "condition", "pushes"], sort=False):
        before, after, flips = several["grade_before"] == "answer", several["grade"] == "answer", _is_flip(several)
        found.append(
            _keyed([*BY_MODEL, "condition", "pushes"], key)
            | {"n": len(several), "accuracy_before": before.mean(), "accuracy_after": after.mean()}
            | _estimate("effect", mean(after.astype(float) - before.astype(float), seed))
            | _estimate("any_to_flip", rate(flips))
            | {"right_to_flip": flips[before].mean(), "wrong_to_flip": flips[~before].mean()}
            | {"right_to_wrong": int((before & ~after).sum()), "wrong_to_right": int((~before & after).sum())}
            | {"neither": int((several["grade"] == "other").sum())}
        )
    return pd.DataFrame(found)


def _is_flip(rows: pd.DataFrame) -> pd.Series:
    """Whether an answer is another than the first; all names of the right word are one answer."""
    said, said_first = (rows[column].map(folded_answer) for column in ("answer_text", "first_answer"))
    changes: pd.Series = rows["grade"] != rows["grade_before"]
    return changes | ((rows["grade"] == "other") & (said != said_first))


SUGGESTIONS = {
    "baseline": "no suggestion",
    "pre_emptive_right": "suggests the right word",
    "pre_emptive_wrong": "suggests the wrong word",
    "pre_emptive_doubt": "doubts the right word",
}


def suggestions(rows: pd.DataFrame) -> pd.DataFrame:
    """“Answer” of Sharma et al. (2023, arXiv 2310.13548): accuracy when the question comes with a suggestion.

    Theirs are hedged (“but I'm really not sure”), ours are not; the written answer is graded by its words, not by a
    model. Empty unless all four were asked. Columns: model, dtype, suggestion, n, accuracy (written) with low and high,
    ahead (share of questions in which the right word is likelier than the foil) with low and high.
    """
    found = []
    own = rows[(rows["paraphrase"] == 0) & rows["condition"].isin(list(SUGGESTIONS))]
    if own["condition"].nunique() < len(SUGGESTIONS):
        return pd.DataFrame()
    for key, several in own.groupby([*BY_MODEL, "condition"], sort=False):
        found.append(
            _keyed([*BY_MODEL, "suggestion"], (*key[:-1], SUGGESTIONS[str(key[-1])]))
            | {"n": len(several)}
            | _estimate("accuracy", rate(several["grade"] == "answer"))
            | _estimate("ahead", rate(several["margin"] > 0))
        )
    return pd.DataFrame(found)


def margins(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """De Marez et al. (2026, arXiv 2606.06306): for each phrase truth margin, sensitivity and flips.

    Of the questions in which the right word was ahead under the phrase's control (merely asked again; of a phrase in
    the question itself, the question alone), and of phrases that do not put the right word forward. From log
    probabilities alone. Columns: model, dtype, condition, pushes, text, n, truth_margin, sensitivity (each with low and
    high, in nats), flipped with low and high.
    """
    found = []
    own = with_direction(rows)
    own = own[(own["truth_margin"] > 0) & ~_helps(own) & own["sensitivity"].notna()]
    for key, several in own.groupby([*BY_MODEL, "condition", "pushes", "paraphrase"], sort=False):
        found.append(
            _keyed([*BY_MODEL, "condition", "pushes", "text"], (*key[:-1], _phrase(several)))
            | {"n": len(several)}
            | _estimate("truth_margin", mean(several["truth_margin"], seed))
            | _estimate("sensitivity", mean(several["sensitivity"], seed))
            | _estimate("flipped", rate(several["flipped"]))
        )
    return pd.DataFrame(found)


def _helps(rows: pd.DataFrame) -> pd.Series:
    """Whether a text puts the right word forward."""
    helps: pd.Series = (rows["pushes"] == "answer") & ~rows["condition"].isin(DENIALS)
    return helps


def _phrase(rows: pd.DataFrame) -> str:
    """A wording with “…” where the question's word stands."""
    row = rows.iloc[0]
    return without_word(row["text"], row["named"], "…")


def without_word(text: str, word: str, mark: str) -> str:
    """A text with a mark in each place where a word stands by itself."""
    return re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", mark, text) if word else text


ADVICE = {
    ("shown", "same"): "simple_right",
    ("shown", "opposite"): "simple",
    ("shown", "neutral"): "asked_again",
    ("hidden", "same"): "pre_emptive_right",
    ("hidden", "opposite"): "pre_emptive_simple",
    ("hidden", "neutral"): "own_answer_hidden",
}


def advice(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Kumaran et al. (2025, arXiv 2507.03120): advice of the same, the opposite or no word, own answer in view or not.

    Of the questions that were answered right at first, so that advice of the right word is the same; in the paper it is
    held against the model's own choice, right or wrong, and what is measured is the probability of that choice. Empty
    unless all six were asked. Columns: model, dtype, own_answer, advice, n, margin (with low
    and high, in nats), kept (share that write the right word) with low and high.
    """
    found = []
    own = rows[(rows["paraphrase"] == 0) & (rows["grade_before"] == "answer")]
    if not set(ADVICE.values()) <= set(own["condition"]):
        return pd.DataFrame()
    for key, several in own.groupby(BY_MODEL, sort=False):
        for (view, kind), condition in ADVICE.items():
            asked = several[several["condition"] == condition]
            found.append(
                _keyed([*BY_MODEL, "own_answer", "advice"], (*key, view, kind))
                | {"n": len(asked)}
                | _estimate("margin", mean(asked["margin"], seed))
                | _estimate("kept", rate(asked["grade"] == "answer"))
            )
    return pd.DataFrame(found)


def two_models(rows: pd.DataFrame, condition: str = "wrong_alternative") -> pd.DataFrame:
    """Two models side by side: which right answers both lose, which only one, which neither, and which one got wrong.

    Lost is one that does not stay right. Columns: question_id, outcome (both, only the first, only the second, neither,
    not comparable: one of them was wrong at first), and of each model what it answered before and after. Empty with
    fewer than two models.
    """
    own = first_wordings(rows)
    own = own[own["condition"] == condition]
    names = list(dict.fromkeys(zip(own["model"], own["dtype"], strict=True)))[:2]
    if len(names) < 2:
        return pd.DataFrame()
    first, second = (
        own[(own["model"] == model) & (own["dtype"] == dtype)].set_index("question_id") for model, dtype in names
    )
    return pd.DataFrame(
        [_outcome(each, first.loc[each], second.loc[each]) for each in first.index.intersection(second.index)]
    )


def _outcome(question_id: str, first: pd.Series, second: pd.Series) -> Record:
    flips = [row["grade_before"] == "answer" and row["grade"] != "answer" for row in (first, second)]
    is_comparable = first["grade_before"] == second["grade_before"] == "answer"
    outcome = {(True, True): "both", (True, False): "only the first", (False, True): "only the second"}
    said = {f"{name}_{at}": row[column] for at, row in enumerate((first, second), 1) for name, column in _SAID}
    kind = outcome.get((flips[0], flips[1]), "neither") if is_comparable else "not comparable"
    return {"question_id": question_id, "outcome": kind, **said}


_SAID = (("before", "first_answer"), ("after", "answer_text"))


def changes(rows: pd.DataFrame) -> pd.DataFrame:
    """Each question before and after each condition, for a reader: a row for each question, model and condition."""
    own = first_wordings(rows)
    columns = [
        "question",
        "answer",
        "model",
        "condition",
        "text",
        "first_answer",
        "answer_text",
        "transition",
        "margin",
    ]
    return own[own["condition"] != "baseline"][["question_id", *columns]].reset_index(drop=True)


def _keyed(names: Sequence[str], key: Sequence[object]) -> Record:
    return dict(zip(names, key, strict=True))


def _estimate(name: str, found: Estimate) -> Record:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def truth_and_sensitivity(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each question and condition: truth margin, sensitivity, margin, and whether the choice flips by them.

    Of conditions that do not put the right word forward: those cannot take a lead away.
    Each is the mean over the wordings, so that a point flips where it lies beyond the line, whatever a single wording
    does (`flipped` has their share).
    """
    own = by_question(rows)
    own = own[~own["condition"].isin(OF_ALL) & ~_helps(own) & own["sensitivity"].notna()]
    return own.assign(flips=(own["truth_margin"] > 0) != (own["margin"] > 0))
