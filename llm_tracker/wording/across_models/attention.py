"""Where several models looked: how much each parks, and which of the reader's words each looked at most."""

from __future__ import annotations

import pandas as pd

from llm_tracker.analysis.attention import PARKED
from llm_tracker.languages.texts import say, say_n
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
        return say("{share} is parked on the start and the template.", share=shares[0])
    told = listed([_share_in(share, letter) for letter, share in zip(letters, shares, strict=True)])
    return say("Parked on the start and the template: {shares}.", shares=told)


def _share_in(share: str, letter: str) -> str:
    return say("{share} in {model}", share=share, model=letter)


def words_sentence(frame: pd.DataFrame) -> str:
    """Which of the reader's words got most in each model: `analysis.across_models.shared_words.words_by_model`."""
    letters = list(dict.fromkeys(frame["model"]))
    most = {letter: _most(frame[frame["model"] == letter]) for letter in letters}
    by_word: dict[str, list[str]] = {}
    for letter, (word, share) in most.items():
        where = percent(share) if len(letters) == 1 else _share_in(percent(share), letter)
        by_word.setdefault(word, []).append(where if word else letter)
    told = [
        say("{word} got most ({shares})", word=word, shares=", ".join(own)) for word, own in by_word.items() if word
    ]
    if unseen := by_word.get("", []):
        told.append(_none_got_much(unseen if len(letters) > 1 else []))
    return say("Of your words, {clauses}.", clauses="; ".join(told)) if told else ""


def _none_got_much(letters: list[str]) -> str:
    """That no word got a share worth a name: in some of the models, or in the one there is."""
    least = percent(2 * LEAST)
    if not letters:
        return say("none got as much as {least}", least=least)
    return say("none got as much as {least} in {models}", least=least, models=listed(letters))


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
    told = say_n(
        "{models} has no attention in any layer.",
        "{models} have no attention in any layer.",
        len(letters),
        models=listed(letters),
    )
    return capitalised(told)
