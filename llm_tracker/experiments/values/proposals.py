"""Two words to begin with, taken from a conversation: its reader knows which of them is right."""

from __future__ import annotations

from llm_tracker.prompts.words import fold, is_mark, words_of
from llm_tracker.tracing.answers import FUNCTION_WORDS, LONGEST_NAME, word_named_in
from llm_tracker.tracing.session import Session, Turn


def proposed_words(session: Session, turn: int, before: int | None = None) -> tuple[str, str]:
    """A right word and a foil for the correction of a turn: what the model had answered, and what it was told.

    What it had answered is that of the turn before, or of an earlier one.
    Where the correction names no word, the foil is what the model answered then. It is spelled as the model writes:
    “green” after “Blue” is another token than the “Green” that competes with it. "" stands for what cannot be told.
    """
    own, after = (_word_of(session, session.turns[at]) for at in (turn - 1 if before is None else before, turn))
    named = word_named_in(session, session.turns[turn].said) or ""
    foil = next((word for word in (named, after) if word and fold(word) != fold(own)), "")
    if fold(foil) == fold(after):
        return own, after
    is_capital = own[:1].isupper() and foil.islower()
    return own, foil[:1].upper() + foil[1:] if is_capital else foil


def _word_of(session: Session, turn: Turn) -> str:
    """The word that an answer gives: a watch word that stands in it; else all of it, where it is short."""
    said = [fold(word) for word in words_of(turn.answer)]
    for word in session.watch_words:
        wanted = [fold(each) for each in words_of(word)]
        if any(said[at : at + len(wanted)] == wanted for at in range(len(said))):
            return word
    content = [word for word in words_of(turn.answer) if not is_mark(word) and fold(word) not in FUNCTION_WORDS]
    return " ".join(content) if len(content) <= LONGEST_NAME else ""
