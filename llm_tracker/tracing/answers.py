"""Where in an answer the answer is, and which words are worth watching.

Three questions, each decided here for all who ask: which step carries an answer (`answer_step_of`), which word that
step begins (`answer_word_of`), and which word a correction names (`word_named_in`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from llm_tracker.prompts.words import Span, fold, is_mark, token_words, word_spans, words_of
from llm_tracker.tracing.session import Session, Turn

FUNCTION_WORDS = frozenset(
    "a an the this that these those it its it's i i'm i'd i've you your you're he she we they them his her our "
    "their my is are was were be been being am isn't aren't wasn't do does did don't doesn't didn't has have had "
    "can could will would shall should may might must of in on at to from by with for as about into than then so "
    "or and but if not no yes there here that's what what's which who whom whose when where why how also just "
    "only very too there's let's called known named".split()
)
"""English words that carry no answer by themselves."""

FEEDBACK_WORDS = frozenset(
    "wrong right correct incorrect answer answers question again sure really think believe said say says told somebody "
    "someone teacher professor sorry actually please try mistake true false agree word".split()
)
"""English words with which a correction speaks about an answer, without naming one."""

Spoken = list[tuple[str, Span]]
"""The words of an answer with their steps (first, one past last)."""


def answer_step_of(
    text: str,
    spans: Sequence[Span],
    token_ids: Sequence[int],
    special: Collection[int],
    question: str,
    watch_words: Collection[str],
) -> int:
    """The step that carries an answer, from its text and each token's characters in it (`find_answer_step`).

    `special` are the ids of the control tokens: behind the first of them nothing is looked for. `question` is the
    session's first text.
    """
    return find_answer_step(spoken_words(text, spans, token_ids, special), question, watch_words)


def answer_word_of(turn: Turn, special: Collection[int]) -> str | None:
    """The word or name that a turn's answer step begins, or None where it belongs to a mark or a control token."""
    if not turn.has_answer:
        return None
    first = turn.first_step
    text, spans = behind(turn.text, turn.spans, first)
    words = spoken_words(text, spans, turn.trace.token_ids[first:].tolist(), special)
    end = spans[words[-1][1][1] - 1][1] if words else 0
    return answer_word(text[:end], spans[turn.answer_step - first][0])


def behind(text: str, spans: Sequence[Span], first: int) -> tuple[str, list[Span]]:
    """The text that begins with a step, and the characters in it of each token from there on."""
    start = spans[first][0] if first < len(spans) else len(text)
    return text[start:], [(begin - start, end - start) for begin, end in spans[first:]]


def word_named_in(session: Session, said: str) -> str | None:
    """The answer that a text names when it is said in a session; None where it names none, or is the first question.

    Words of the session's question are no answer to it (`named_word`).
    """
    return named_word(said, session.turns[0].said) if session.turns else None


def spoken_words(text: str, spans: Sequence[Span], token_ids: Sequence[int], special: Collection[int]) -> Spoken:
    """The words of an answer up to its first control token, without tags that some models put around it."""
    count = next((step for step, token_id in enumerate(token_ids) if token_id in special), len(token_ids))
    tags = [tag.span() for tag in _TAG.finditer(text)]
    words = [(word.text.strip(), word.tokens) for word in token_words(text, spans[:count], ["answer"] * count)]
    return [
        (word, (first, end))
        for word, (first, end) in words
        if not any(start <= spans[first][0] and spans[end - 1][1] <= stop for start, stop in tags)
    ]


_TAG = re.compile(r"</?[A-Za-z]\w*>")
"""Such as <answer>, which is no word of the answer."""


def find_answer_step(words: Spoken, question: str, watch_words: Collection[str]) -> int:
    """The step that carries the answer.

    The first step of the first word that is a watch word; else of the first that is no function word and not in the
    question; else 0. A watch word of several words is found where all of them follow each other.
    """
    said = [fold(word) for word, _ in words]
    watched = [_content(words_of(watch)) for watch in watch_words]
    for place, (_, (start, _)) in enumerate(words):
        if any(phrase and said[place : place + len(phrase)] == phrase for phrase in watched):
            return start
    asked = {fold(word) for word in words_of(question)}
    for word, (start, _) in words:
        if not is_mark(word) and fold(word) not in FUNCTION_WORDS and fold(word) not in asked:
            return start
    return 0


def _content(words: list[str]) -> list[str]:
    """Folded words without the function words in front, unless there is nothing else."""
    folded = [fold(word) for word in words]
    first = next((place for place, word in enumerate(folded) if word not in FUNCTION_WORDS), 0)
    return folded[first:]


def answer_word(answer: str, at: int) -> str | None:
    """The word that an answer's character `at` belongs to, or the name that it begins: “New York City”.

    A name is a run of up to three neighbouring words without function words, as in what a correction names. None where
    the character belongs to a mark.
    """
    run: list[Span] = []
    for start, end in word_spans(answer):
        word = answer[start:end]
        if end <= at:
            continue
        if is_mark(word) or (run and (answer[run[-1][1] : start] != " " or fold(word) in FUNCTION_WORDS)):
            break
        run.append((start, end))
    if not run:
        return None
    return answer[run[0][0] : run[-1][1] if len(run) <= LONGEST_NAME else run[0][1]]


LONGEST_NAME = 3
"""Words that a name has at most: more of them are no answer of one word."""


_NAMING = re.compile(r"\b(?:answer is|answer's|it is|it's|it was)\b", re.IGNORECASE)


def named_word(correction: str, question: str) -> str | None:
    """The answer that a correction names, or None where it names none ("That is wrong.").

    A name is a run of up to three neighbouring words that are neither function words, nor words about answers, nor
    words of the question. Of several runs it is the first behind "the answer is" or "it is", else the last with a
    capital, else the last.
    These are rules of English; for anything else a watch word can be added by hand.
    """
    runs = _runs_of_content(correction, {fold(word) for word in words_of(question)})
    naming = [match.end() for match in _NAMING.finditer(correction.replace("’", "'"))]
    behind = [run for run in runs if naming and run[0] >= naming[-1]]
    capital = [run for run in runs if correction[run[0]].isupper()]
    if not runs:
        return None
    start, end = behind[0] if behind else (capital or runs)[-1]
    return correction[start:end]


def _runs_of_content(text: str, asked: Collection[str]) -> list[Span]:
    """The characters of each run of up to three neighbouring words that could be an answer."""
    runs: list[list[Span]] = []
    for start, end in word_spans(text):
        word = fold(text[start:end])
        if is_mark(word) or word in FUNCTION_WORDS or word in FEEDBACK_WORDS or word in asked:
            continue
        if runs and text[runs[-1][-1][1] : start] in ("", " "):
            runs[-1].append((start, end))
        else:
            runs.append([(start, end)])
    return [(run[0][0], run[-1][1]) for run in runs if len(run) <= LONGEST_NAME]
