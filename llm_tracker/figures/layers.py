"""One word through the layers of all sides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.curves import CurveMeasure
from llm_tracker.analysis.layers import LayerMeasure, by_layer, layer_frame
from llm_tracker.charts.curves import curve_differences_chart
from llm_tracker.charts.layers import layers_chart
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.spoken import ENGLISH, in_language
from llm_tracker.languages.texts import say
from llm_tracker.wording.curves import curve_differences_sentence
from llm_tracker.wording.formats import quoted, quoted_token
from llm_tracker.wording.layers import layers_sentence


def layers_figure(
    sides: Sequence[Side],
    measure: LayerMeasure,
    word: str | None = None,
    over: str | None = None,
    difference: bool = False,
) -> Figure:
    """The lead of a followed word over another, its probability, or its rank, through the layers of all sides.

    Without a word it is the token that each side wrote itself. With `difference` what it has more after, and what it
    has more when merely asked again.
    """
    if difference:
        return _difference(sides, measure, word, over)
    frame = layer_frame(sides, measure, word, over)
    pair = (word, over or "") if measure == "lead" else (word, "")
    read = [side for side in sides if by_layer(side, measure, word, over) is not None]
    names = [_axis_name(read, pair[0], pair[1]), _axis_name(read, pair[1], pair[0])]
    chart, said = layers_chart(frame, measure, *names), layers_sentence(sides, measure, word, over)
    return Figure("layers", say("Layer by layer"), chart, frame, said)


def _difference(sides: Sequence[Side], measure: LayerMeasure, word: str | None, over: str | None) -> Figure:
    wide = layer_frame(sides, measure, word, over).pivot(index="layer", columns="turn", values="value")
    values = wide.reindex(columns=["before", "after", "again"]).astype(float)
    name = _difference_name(measure, word, over)
    with in_language(ENGLISH):  # values of a table that is handed on
        line = _difference_name(measure, word, over)
    minus = values.sub(values["before"], axis=0).rename(columns={"after": "difference"})
    frame = minus[["difference", "again"]].melt(var_name="turn", ignore_index=False).dropna().reset_index()
    curve: CurveMeasure = "logit" if measure == "lead" else measure
    drawn = frame.assign(line=name).rename(columns={"value": curve})
    chart = curve_differences_chart(drawn, curve, say("lead (logits)") if measure == "lead" else "")
    if frame.empty:
        said = layers_sentence(sides, measure, word, over)
    else:
        said = curve_differences_sentence(drawn, curve, _lead_name(sides, word, over) if measure == "lead" else "")
    return Figure("layers", say("Layer by layer, after minus before"), chart, frame.assign(line=line), said)


def _lead_name(sides: Sequence[Side], word: str | None, over: str | None) -> str:
    """What a lead is called, and behind what it is read where both words begin with that."""
    partings = [side.parting(word or "", over or "") for side in sides]
    behind = {quoted_token(each.shared) for each in partings if each is not None}
    first, second = quoted(word or ""), quoted(over or "")
    if not behind:
        return say("the lead of {word} over {over}", word=first, over=second)
    where = reduce(lambda one, other: say("{one} or {other}", one=one, other=other), sorted(behind))
    return say("the lead of {word} over {over}, behind {piece},", word=first, over=second, piece=where)


def _difference_name(measure: LayerMeasure, word: str | None, over: str | None) -> str:
    """What the line is called."""
    if word is None:
        return say("its own token")
    return say("{word} over {over}", word=word, over=over) if measure == "lead" else word


def _axis_name(sides: Sequence[Side], word: str | None, other: str | None = None) -> str:
    """What an axis calls a word: the token of it that is read, and a sign that it is a piece, where it has several."""
    if not word:
        return say("its own token") if word is None else ""
    if other and sides and all(side.parting(word, other) for side in sides):
        return _later_piece(sides, word, other)
    tokens = {side.first_token(word) for side in sides} or {word}
    token = tokens.pop()
    # Sides that begin the word differently have no first token in common: the axis names the word itself.
    return word if tokens or token == word else f"{token}…"


def _later_piece(sides: Sequence[Side], word: str, other: str) -> str:
    """The token in which a word differs from another that begins like it; the word where sides cut it unlike."""
    read = [both for side in sides if (both := side.read_for_lead(word, other)) is not None]
    tokens = {lens.token.strip() for lens, _ in read}
    return f"…{tokens.pop()}" if len(tokens) == 1 else word
