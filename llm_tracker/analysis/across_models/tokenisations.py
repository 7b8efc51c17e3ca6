"""How each model cuts what was said, and the words that are followed, into tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from llm_tracker.analysis.across_models.runs import NamedRun
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.tracing.session import Turn

Tokens = tuple[str, ...]

Kind = Literal["question", "correction", "word"]


@dataclass(frozen=True)
class Cut:
    """One text, and the ways in which models cut it: at which places.

    Whether a space stands in front of all of it depends on what the template writes there, and is no other way.
    """

    kind: Kind
    text: str
    ways: tuple[tuple[Tokens, tuple[str, ...]], ...]
    """Each way, as the first model has it, with the letters of the models that cut so."""

    @property
    def is_alike(self) -> bool:
        """Whether all models cut it in one way."""
        return len(self.ways) < 2


def cuts(runs: Sequence[NamedRun], words: Sequence[str]) -> list[Cut]:
    """What was said in all turns, then the words where the answer begins, each with every model's way to cut it.

    A text of which some model's tokens are not known, such as a word that it did not follow, is left out.
    """
    if not runs:
        return []
    turns = range(min(len(each.run.session.turns) for each in runs))
    texts = [runs[0].run.session.turns[at].said for at in turns]
    said = [[said_tokens(each.run.session.turns[at]) for each in runs] for at in turns]
    of_words = [[each.run.word_tokens.get(word, ()) for each in runs] for word in words]
    return [
        *(_cut("correction" if at else "question", texts[at], said[at], runs) for at in turns if all(said[at])),
        *(_cut("word", word, own, runs) for word, own in zip(words, of_words, strict=True) if all(own)),
    ]


def _cut(kind: Kind, text: str, several: Sequence[Tokens], runs: Sequence[NamedRun]) -> Cut:
    letters: dict[Tokens, list[str]] = {}
    as_cut: dict[Tokens, Tokens] = {}
    for each, tokens in zip(runs, several, strict=True):
        places = (tokens[0].lstrip(" ") or tokens[0], *tokens[1:])
        letters.setdefault(places, []).append(each.letter)
        as_cut.setdefault(places, tokens)
    return Cut(kind, text, tuple((tokens, tuple(letters[places])) for places, tokens in as_cut.items()))


def said_tokens(turn: Turn) -> Tokens:
    """The tokens of what was said last in front of a turn's answer: the last unbroken run of the reader's."""
    roles = turn.prompt.roles
    end = max((at + 1 for at, role in enumerate(roles) if role == "user"), default=0)
    n_tokens = sum(1 for _ in takewhile(lambda role: role == "user", reversed(roles[:end])))
    return tuple(_text(turn.prompt, at) for at in range(end - n_tokens, end))


def _text(prompt: Prompt, at: int) -> str:
    """A token as the slice of the text that it stands for; part of a character as its bytes, ⟨F0 9F⟩."""
    start, end = prompt.spans[at]
    text = prompt.text[start:end]
    if not prompt.token_bytes:
        return text
    try:
        prompt.token_bytes[at].decode()
    except UnicodeDecodeError:
        return f"⟨{prompt.token_bytes[at].hex(' ').upper()}⟩"
    return text
