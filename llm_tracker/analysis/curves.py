"""Several tokens through the layers of one answer: the followed words, and all that rank first at any layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.layers import settled_layer
from llm_tracker.tracing.trace import LensTable

CurveMeasure = Literal["prob", "logit", "rank"]
COLUMNS = ("line", "token_id", "token", "kind", "layer", "prob", "logit", "rank")


def curves_frame(side: Side, words: Sequence[str] = (), count: int | None = None) -> pd.DataFrame:
    """A row for each layer of each line, by the logit lens at the side's step.

    Lines are the followed words that were read there (kind “word”: of one with several tokens its first; words that
    begin with the same token have one line, “one / other”), the token that was written (“written”), and the tokens that
    rank first at any layer (“leading”), no token twice; of these the last `count` to lead where that is given.
    Columns: line (what it is called), token_id, token, kind, layer (from 1), prob, logit (raw; NaN of a written token
    that never leads), rank (1 = best; NaN of the leading ones). Empty where the step has not been read.
    """
    table = side.turn.trace.lens.get(side.step)
    if table is None:
        return pd.DataFrame(columns=list(COLUMNS))
    frames = [_word_lines(side, words)]
    known = set(frames[0]["token_id"])
    own = int(side.turn.trace.token_ids[side.step])
    leading = _leading_lines(table)
    if own not in known:
        frames.append(_written_line(side, table, leading[leading["token_id"] == own]))
        known.add(own)
    leading = leading[~leading["token_id"].isin(known)]
    kept = list(dict.fromkeys(leading["token_id"]))[: None if count is None else count]
    frames.append(leading[leading["token_id"].isin(kept)])
    return pd.concat([frame for frame in frames if len(frame)], ignore_index=True)


def n_leading(side: Side) -> int:
    """How many tokens rank first at any layer of a side's step; 0 where that was not read."""
    table = side.turn.trace.lens.get(side.step)
    return 0 if table is None or table.leading is None else len(table.leading.tokens)


def _word_lines(side: Side, words: Sequence[str]) -> pd.DataFrame:
    read = {word: lens for word in words if (lens := side.watched(word)) is not None}
    frames = []
    for token_id in dict.fromkeys(lens.token_id for lens in read.values()):
        several = [word for word, lens in read.items() if lens.token_id == token_id]
        lens = read[several[0]]
        frames.append(_lines(" / ".join(several), token_id, lens.token, "word", lens.prob, lens.logit, lens.rank))
    return pd.concat(frames) if frames else pd.DataFrame(columns=list(COLUMNS))


def _written_line(side: Side, table: LensTable, leading: pd.DataFrame) -> pd.DataFrame:
    """The token that was written; its logits are known where it is among the `leading` ones."""
    nothing = np.full(len(table.token_prob), np.nan)
    logit = leading["logit"].to_numpy() if len(leading) else nothing
    own = int(side.turn.trace.token_ids[side.step])
    return _lines(side.token, own, side.token, "written", table.token_prob, logit, table.token_rank)


def _leading_lines(table: LensTable) -> pd.DataFrame:
    if table.leading is None:
        return pd.DataFrame(columns=list(COLUMNS))
    leading, nothing = table.leading, np.full(len(table.token_prob), np.nan)
    several = zip(leading.token_ids.tolist(), leading.tokens, leading.prob, leading.logit, strict=True)
    frames = [_lines(token, each, token, "leading", prob, logit, nothing) for each, token, prob, logit in several]
    return pd.concat(frames)


def _lines(
    line: str, token_id: int, token: str, kind: str, prob: np.ndarray, logit: np.ndarray, rank: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "line": line,
            "token_id": token_id,
            "token": token,
            "kind": kind,
            "layer": np.arange(1, len(prob) + 1),
            "prob": prob.astype(float),
            "logit": logit.astype(float),
            "rank": rank.astype(float),
        }
    )


def commit_layer(side: Side) -> int | None:
    """The first layer from which on the likeliest token stays the last layer's; None where the step was not read."""
    table = side.turn.trace.lens.get(side.step)
    if table is None:
        return None
    best = table.top_token_ids[:, 0]
    return settled_layer(best == best[-1])


def quality(side: Side) -> pd.DataFrame:
    """How far each layer's read-out is from the model's own prediction: layer, kl_nats, entropy_nats.

    Where KL(final || layer) is large, the lens says little about what the model will write. Empty if it is not known.
    """
    table = side.turn.trace.lens.get(side.step)
    if table is None or table.kl is None or table.entropy is None:
        return pd.DataFrame(columns=["layer", "kl_nats", "entropy_nats"])
    layers = np.arange(1, len(table.kl) + 1)
    return pd.DataFrame(
        {"layer": layers, "kl_nats": table.kl.astype(float), "entropy_nats": table.entropy.astype(float)}
    )


def curve_differences(before: Side, after: Side, words: Sequence[str], again: Side | None = None) -> pd.DataFrame:
    """What each followed word has more after, layer by layer; and with `again`, when merely asked again.

    Columns: turn (`difference`, or `again`), line, layer, prob, logit, rank, each minus before. A word is left out
    where a side has not read it.
    """
    columns = ["turn", "line", "layer", "prob", "logit", "rank"]
    later = [("difference", after), *([] if again is None else [("again", again)])]
    lines = _read_alike(before, after, words)
    frames = [
        _gained(before, side, word).assign(turn=name, line=line) for name, side in later for line, word in lines.items()
    ]
    known = [frame for frame in frames if len(frame)]
    return pd.concat(known, ignore_index=True)[columns] if known else pd.DataFrame(columns=columns)


def _read_alike(before: Side, after: Side, words: Sequence[str]) -> dict[str, str]:
    """By what a line is called one of its words: several where both sides begin them with the same token."""
    by_tokens: dict[tuple[int, int], list[str]] = {}
    for word in words:
        one, other = before.watched(word), after.watched(word)
        if one is not None and other is not None:
            by_tokens.setdefault((one.token_id, other.token_id), []).append(word)
    return {" / ".join(several): several[0] for several in by_tokens.values()}


def _gained(before: Side, after: Side, word: str) -> pd.DataFrame:
    one, other = before.watched(word), after.watched(word)
    if one is None or other is None or len(one.prob) != len(other.prob):
        return pd.DataFrame()
    values = {name: getattr(other, name) - getattr(one, name).astype(float) for name in ("prob", "logit", "rank")}
    return pd.DataFrame({"layer": np.arange(1, len(one.prob) + 1), **values})
