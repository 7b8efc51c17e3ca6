"""The headline: what became of the watch words and of the answer, against before and against merely asking again.

It says what was measured, never what a model "thinks". `sides` are before and after, or both with the neutral control.
Between two models nothing is corrected: of these `two_models` speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_tracker.analysis.compare import Side, SideName, WordChange, follows, same_answer, word_changes
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.whole_words import WordEnd
from llm_tracker.wording.answers import named_answer, sentence_end
from llm_tracker.wording.formats import listed, one_in, percent, quoted
from llm_tracker.wording.labels import TURN_CLAUSES, TURN_LABELS


def headline(sides: Sequence[Side], words: Sequence[str]) -> str:
    """What became of the watch words, against before and against merely being asked again, and of the answer."""
    parts = []
    for change in word_changes(sides, words):
        name, shift, again = change_parts(change)
        parts.append(f"{name} {shift}{f' ({again})' if again else ''}.")
    return " ".join([*parts, verdict(sides)])


def change_parts(change: WordChange) -> tuple[str, str, str]:
    """A change in three texts: the word, before → after, and the control's value (empty where there is none).

    Of a word that is hardly possible each time, as where the answer is a sentence, that is said once.
    """
    told = likelihood(change)
    before, after = told(change.before), told(change.after)
    again = after if change.again is None else told(change.again)
    if told is one_in and before == after == again:
        return quoted(change.word), say("{likelihood} each time", likelihood=before), ""
    control = "" if change.again is None else f"{say(TURN_LABELS['again'])}: {again}"
    return quoted(change.word), f"{before} → {after}", control


LONG_QUESTION = 60
"""Characters of a question that is named."""

TOO_SMALL = 0.001
"""Probabilities below this are written alike in percent."""


def likelihood(change: WordChange) -> Callable[[float], str]:
    """How a word's probabilities are written: in percent, or as 1 in so many where all of them are tiny."""
    return one_in if max(change.before, change.after, change.again or 0) < TOO_SMALL else percent


def place_of(end: WordEnd, behind_thoughts: bool = False) -> str:
    """Of what the probabilities are, in a sentence, or two where the model reasons first."""
    if end == "word":
        told = say(
            "Each is the probability that the answer goes on with this whole word, in any spelling of case and space."
        )
    else:
        told = say("Each is the probability that this word is the whole answer, in any spelling of case and space.")
    return f"{told} {say('Each answer stands behind a thought of its own.')}" if behind_thoughts else told


def shift_split(sides: Sequence[Side], words: Sequence[str]) -> str:
    """How much of the first word's change comes with merely being asked again; "" where that cannot be told.

    The change, in points of probability, is split where the control lies: before → asked again, and asked again →
    after. It is told only where these two parts go the same way, so that they add up to the whole.
    """
    changes = word_changes(sides, words)
    named = {side.name: side.turn for side in sides}
    if not changes or not follows(named["before"], named["after"]):
        return ""
    change = changes[0]
    if change.again is None:
        return ""
    whole, again = round(100 * (change.after - change.before)), round(100 * (change.again - change.before))
    # A point is as small as rounding makes it, and a control outside of before..after has no share of the change.
    if abs(whole) < 2 or not 0 <= again / whole <= 1:
        return ""
    moved = {"n": number(abs(whole)), "word": quoted(change.word)}
    if whole < 0:
        told = say("Of the {n} points that {word} lost", **moved)
    else:
        told = say("Of the {n} points that {word} gained", **moved)
    if again == 0:
        return say("{told}, none comes with merely being asked again.", told=told)
    if again == whole:
        return say("{told}, all come with merely being asked again.", told=told)
    return say_n(
        "{told}, {n} come with merely being asked again, the other {rest} with this correction.",
        "{told}, {n} come with merely being asked again, the other {rest} with this correction.",
        abs(again),
        told=told,
        rest=number(abs(whole - again)),
    )


def verdict(sides: Sequence[Side]) -> str:
    """Whether the answer changed, and what merely asking again does to it."""
    named = {side.name: side.turn for side in sides}
    before, after, again = named["before"], named["after"], named.get("again")
    told = _changed(before, after)
    if again is None or not (before.has_answer and after.has_answer):
        return told
    if not again.has_answer:
        return f"{told} {say('Merely asked again, no answer comes behind the thought.')}"
    if follows(before, after):
        return f"{told} {_asked_again(before, after, again)}"
    if not again.answer:
        return f"{told} {say('Merely asked again, the answer is empty.')}"
    is_now = say("Merely asked again, the answer is {answer}", answer=named_answer(again).strip())
    return f"{told} {sentence_end(is_now)}"


def two_questions(questions: Sequence[str], sides: Sequence[Side]) -> str:
    """What two conversations answer, which began with different questions: nothing has changed between them."""
    told = [_answered(question, side.turn) for question, side in zip(questions, sides, strict=False)]
    return sentence_end(f"{say('These are two questions.')} {'; '.join(told)}")


def _answered(question: str, turn: Turn) -> str:
    named = quoted(_short(question))
    return f"{named}:{named_answer(turn)}" if turn.answer else say("{question}: nothing", question=named)


def _short(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= LONG_QUESTION else f"{line[: LONG_QUESTION - 1]}…"


def _changed(before: Turn, after: Turn) -> str:
    """Whether the second answer is another one; of answers that were cut, as far as can be said."""
    turns: dict[SideName, Turn] = {"before": before, "after": after}
    unanswered = [say(TURN_CLAUSES[name]) for name, turn in turns.items() if not turn.has_answer]
    if unanswered:
        return say("No answer came {when}: the thought has no end.", when=listed(unanswered))
    same = same_answer(before, after)
    if same is None:
        return say("An answer was cut short: whether it changed cannot be said.")
    if same:
        if before.is_cut or after.is_cut:
            return say("The answer stayed the same as far as it goes.")
        return say("The answer stayed the same.")
    one, other = named_answer(before).strip(), named_answer(after).strip()
    if one and other and one != other:  # long answers are cut: what they begin with may be the same
        return sentence_end(say("The answer changed from {one} to {other}", one=one, other=other))
    return say("The answer changed.")


def _asked_again(before: Turn, after: Turn, again: Turn) -> str:
    """What the control did to the answer that was corrected."""
    as_before, as_after = same_answer(before, again), same_answer(after, again)
    if as_before:
        if same_answer(before, after):
            return say("Merely asked again, it stays the same too.")
        if before.answer:
            return sentence_end(say("Merely asked again, it stays {answer}", answer=named_answer(before).strip()))
        return say("Merely asked again, it stays the same.")
    if as_after:
        return say("Merely asked again, it changes in the same way.")
    if as_before is None or as_after is None:
        return say("Merely asked again, it was cut short before that can be said.")
    if not again.answer:
        return say("Merely asked again, it becomes empty.")
    return sentence_end(say("Merely asked again, it becomes {answer}", answer=named_answer(again).strip()))
