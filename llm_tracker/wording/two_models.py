"""Two models' answers side by side: what each says, in sentences, and tokens that mean the same in both.

Nothing is corrected between two models, and a token id means another token in each: texts are what can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from llm_tracker.analysis.compare import Side, WordChange, same_answer
from llm_tracker.wording.formats import capitalised, percent
from llm_tracker.wording.reading import TOO_SMALL, attention_clause, named_answer, watched_name

Look = tuple[int, int | None]
"""A layer and a head of it (both from 1), or None for the mean over its heads."""


def models_verdict(sides: Sequence[Side]) -> str:
    """What each model says, with the probability of the token that is looked at, and whether they agree."""
    one, other = sides[0], sides[1]
    said = ", ".join(_says(side) for side in (one, other))
    same = same_answer(one.turn, other.turn)
    if same is None:
        return f"{said}. One was cut short: whether they agree cannot be said."
    return f"{said}. They give {'the same answer' if same else 'different answers'}."


def _says(side: Side) -> str:
    likely = percent(float(side.turn.trace.token_probs[side.step]))
    return f"{side.model} says{named_answer(side.turn) or ' nothing'} ({likely})"


def shares_of(change: WordChange) -> tuple[str, str]:
    """A watch word, and its probability in each model; ranks tell apart what is too small."""
    shares = f"{percent(change.before)} and {percent(change.after)}"
    if max(change.before, change.after) < TOO_SMALL:
        shares += f", rank {change.ranks[0]:,} and {change.ranks[1]:,}"
    return watched_name(change.word, change.tokens).rstrip(","), shares


def models_attention_sentence(sides: Sequence[Side], looks: Mapping[str, Look]) -> str:
    """The attention of each model in its own layer, and where its own head was chosen, in that."""
    told = []
    for side in sides:
        layer, head = looks[side.name]
        place = f"layer {layer} of {side.turn.trace.n_layers}{f', head {head}' if head else ''}"
        told.append(f"{side.when}, {place}, {attention_clause(side, layer, head, first=True)}")
    return f"{capitalised('; '.join(told))}."


_READINGS: tuple[Callable[[str], str], ...] = (str, str.strip)
"""How two tokens are compared: as they are first, then without white space around them."""


def with_shared_ids(frames: Mapping[str, pd.DataFrame], words: Mapping[int, int]) -> dict[str, pd.DataFrame]:
    """Two models' frames of `candidates`, with token ids that mean the same in both.

    The first frame stays as it is. In the second a token has the id of the one in the first that begins the same watch
    word (`words`: second's id -> first's), that has the same text, or that differs from it only by white space around
    it; else a number below -1 that no other has. Each id is given once.
    """
    (name, first), (other_name, second) = frames.items()
    ids = first["token_id"].tolist()
    texts = dict(zip(ids, first["token"].tolist(), strict=True))
    own_ids, tokens = second["token_id"].tolist(), second["token"].tolist()
    shared: dict[int, int] = {}
    for row, own in enumerate(own_ids):
        if words.get(own) in texts and words[own] not in shared.values():
            shared[row] = words[own]
    for as_read in _READINGS:
        for row, token in enumerate(tokens):
            taken = set(shared.values())
            same = [each for each in ids if each not in taken and as_read(texts[each]) == as_read(token)]
            if row not in shared and same and as_read(token):
                shared[row] = same[0]
    return {name: first, other_name: second.assign(token_id=[shared.get(row, -2 - row) for row in range(len(tokens))])}
