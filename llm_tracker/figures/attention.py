"""Where the position that wrote a token looked: by group and by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from llm_tracker.analysis.attention import attention_by_word, attention_differences, attention_groups
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import Head
from llm_tracker.charts.attention import attention_chart, attention_differences_chart
from llm_tracker.figures.candidates import with_turns
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.wording.attention import attention_differences_sentence, attention_sentence
from llm_tracker.wording.two_models import models_attention_sentence


def attention_shares(sides: Sequence[Side], heads: Mapping[str, Head]) -> dict[str, pd.DataFrame]:
    """The shares by word of each side that has attention in the layer that is looked at (by side: `heads`)."""
    return {
        side.name: attention_by_word(side.turn, side.step, *heads[side.name])
        for side in sides
        if side.turn.trace.heads[heads[side.name][0] - 1]
    }


def attention_figure(sides: Sequence[Side], heads: Mapping[str, Head], difference: bool = False) -> Figure:
    """Where all of the attention of each side went; with `difference` what each word has more after.

    `heads` are the layer and the head of each side, by its name.
    """
    seen = [side for side in sides if side.turn.trace.heads[heads[side.name][0] - 1] and _is_kept(side, heads)]
    if difference:
        before, after = (side for side in seen if side.name != "again")
        again = next((side for side in seen if side.name == "again"), None)
        frame = attention_differences(before, after, heads[before.name], heads[after.name], again)
        chart, said = attention_differences_chart(frame), attention_differences_sentence(frame)
        title = _placed(say("Attention by word, after minus before"), heads)
        return Figure("attention", title, chart, frame.assign(turn="difference"), said)
    shares = attention_shares(seen, heads)
    chart = attention_chart({name: attention_groups(frame) for name, frame in shares.items()})
    title = _placed(say("Where all of the attention went"), heads)
    return Figure("attention", title, chart, with_turns(shares), _sentence(seen, heads))


def _placed(title: str, heads: Mapping[str, Head]) -> str:
    """A title with the layer and the head, where all sides have the same: a picture that is taken along needs them."""
    (layer, head), *others = set(heads.values())
    if others:
        return title
    if head is None:
        return say("{title} (layer {layer}, mean of its heads)", title=title, layer=layer)
    return say("{title} (layer {layer}, head {head})", title=title, layer=layer, head=head)


def _is_kept(side: Side, heads: Mapping[str, Head]) -> bool:
    """Whether a side can be drawn: a control whose single heads were not kept at its step is left out."""
    return side.name != "again" or heads[side.name][1] is None or side.step < len(side.turn.trace.attention)


def _sentence(sides: Sequence[Side], heads: Mapping[str, Head]) -> str:
    if any(side.model for side in sides):
        return models_attention_sentence(sides, heads)
    return attention_sentence(sides, *heads[sides[0].name])
