"""F3, F4, F5 and F9: where a correction travels, what is looked at, and what the lens sees."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from findings.numbers import NATS, PLAIN, SHARE, both, difference, median_of, right_at_first, verdict
from findings.page import Finding
from llm_tracker.studies.statistics.inside import jump_summary, jumps, traced
from llm_tracker.studies.statistics.intervals import mean, rate
from llm_tracker.studies.statistics.summary import kept
from llm_tracker.studies.values.study import Study

Studies = Mapping[str, Study]

LITTLE = 0.1
"""A small share of the attention."""

UNDOES = 0.75
"""The share of an effect that has to go before it counts as undone."""

LEAST_EFFECT = 0.5
"""Nats: shares of a smaller effect are shares of little, and their curves wild."""


def verdict_path(studies: Studies) -> Finding:
    """F3: where the bare verdict travels."""
    lines, claims = [], []
    for name, label in (("worked", "worked turns"), ("one-word", "the app's recipe")):
        paths, study = studies[name].tables["verdict_paths"], studies[name]
        strong = paths[paths["effect_nats"].abs() >= LEAST_EFFECT]
        found = jumps(strong, study.tables["heads"].iloc[:0])
        for held_out, whose in ((False, "in view"), (True, "held out")):
            own = _of(found, paths, held_out)
            lines.append(
                [f"{label}, {whose}: the verdict's own word carries half of it until depth", _median(own, "word_until")]
            )
            lines.append(
                [f"{label}, {whose}: the answer slot carries half of it from depth", _median(own, "slot_from")]
            )
            claims.append(len(own) > 0 and _goes_over_in_the_middle(own))
    return Finding(
        "F3",
        "By the middle of the layers the verdict's effect has left its own word, and the answer slot has it after that",
        "Traced on two questions: the word's share falls below half by layer 12, the slot takes over at 14 to 20.",
        verdict(claims),
        (),
        lines=lines,
        note=f"Of pairs whose effect is at least {LEAST_EFFECT} nats. The ends of all curves are exact (checked).",
    )


def _goes_over_in_the_middle(found: pd.DataFrame) -> bool:
    """Whether the word loses the effect in the first half of the layers, and the slot has it after that."""
    n_layers = int(found["n_layers"].iloc[0])
    until, since = found["word_until"].median(), found["slot_from"].median()
    return bool(until <= n_layers / 2 and until < since <= n_layers)


def _of(found: pd.DataFrame, paths: pd.DataFrame, held_out: bool) -> pd.DataFrame:
    ids = kept(paths, held_out)["question_id"].unique()
    return found[found["question_id"].isin(ids)] if len(found) else found


def _median(found: pd.DataFrame, column: str) -> str:
    return median_of(found[column]) if len(found) else "none"


def attention_or_cause(studies: Studies) -> Finding:
    """F4: attention is the wrong headline."""
    study = studies["one-word"]
    words = study.tables["words"]
    single = words[~words["is_segment"].astype(bool)]
    right = set(right_at_first(study.rows)["question_id"])
    named = single[single["is_named"].astype(bool) & single["question_id"].isin(right)]
    ranked = single.assign(
        by_share=single.groupby("question_id")["share"].rank(ascending=False),
        by_effect=single.assign(size=single["delta"].abs()).groupby("question_id")["size"].rank(ascending=False),
    ).loc[named.index]
    said_so = right_at_first(study.rows[study.rows["paraphrase"] == 0])
    figures = [
        both("the named word's share of the slot's attention", named, lambda own: mean(own["share"]), SHARE),
        both("naming it moved the lead by", said_so, difference("wrong_alternative", "asked_again")),
        both("hiding it moves the lead by", named, lambda own: mean(own["delta"]), NATS),
        both("it is the word that moves it most", ranked, lambda own: rate(own["by_effect"] == 1), SHARE),
        both("it is the word that is looked at most", ranked, lambda own: rate(own["by_share"] == 1), SHARE),
    ]
    share, naming, hiding, *_ = figures
    claims = [share.open.high < LITTLE, share.held_out.high < LITTLE]
    claims += [hiding.open.low > -UNDOES * naming.open.value, hiding.held_out.low > -UNDOES * naming.held_out.value]
    return Finding(
        "F4",
        "The named word gets a small share of the attention, and hiding it undoes what naming it did",
        "One question: 3.1 % of the attention; hiding it moves the lead by +3.5 nats, the largest of 101 tokens.",
        verdict(claims),
        figures,
        note="Questions that were answered right at first: there the foil is named. Words of the question, the answer "
        "and the correction: the recipe in front and the template's own tokens, where most attention goes, are not "
        "among them.",
    )


def blind_lens(studies: Studies) -> Finding:
    """F5: the plain logit lens is nearly blind; the difference of two words is not."""
    study = studies["worked"]
    lens = study.tables["lens"]
    alone = lens[lens["condition"] == "baseline"]
    layers = [18, 24, 27, 28, 29]
    figures = [
        both(
            f"KL(last layer ‖ layer {layer}), nats",
            alone[alone["layer"] == layer],
            lambda own: mean(own["kl_nats"]),
            PLAIN,
        )
        for layer in layers
    ]
    claims, lines = [figures[2].open.low > 5, figures[2].held_out.low > 5], []
    for held_out, whose in ((False, "in view"), (True, "held out")):
        steps = _largest_steps(kept(studies["one-word"].tables["lens"], held_out))
        lines.append([f"the app's recipe, {whose}: the leads part most at layer", median_of(steps)])
        is_one_layer = bool(len(steps)) and float((steps == steps.median()).mean()) > 0.5
        claims.append(is_one_layer and steps.median() < layers[2])
    return Finding(
        "F5",
        "Read by the lens, the prediction appears in the last layers only; the lead of one word turns earlier",
        "One question: KL of 14 nats at layer 27 of 30, while the lead of Paris over London turns at layer 24.",
        verdict(claims),
        figures,
        lines=lines,
    )


def _largest_steps(lens: pd.DataFrame) -> pd.Series:
    """By question the layer at which the leads under “wrong + word” and asked again part most."""
    leads = lens.pivot_table("lead", ["question_id", "layer"], "condition")
    apart = (leads["asked_again"] - leads["wrong_alternative"]).unstack("layer")
    return apart.diff(axis=1).abs().idxmax(axis=1)


def _first_head(row: pd.Series) -> str:
    if "top_head" not in row or row["top_head"] != row["top_head"]:
        return "not measured"
    return (
        f"head {row['top_head']:.0f} of layer {row['top_layer']:.0f} in {row['n_top']:.0f} of {row['n']:.0f}, "
        f"{100 * row['top_share']:.0f} % of the effect there"
    )


def named_path(studies: Studies) -> Finding:
    """F9: one clean jump, and one head."""
    lines, claims = [], []
    for name in ("one-word", "second-model"):
        if name not in studies:
            continue
        study = studies[name]
        model = str(study.models[0]["title"])
        for held_out, whose in ((False, "in view"), (True, "held out")):
            paths = kept(study.tables["paths"], held_out)
            found = jumps(paths, kept(study.tables["heads"], held_out))
            summed, n_all = jump_summary(found), paths["question_id"].nunique()
            if not len(summed):
                lines.append([f"{model}, {whose}: pairs that line up", f"none of {n_all}"])
                claims.append(False)
                continue
            row = summed.iloc[0]
            lines += [
                [f"{model}, {whose}: pairs that line up", f"{traced(paths)['question_id'].nunique()} of {n_all}"],
                [f"{model}, {whose}: the word's own position carries half until depth", median_of(found["word_until"])],
                [f"{model}, {whose}: the answer slot carries half from depth", median_of(found["slot_from"])],
                [f"{model}, {whose}: the head with the largest share", _first_head(row)],
            ]
            if name == "one-word":
                claims += [row["slot_high"] - row["slot_low"] <= 1, row.get("n_top", 0) > row["n"] / 2]
    return Finding(
        "F9",
        "With the app's recipe the named word's path is one jump, and of the heads one has the largest share of it",
        "Four questions: the word until depth 23, the slot from 24 of 30; head 1 of layer 24 has .35 to .51 of it.",
        verdict(claims),
        (),
        lines=lines,
    )
