"""Attention on the reader's words, model by model: the words are the same in each, however it cuts them into tokens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from llm_tracker.analysis.across_models.runs import NamedRun
from llm_tracker.analysis.attention import attention_by_word, attention_groups
from llm_tracker.analysis.compare import SideName
from llm_tracker.languages.texts import later

OTHERS = {
    "system": later("system line"),
    "assistant": later("its answer"),
    "thought": later("its thought"),
    "answer": later("this answer so far"),
}
"""What is not the reader's: each model has words of its own there, which are one row together."""

WORD_COLUMNS = ("place", "word", "role", "model", "name", "share")
GROUP_COLUMNS = ("model", "name", "group", "share")


def groups_by_model(runs: Sequence[NamedRun], turn: SideName) -> pd.DataFrame:
    """How each model shares out all of its attention at an answer's first token: 1 in sum for each.

    Of the last layer that has attention, mean over heads. Columns: model (its letter), name, group
    (`analysis.attention.GROUPS`), share. A model without attention has no rows.
    """
    rows = [
        (each.letter, each.name, str(group), float(share))
        for each, frame in _shares(runs, turn)
        for group, share in attention_groups(frame).items()
    ]
    return pd.DataFrame(rows, columns=list(GROUP_COLUMNS))


def words_by_model(runs: Sequence[NamedRun], turn: SideName) -> pd.DataFrame:
    """The share of each of the reader's words in each model, in reading order: of the same place as `groups_by_model`.

    Where a model has one token for two words, they are one row for all. What is parked, and the worked examples, are
    no words of this conversation. Columns: place (from 0; the same for all models), word, role, model (its letter),
    name, share. A stretch of what is not the reader's, such as an earlier answer, is one row.
    """
    read = [(each, _read(frame)) for each, frame in _shares(runs, turn)]
    words = _common_words([own for _, own in read])
    others = sorted({at for _, own in read for at in own.others}, key=lambda at: (at[0], list(OTHERS).index(at[1])))
    ends = list(words)
    keys: list[tuple[int, str]] = sorted([*((end, "") for end in ends), *others], key=lambda at: (at[0], at[1] != ""))
    rows: list[tuple[int, str, str, str, str, float]] = []
    for place, (end, role) in enumerate(keys):
        for each, own in read:
            if role and (end, role) in own.others:
                rows.append((place, OTHERS[role], role, each.letter, each.name, own.others[end, role]))
            elif not role:
                start = max((other for other in ends if other < end), default=0)
                rows.append((place, words[end], "user", each.letter, each.name, own.share_of(start, end)))
    return pd.DataFrame(rows, columns=list(WORD_COLUMNS))


def _shares(runs: Sequence[NamedRun], turn: SideName) -> list[tuple[NamedRun, pd.DataFrame]]:
    """The shares by word of each model that has attention, and this answer."""
    sides = [(each, each.side(turn)) for each in runs]
    return [
        (each, attention_by_word(side.turn, side.step))
        for each, side in sides
        if side is not None and side.turn.trace.attending_layers
    ]


@dataclass
class _Read:
    """One model's shares, by how much of the reader's text stands in front: characters, white space left out."""

    text: str = ""
    """All that the reader said, white space left out."""
    words: list[tuple[int, str, float]] = field(default_factory=list)
    """Where each of the reader's words ends, its text and its share."""
    others: dict[tuple[int, str], float] = field(default_factory=lambda: defaultdict(float))
    """What stands behind that much of it and is somebody else's, by role."""

    def share_of(self, start: int, end: int) -> float:
        """The share of the reader's words that end behind `start`, and not behind `end`."""
        return sum(share for at, _, share in self.words if start < at <= end)


def _read(frame: pd.DataFrame) -> _Read:
    """Rows of `attention_by_word`. A first token without a template in front is parked: its text counts, no share."""
    read = _Read()
    for row in frame.to_dict("records"):
        word, role, share = str(row["word"]), str(row["role"]), float(row["share"])
        if role == "user":
            read.text += "".join(word.split())
            read.words.append((len(read.text), word, share if row["group"] == role else 0.0))
        elif role in OTHERS and row["group"] == role:
            read.others[len(read.text), role] += share
    return read


def _common_words(several: Sequence[_Read]) -> dict[int, str]:
    """The words that no model has put into one token with another, by where they end, as the first model has them."""
    if not several:
        return {}
    first = several[0]
    common = {
        end
        for end in {at for at, _, _ in first.words if at}
        if all(own.text[:end] == first.text[:end] and any(at == end for at, _, _ in own.words) for own in several)
    }
    texts: dict[int, str] = defaultdict(str)
    for at, word, _ in first.words:
        end = min((each for each in common if each >= at), default=None)
        if end is not None:
            texts[end] += word
    return {end: texts[end].strip() for end in sorted(common)}
