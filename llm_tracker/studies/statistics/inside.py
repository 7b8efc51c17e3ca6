"""What the questions of a study have in common inside the model: the lens, the named word's path, and its heads."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

from llm_tracker.studies.statistics.intervals import mean
from llm_tracker.studies.statistics.tables import BY_MODEL
from llm_tracker.studies.values.rows import Record

HANDED_OVER = 0.5
"""The share of an effect at which a position is said to carry it."""

LEAST_LOGITS = 0.05
"""A smaller difference is no whole that anything could be a share of."""


def lens_by_layer(lens: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The lead of the right word by layer, mean over questions, by the logit lens (nostalgebraist, 2020) at the slot.

    Columns: model, dtype, condition, layer, n_layers, n, lead (with low and high), and kl_nats: how far the read-out is
    from the last layer's.
    """
    found = []
    for key, own in lens.groupby([*BY_MODEL, "condition", "layer"], sort=False):
        estimate = mean(own["lead"], seed)
        found.append(
            dict(zip([*BY_MODEL, "condition", "layer"], key, strict=True))
            | {"n_layers": int(own["n_layers"].iloc[0]), "n": estimate.n, "lead": estimate.value}
            | {"low": estimate.low, "high": estimate.high, "kl_nats": float(own["kl_nats"].mean())}
        )
    return pd.DataFrame(found)


def peak_excess(lens: pd.DataFrame, questions: pd.Index | None = None) -> pd.DataFrame:
    """The lens' difference of two groups by layer, and how far its peak stands above its end (Pandey, 2026).

    In arXiv 2604.19117 the groups are prompts that a model agrees with and such that it does not. Here it is the same
    questions under two conditions: their mean lead when merely asked again minus that under “wrong + the foil”, by
    layer. Where it is largest (peak_layer), how large there and at the last layer (peak, final, in logits), and
    peak_excess = 100 · (peak − final) / |final|, missing where that is under `LEAST_LOGITS`. With `questions` only of
    these. Columns besides: model, dtype, n, n_layers.
    """
    own = lens if questions is None else lens[lens["question_id"].isin(questions)]
    found = []
    for key, several in own.groupby(BY_MODEL, sort=False):
        leads = several.pivot_table("lead", ["question_id", "layer"], "condition")
        if not {"asked_again", "wrong_alternative"} <= set(leads.columns):
            continue
        pairs = (leads["asked_again"] - leads["wrong_alternative"]).dropna()
        if not len(pairs):
            continue
        difference = pairs.groupby("layer").mean()
        peak, final = float(difference.max()), float(difference.iloc[-1])
        excess = 100 * (peak - final) / abs(final) if abs(final) >= LEAST_LOGITS else math.nan
        found.append(
            dict(zip(BY_MODEL, key, strict=True))
            | {"n": pairs.index.get_level_values("question_id").nunique(), "n_layers": len(difference)}
            | {"peak_layer": int(difference.index[int(difference.argmax())])}
            | {"peak": peak, "final": final, "peak_excess": excess}
        )
    return pd.DataFrame(found)


def path_by_depth(paths: pd.DataFrame) -> pd.DataFrame:
    """The hand-over curves, mean over questions, with the middle half of them.

    Columns: model, dtype, depth, n_layers, place (named word, words between, answer slot), n, share, low, high (the
    quartiles).
    """
    places = {"named_word": "named word", "between": "words between", "answer_slot": "answer slot"}
    found = []
    for key, own in traced(paths).groupby([*BY_MODEL, "depth"], sort=False):
        for column, place in places.items():
            shares = own[column]
            found.append(
                dict(zip([*BY_MODEL, "depth"], key, strict=True))
                | {"n_layers": int(own["n_layers"].iloc[0]), "place": place, "n": len(shares), "share": shares.mean()}
                | {"low": shares.quantile(0.25), "high": shares.quantile(0.75)}
            )
    return pd.DataFrame(found)


def traced(paths: pd.DataFrame) -> pd.DataFrame:
    """The rows of the questions whose pair could be traced."""
    return paths[paths["depth"].notna()]


def jumps(paths: pd.DataFrame, heads: pd.DataFrame) -> pd.DataFrame:
    """Where the named word's jump is and which head carries it: a row for each model and question.

    word_until: the last depth at which the word's own position carries half of the effect; slot_from: the first from
    which on the answer slot always does (one past the last depth: nowhere). top_layer, top_head (from 1), top_share,
    top_attention: of the head with the largest share, missing where no head was measured. Columns besides: model,
    dtype, question_id, n_layers, effect_nats.
    """
    first = heads[(heads["rank"] == 1) & ~heads["is_random"].astype(bool)]
    top = {key: own.iloc[0] for key, own in first.groupby([*BY_MODEL, "question_id"], sort=False)}
    found = []
    for key, unsorted in traced(paths).groupby([*BY_MODEL, "question_id"], sort=False):
        record: Record = dict(zip([*BY_MODEL, "question_id"], key, strict=True))
        own = unsorted.sort_values("depth")
        record |= {"n_layers": int(own["n_layers"].iloc[0]), "effect_nats": float(own["effect_nats"].iloc[0])}
        record |= {"word_until": _last(own, "named_word"), "slot_from": _from_which_on(own, "answer_slot")}
        head = top.get(key)
        if head is not None:
            record |= {"top_layer": int(head["layer"]), "top_head": int(head["head"])}
            record |= {"top_share": float(head["share"]), "top_attention": head["attention_to_named_word"]}
        found.append(record)
    return pd.DataFrame(found)


def _last(path: pd.DataFrame, place: str) -> float:
    """The last depth at which a place carries the effect; NaN where there is none."""
    return float(path.loc[path[place] >= HANDED_OVER, "depth"].max())


def _from_which_on(path: pd.DataFrame, place: str) -> int:
    """The first depth from which on a place always carries the effect."""
    without = path.loc[~(path[place] >= HANDED_OVER), "depth"]
    return int(without.max()) + 1 if len(without) else 0


def jump_summary(found: pd.DataFrame) -> pd.DataFrame:
    """By model: where most questions have the jump, and which head is first how often.

    Columns: model, dtype, n, n_layers, word_until and slot_from (medians; of two in the middle the lower one, so that
    each is a layer), slot_low and slot_high (the quartiles, the layers just outside), top_layer, top_head (the
    commonest), n_top (in how many questions it is first), top_share (its mean share there).
    """
    if not len(found):
        return pd.DataFrame()
    rows = []
    for key, own in found.groupby(BY_MODEL, sort=False):
        record: Record = dict(zip(BY_MODEL, key, strict=True))
        record |= {"n": len(own), "n_layers": int(own["n_layers"].iloc[0])}
        record |= {name: _quantile(own[name], 0.5, "lower") for name in ("word_until", "slot_from")}
        record |= {"slot_low": _quantile(own["slot_from"], 0.25, "lower")}
        record |= {"slot_high": _quantile(own["slot_from"], 0.75, "higher")}
        if "top_layer" in own and own["top_layer"].notna().any():
            counts = own.groupby(["top_layer", "top_head"]).size().sort_values(ascending=False, kind="stable")
            layer, head = counts.index[0]
            first = own[(own["top_layer"] == layer) & (own["top_head"] == head)]
            record |= {"top_layer": int(layer), "top_head": int(head), "n_top": len(first)}
            record |= {"top_share": float(first["top_share"].mean())}
        rows.append(record)
    return pd.DataFrame(rows)


def _quantile(depths: pd.Series, share: float, towards: Literal["lower", "higher"]) -> float:
    return float(depths.quantile(share, interpolation=towards))
