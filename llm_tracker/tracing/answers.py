"""Where in an answer the answer is, and which words are worth watching."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from llm_tracker.tracing.words import Span, fold, is_mark, token_words, word_spans, words_of

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


def answer_word_spans(text: str, spans: Sequence[Span]) -> list[tuple[str, Span]]:
    """The words of an answer with their steps (first, one past last)."""
    return [(word.text.strip(), word.tokens) for word in token_words(text, spans, ["answer"] * len(spans))]


def find_answer_step(words: Sequence[tuple[str, Span]], question: str, watch_words: Collection[str]) -> int:
    """The step that carries the answer.

    The first step of the first word that is a watch word; else of the first that is no function word and not in the
    question; else 0.
    """
    watched = {fold(watch) for word in watch_words for watch in words_of(word)[:1]}
    asked = {fold(word) for word in words_of(question)}
    for word, (start, _) in words:
        if fold(word) in watched:
            return start
    for word, (start, _) in words:
        if not is_mark(word) and fold(word) not in FUNCTION_WORDS and fold(word) not in asked:
            return start
    return 0


def answer_word(words: Sequence[tuple[str, Span]], answer_step: int) -> str | None:
    """The word of the answer that a step belongs to, or None where it belongs to a mark."""
    for word, (start, end) in words:
        if start <= answer_step < end:
            return None if is_mark(word) else word
    return None


def named_word(correction: str, question: str) -> str | None:
    """The answer that a correction names, or None where it names none ("That is wrong.").

    The last run of up to three neighbouring words that are neither function words, nor words about answers, nor words
    of the question. A reading of English; for anything else a watch word can be added by hand.
    """
    asked = {fold(word) for word in words_of(question)}
    runs: list[list[Span]] = []
    for start, end in word_spans(correction):
        word = fold(correction[start:end])
        if is_mark(word) or word in FUNCTION_WORDS or word in FEEDBACK_WORDS or word in asked:
            continue
        if runs and correction[runs[-1][-1][1] : start] in ("", " "):
            runs[-1].append((start, end))
        else:
            runs.append([(start, end)])
    return correction[runs[-1][0][0] : runs[-1][-1][1]] if runs and len(runs[-1]) <= 3 else None
