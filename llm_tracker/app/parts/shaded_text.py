"""A conversation as running text, each word shaded by the attention that it got."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from html import escape
from itertools import groupby

import pandas as pd

from llm_tracker.analysis.attention import PARKED, in_conversation
from llm_tracker.charts.palette import AGAIN, TURN_COLOURS
from llm_tracker.languages.texts import say
from llm_tracker.wording.formats import capitalised, percent, visible
from llm_tracker.wording.labels import GROUP_LABELS, SPEAKERS

SHADE = 0.62
"""How opaque the word is that was looked at most; the text on it stays readable."""

WordRow = Mapping[Hashable, object]
"""A row of `attention_by_word`."""

ControlShares = Mapping[tuple[int, int, str], float]
"""The control's share of a word, by its place and text."""


def shaded_texts(shares: Mapping[str, pd.DataFrame], labels: Mapping[str, str]) -> dict[str, str]:
    """The HTML of each side's text under its label, shaded on one scale. Frames: `attention_by_word`.

    The words after carry a line below for the share that the control gave the same word.
    """
    own = [frame["share"][in_conversation(frame)] for frame in shares.values()]
    largest = max((float(each.max()) for each in own if len(each)), default=0.0) or 1.0
    again = _shares_at(shares["again"]) if "again" in shares else {}
    return {
        name: _shaded_text(name, labels[name], frame, largest, again if name == "after" else {})
        for name, frame in shares.items()
    }


def _shares_at(frame: pd.DataFrame) -> ControlShares:
    """The share of each word by its place and text: the control's text is the same up to the correction."""
    rows = zip(frame["start"], frame["end"], frame["word"], frame["share"], strict=True)
    return {(int(start), int(end), str(word)): float(share) for start, end, word, share in rows}


def _shaded_text(name: str, called: str, frame: pd.DataFrame, largest: float, again: ControlShares) -> str:
    """One side's text: a line a speaker; the worked examples and thoughts folded, each with its share."""
    rows = [row for row in frame.to_dict("records") if row["role"] != "sink"]

    def shaded(words: Iterable[WordRow]) -> str:
        return "".join(_shaded_word(word, TURN_COLOURS[name], largest, again) for word in words)

    def folded(words: Sequence[WordRow], role: str) -> str:
        share = percent(sum(float(str(row["share"])) for row in words if row["group"] == role))
        return f"<details><summary>{escape(say(GROUP_LABELS[role]))}: {share}</summary>{shaded(words)}</details>"

    def line(role: str, words: Sequence[WordRow]) -> str:
        if role == "thought":
            return folded(words, role)
        return f'<span class="who">{escape(say(SPEAKERS[role]))}</span>{shaded(words)}'

    examples = [row for row in rows if row["role"] == "recipe"]
    # Template marks stand between two messages, also where both are of one speaker.
    lines = "".join(
        line(role, list(words))
        for role, words in groupby(rows, key=lambda row: str(row["role"]))
        if role not in ("recipe", "template")
    )
    above = folded(examples, "recipe") if examples else ""
    title = f'<b class="lt-{name}">{escape(capitalised(called))}</b>'
    label = escape(say("Attention by word, {side}", side=called))
    text = (
        f'<div class="lt-words {name}" tabindex="0" role="group" aria-label="{label}"><div>{above}{lines}</div></div>'
    )
    return f"{title}{text}"


def _shaded_word(row: WordRow, colour: str, largest: float, again: ControlShares) -> str:
    if row["group"] == PARKED:  # the first token of all, where no template stands in front
        title = escape(say("parked"))
        return f'<span class="lt-quiet" title="{title}">{escape(visible(str(row["word"])))}</span>'
    share = float(str(row["share"]))
    opacity = SHADE * min(1.0, share / largest)
    style = f"background:{_faded(colour, opacity)}"
    title = percent(share)
    other = again.get((int(str(row["start"])), int(str(row["end"])), str(row["word"])))
    if other is not None:
        style += f";box-shadow:0 3px 0 {_faded(AGAIN, min(1.0, other / largest))}"
        title = say("{share}, asked again {again}", share=title, again=percent(other))
    text = escape(visible(str(row["word"])))
    space = len(text) - len(text.lstrip(" "))
    return f'{text[:space]}<span class="word" style="{style}" title="{escape(title)}">{text[space:]}</span>'


def _faded(colour: str, opacity: float) -> str:
    return f"{colour}{round(255 * opacity):02x}"
