"""What every layer would write after every token: a map of layer by position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from llm_tracker.analysis.lens.position_lens import Cell
from llm_tracker.charts.base import framed, tooltip_of
from llm_tracker.charts.heat import Colours, cells, label_room, outline, shortened, upright_labels
from llm_tracker.charts.palette import QUIET
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import shown

ROW_PIXELS = 11
HEAD_PIXELS = 70
"""Room above the map for what the colours mean, and for the marks where a thought or the answer begins."""


def positions_chart(
    frame: pd.DataFrame, colours: Colours, marks: Mapping[int, str] | None = None, chosen: Cell | None = None
) -> Any:
    """A cell a layer and position, coloured by the column `value`; a click picks its layer and position.

    `frame` is a stretch of `lens.position_maps.map_frame`. `marks` name what begins at a position (“answer”); the
    `chosen` cell is outlined. The tokens are marks of their own: in an axis they would stand in an expression, which
    Vega reads as code.
    """
    drawn = frame.assign(**{name: frame[name].map(shown) for name in ("token", "best") if name in frame})
    read = drawn.drop_duplicates("position")[["position", "token"]]
    x = alt.X("position:O", title=None, axis=None)
    y = alt.Y("layer:O", title=say("layer"), sort="descending", axis=alt.Axis(labelOverlap=True))
    labels = read.assign(token=read["token"].map(shortened))
    layers = [
        cells(drawn, x, y, colours, _tooltip(drawn, colours), ("layer", "position")),
        upright_labels(labels, x, "token"),
        *_marks(read, marks or {}),
    ]
    if chosen is not None and chosen[1] in set(read["position"]):
        layers.append(outline(pd.DataFrame([{"layer": chosen[0], "position": chosen[1]}]), x, y))
    height = ROW_PIXELS * frame["layer"].nunique() + HEAD_PIXELS + label_room(labels["token"])
    padding = {"left": 0, "top": 0, "right": 5, "bottom": 5}
    return framed(alt.layer(*layers), height, padding=padding)


def _tooltip(frame: pd.DataFrame, colours: Colours) -> list[alt.Tooltip]:
    told = [alt.Tooltip("token:N", title=say("behind")), tooltip_of("layer:O", say("layer"))]
    told.append(alt.Tooltip("value:Q", title=colours.meaning, format=colours.number))
    if "best" in frame:
        told += [
            alt.Tooltip("best:N", title=say("would write")),
            alt.Tooltip("best_prob:Q", title=say("with"), format=".2%"),
            alt.Tooltip("next_prob:Q", title=say("what does come next"), format=".2%"),
            alt.Tooltip("entropy_nats:Q", title=say("entropy, nats"), format=".2f"),
            alt.Tooltip("kl_nats:Q", title=say("KL to the last layer, nats"), format=".2f"),
        ]
    return told


def _marks(read: pd.DataFrame, marks: Mapping[int, str]) -> list[Any]:
    """A line in front of each position where something begins, with its name above."""
    rows = [
        {"position": position, "begins": name} for position, name in marks.items() if position in set(read["position"])
    ]
    if not rows:
        return []
    base = alt.Chart(pd.DataFrame(rows)).encode(x=alt.X("position:O", axis=None, bandPosition=0))
    rule = base.mark_rule(color=QUIET, strokeDash=[4, 3], strokeWidth=1.5).encode(
        y=alt.value(-4), y2=alt.value("height")
    )
    name = base.mark_text(align="left", dx=3, dy=-6, fontSize=11, color=QUIET).encode(
        y=alt.value(0), text=alt.Text("begins:N")
    )
    return [rule, name]
