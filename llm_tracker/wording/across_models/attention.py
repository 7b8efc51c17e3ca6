"""Where several models looked: how much each parks, and which of the reader's words each looked at most."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.attention import PARKED
from llm_tracker.prompts.words import is_mark
from llm_tracker.wording.formats import capitalised, listed, percent, quoted

LEAST = 0.0005
"""A share that is written as less than 0.1 %: of words with no more none is said to have got most."""


def parked_sentence(groups: pd.DataFrame) -> str:
    """How much each model parks: `analysis.across_models.shared_words.groups_by_model`; "" of no model."""
    letters = list(dict.fromkeys(groups["model"]))
    parked = groups[groups["group"] == PARKED].set_index("model")["share"]
    shares = [percent(float(parked.get(letter, 0.0))) for letter in letters]
    if not letters:
        return ""
    if len(letters) == 1:
        return f"{shares[0]} is parked on the start and the template."
    told = listed([f"{share} in {letter}" for letter, share in zip(letters, shares, strict=True)])
    return f"Parked on the start and the template: {told}."


def words_sentence(frame: pd.DataFrame) -> str:
    """Which of the reader's words got most in each model: `analysis.across_models.shared_words.words_by_model`."""
    letters = list(dict.fromkeys(frame["model"]))
    most = {letter: _most(frame[frame["model"] == letter]) for letter in letters}
    by_word: dict[str, list[str]] = {}
    for letter, (word, share) in most.items():
        where = f" in {letter}" if len(letters) > 1 else ""
        by_word.setdefault(word, []).append(f"{percent(share)}{where}" if word else letter)
    told = [f"{word} got most ({', '.join(where)})" for word, where in by_word.items() if word]
    unseen = by_word.get("", [])
    if unseen:
        told.append(f"none got as much as 0.1 %{f' in {listed(unseen)}' if len(letters) > 1 else ''}")
    return f"Of your words, {'; '.join(told)}." if told else ""


def _most(own: pd.DataFrame) -> tuple[str, float]:
    """The reader's word that got most, and its share; "" where none got a share that can be told from nothing."""
    users = own[own["role"] == "user"]
    shares = [
        (float(share), str(word))
        for word, share in zip(users["word"], users["share"], strict=True)
        if not is_mark(str(word))
    ]
    share, word = max(shares, key=lambda each: each[0], default=(0.0, ""))
    return (quoted(word), share) if share >= LEAST else ("", 0.0)


def no_attention(letters: list[str]) -> str:
    """That models have no attention to be shown; "" of none."""
    if not letters:
        return ""
    return f"{capitalised(listed(letters))} {'has' if len(letters) == 1 else 'have'} no attention in any layer."
