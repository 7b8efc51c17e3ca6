"""Tokens of two models that mean the same: a token id is another token in each, so texts are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

_COMPARED_AS: tuple[Callable[[str], str], ...] = (str, str.strip)
"""How two tokens' texts are compared: as they are first, then without white space around them."""


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
    for compared_as in _COMPARED_AS:
        for row, token in enumerate(tokens):
            taken = set(shared.values())
            same = [each for each in ids if each not in taken and compared_as(texts[each]) == compared_as(token)]
            if row not in shared and same and compared_as(token):  # white space alone, once stripped, is no text
                shared[row] = same[0]
    return {name: first, other_name: second.assign(token_id=[shared.get(row, -2 - row) for row in range(len(tokens))])}
