"""Several tokens through all layers of one answer, with what the lens is worth at each layer."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.analysis.curves import CurveMeasure
from llm_tracker.charts.base import framed, tooltip_of
from llm_tracker.charts.layers import ValueAxis, layer_axis, moved_apart
from llm_tracker.charts.palette import AGAIN, LINE_COLOURS, QUIET
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import shown

HEIGHT = 320
LABEL_PIXELS = 128
RIBBON = 12
"""Pixels of the ribbon below the lines."""

NAMES: dict[CurveMeasure, str] = {"prob": later("probability"), "logit": later("logit"), "rank": later("rank")}

TITLES: dict[CurveMeasure, str] = {**NAMES, "rank": later("rank (1 = best)")}


def curves_chart(
    frame: pd.DataFrame,
    measure: CurveMeasure,
    quality: pd.DataFrame,
    commit: int | None = None,
    limits: tuple[float, float] | None = None,
) -> Any:
    """A line a token through the layers: `analysis.curves.curves_frame`, those with values of the measure.

    Followed words and the written token have colours and their names at the line's end; tokens that lead at a layer are
    grey, with their name where they are highest. The ribbon below is darker where KL(final || layer) is larger
    (`analysis.curves.quality`): there the lens says little. `commit` is the layer from which on the likeliest token
    stays. `limits` are the lowest and highest value of the axis, for charts that stand beside each other.
    """
    known = frame[frame[measure].notna()]
    drawn = known.assign(value=known[measure], name=known["line"].map(shown))
    n_layers = max(frame["layer"], default=1)
    low, high = limits or limits_of(drawn, measure)
    x = layer_axis("layer", n_layers)
    scale = alt.Scale(domain=[low, high], nice=False)
    if measure == "rank":
        scale = alt.Scale(type="log", domain=[1, max(2.0, high)], reverse=True, nice=False)
    axis = alt.Axis(format={"prob": "%", "logit": ".0f", "rank": ",d"}[measure], tickCount=5)
    y = alt.Y("value:Q", title=say(TITLES[measure]), scale=scale, axis=axis)
    named = list(dict.fromkeys(drawn["name"][drawn["kind"] != "leading"]))
    colours = [LINE_COLOURS[at % len(LINE_COLOURS)] for at in range(len(named))]
    layers = [
        *_ribbon(quality, n_layers),
        _leading(drawn, x, y),
        _named(drawn, x, y, named, colours),
        _peaks(drawn, measure, x, y),
        _ends(drawn, x, y, named, colours, (low, high), measure),
        *_commit(commit, x),
    ]
    padding = {"left": 0, "top": 26, "right": 4, "bottom": 0}
    return framed(alt.layer(*layers), HEIGHT, padding=padding)


def limits_of(frame: pd.DataFrame, measure: CurveMeasure) -> tuple[float, float]:
    """The lowest and highest value of an axis that shows all of a frame."""
    if measure == "prob":
        return 0.0, 1.0
    values = frame[measure].dropna()
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if measure == "rank":
        return 1.0, max(2.0, high)
    low, high = min(0.0, low), max(0.0, high) + 0.05 * (high - low)
    return low, high if high > low else low + 1.0


FORMATS: dict[CurveMeasure, str] = {"prob": ".4%", "logit": ".2f", "rank": ",d"}


def _tooltip(drawn: pd.DataFrame) -> list[alt.Tooltip]:
    told = [alt.Tooltip("name:N", title=say("token")), tooltip_of("layer:Q", say("layer"))]
    return told + [
        alt.Tooltip(f"{name}:Q", title=say(NAMES[name]), format=number)
        for name, number in FORMATS.items()
        if name in drawn
    ]


def _points(base: alt.Chart, drawn: pd.DataFrame) -> Any:
    return base.mark_point(size=60, filled=True, opacity=0).encode(tooltip=_tooltip(drawn))


def _leading(drawn: pd.DataFrame, x: alt.X, y: alt.Y) -> Any:
    base = alt.Chart(drawn[drawn["kind"] == "leading"]).encode(x=x, y=y, detail=alt.Detail("token_id:N"))
    return alt.layer(base.mark_line(color=QUIET, strokeWidth=1, opacity=0.75), _points(base, drawn))


def _named(drawn: pd.DataFrame, x: alt.X, y: alt.Y, named: list[str], colours: list[str]) -> Any:
    base = alt.Chart(drawn[drawn["kind"] != "leading"]).encode(x=x, y=y, detail=alt.Detail("token_id:N"))
    colour = alt.Color("name:N", legend=None, scale=alt.Scale(domain=named, range=colours))
    return alt.layer(base.mark_line(strokeWidth=2.6).encode(color=colour), _points(base, drawn))


def _peaks(drawn: pd.DataFrame, measure: CurveMeasure, x: alt.X, y: alt.Y) -> Any:
    """The name of each leading token where it is highest, two names never at one layer."""
    leading = drawn[drawn["kind"] == "leading"]
    ordered = leading.sort_values("value", ascending=measure == "rank")
    peaks = ordered.drop_duplicates("token_id").drop_duplicates("layer")
    text = alt.Chart(peaks).mark_text(dy=-7, fontSize=11, color=QUIET)
    return text.encode(x=x, y=y, text=alt.Text("name:N"))


def _ends(
    drawn: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    named: list[str],
    colours: list[str],
    limits: tuple[float, float],
    measure: CurveMeasure,
) -> Any:
    """The names at the ends of the lines that have a colour, moved apart."""
    last = drawn[(drawn["kind"] != "leading") & (drawn["layer"] == drawn["layer"].max())].drop_duplicates("name")
    values = dict(zip(last["name"], last["value"], strict=True))
    low, high = limits
    scale = ValueAxis(max(2.0, high), 1, logarithmic=True) if measure == "rank" else ValueAxis(low, high)
    apart = moved_apart([scale.place(values[name]) for name in named if name in values], 0.06)
    rows = pd.DataFrame(
        {
            "name": [name for name in named if name in values],
            "layer": int(drawn["layer"].max()) if len(drawn) else 1,
            "value": [scale.value(place) for place in apart],
        }
    )
    colour = alt.Color("name:N", legend=None, scale=alt.Scale(domain=named, range=colours))
    text = alt.Chart(rows).mark_text(align="left", dx=7, fontSize=12, fontWeight="bold", limit=LABEL_PIXELS - 8)
    return text.encode(x=x, y=y, text=alt.Text("name:N"), color=colour)


def _ribbon(quality: pd.DataFrame, n_layers: int) -> list[Any]:
    """Below the lines: the darker, the less the lens says at this layer."""
    if quality.empty:
        return []
    rows = quality.assign(
        start=(quality["layer"] - 0.5).clip(lower=1), end=(quality["layer"] + 0.5).clip(upper=max(2, n_layers))
    )
    opacity = alt.Opacity("kl_nats:Q", legend=None, scale=alt.Scale(domainMin=0, range=[0.03, 0.75]))
    tooltip = [
        tooltip_of("layer:Q", say("layer")),
        alt.Tooltip("kl_nats:Q", title=say("KL to the last layer, nats"), format=".2f"),
    ]
    ribbon = alt.Chart(rows).mark_rect(color=QUIET)
    place = {"x": layer_axis("start", n_layers), "x2": "end:Q"}
    height = {"y": alt.ExprRef("height"), "y2": alt.ExprRef(f"height - {RIBBON}")}
    return [
        ribbon.encode(**place, opacity=opacity, tooltip=tooltip, y=alt.value(height["y"]), y2=alt.value(height["y2"]))
    ]


def _commit(commit: int | None, x: alt.X) -> list[Any]:
    """A line at the layer from which on the likeliest token stays."""
    if commit is None:
        return []
    name = say("stays from layer {layer} on", layer=commit)
    base = alt.Chart(pd.DataFrame([{"layer": commit, "name": name}])).encode(x=x)
    rule = base.mark_rule(strokeDash=[4, 3], color=QUIET)
    return [
        rule,
        base.mark_text(align="right", dx=-4, dy=-17, fontSize=11, color=QUIET).encode(
            y=alt.value(0), text=alt.Text("name:N")
        ),
    ]


def curve_differences_chart(frame: pd.DataFrame, measure: CurveMeasure, what: str = "") -> Any:
    """A line a word through the layers, above zero where it has more after: `analysis.curves.curve_differences`.

    What it has more when merely asked again is dashed. `what` names the values on the axis, the measure unless given.
    """
    whole = frame.assign(value=frame[measure], name=frame["line"].map(shown), kind="word", token_id=frame["line"])
    n_layers = int(frame["layer"].max()) if len(frame) else 1
    most = float(whole["value"].abs().max()) if len(whole) else 1.0
    most = most or 1.0
    drawn, again = whole[whole["turn"] != "again"], whole[whole["turn"] == "again"]
    x = layer_axis("layer", n_layers)
    axis = alt.Axis(format={"prob": "+%", "logit": "+.1f", "rank": "+,d"}[measure], tickCount=5)
    title = say("{what}, after minus before", what=what or say(TITLES[measure]))
    scale = alt.Scale(domain=[-most, most], nice=False, reverse=measure == "rank")  # a lower rank is better, and up
    y = alt.Y("value:Q", title=title, scale=scale, axis=axis)
    named = list(dict.fromkeys(drawn["name"]))
    colours = [LINE_COLOURS[at % len(LINE_COLOURS)] for at in range(len(named))]
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=QUIET).encode(y=alt.Y("zero:Q"))
    layers = [zero, _named(drawn, x, y, named, colours), _ends(drawn, x, y, named, colours, (-most, most), "logit")]
    layers += [] if again.empty else _asked_again(again, x, y, named, colours)
    padding = {"left": 0, "top": 14, "right": 4, "bottom": 0}
    return framed(alt.layer(*layers), HEIGHT, padding=padding)


def _asked_again(again: pd.DataFrame, x: alt.X, y: alt.Y, named: list[str], colours: list[str]) -> list[Any]:
    """The same words when merely asked again, dashed, and what the dashes are."""
    base = alt.Chart(again).encode(x=x, y=y, detail=alt.Detail("token_id:N"))
    colour = alt.Color("name:N", legend=None, scale=alt.Scale(domain=named, range=colours))
    legend = alt.Chart(pd.DataFrame({"name": [f"- - {say('asked again, minus before')}"]}))
    text = legend.mark_text(align="right", baseline="bottom", fontSize=11, color=AGAIN, dy=-3)
    return [
        base.mark_line(strokeWidth=1.4, strokeDash=[5, 3]).encode(color=colour),
        _points(base, again),
        text.encode(x=alt.value(alt.ExprRef("width")), y=alt.value(0), text=alt.Text("name:N")),
    ]
