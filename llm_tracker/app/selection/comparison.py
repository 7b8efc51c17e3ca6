"""What is compared on the page: which two answers, at which token of each, and which words are followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from llm_tracker.analysis.compare import Side, model_names
from llm_tracker.analysis.paths import of_one_answer, path, told
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.address import look_at_models, open_selection, opened_at, select, selected, show_choice
from llm_tracker.app.selection.selection import NEITHER, unless_default, with_number
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session, Turn


@dataclass(frozen=True)
class Comparison:
    """The sides that are shown, and which turns they are."""

    before: Side
    after: Side | None
    again: Side | None
    refs: tuple[TurnRef, ...]
    """Of before, and of after where there is one."""
    sessions: tuple[Session, ...]
    """The sessions of these turns."""
    headline_sides: tuple[Side, ...]
    """The same answers at the tokens where answers are compared, whatever the views look at."""
    results: int
    """How many answers had arrived when it was drawn."""

    @property
    def sides(self) -> list[Side]:
        """Before, after and the control, as far as they are there."""
        return [side for side in (self.before, self.after, self.again) if side is not None]

    @property
    def answers(self) -> list[tuple[Side, TurnRef]]:
        """Before and after with the turns that they are."""
        return list(zip(self.sides, self.refs, strict=False))

    @property
    def of_one_answer(self) -> bool:
        """Whether the right answer corrects the left one, or both correct the same one."""
        return len(self.refs) == 2 and of_one_answer(self.sessions, [ref.turn for ref in self.refs])

    @property
    def of_two_models(self) -> bool:
        """Whether two models gave the answers."""
        return len({session.model.id for session in self.sessions}) > 1

    @property
    def of_a_branch(self) -> bool:
        """Whether one is what the other would have been, had it said another token."""
        if len({ref.turn for ref in self.refs}) != 1 or len(self.refs) < 2:
            return False
        own = zip(self.sessions, self.refs, strict=True)
        before, after = (path(session, ref.turn)[:-1] for session, ref in zip(self.sessions, self.refs, strict=True))
        return before == after and any(each.parent is not None and each.parent.turn == ref.turn for each, ref in own)

    @property
    def told_alike(self) -> bool:
        """Whether two models were told the same, in the same way."""
        texts = {told(session, ref.turn) for session, ref in zip(self.sessions, self.refs, strict=True)}
        return self.of_two_models and len(texts) == 1

    @property
    def watch_words(self) -> tuple[str, ...]:
        """The words that are watched in any of the sessions."""
        return tuple(dict.fromkeys(word for session in self.sessions for word in session.watch_words))


def shown_comparison(workspace: Workspace) -> Comparison:
    """What this tab shows now, at the tokens that were chosen."""
    selection = open_selection(workspace)
    refs, sessions = workspace.turns_or_newest(selection.turns)
    turns = [session.turns[ref.turn] for session, ref in zip(sessions, refs, strict=True)]
    at_answers = selection.compared_at == "answer"
    defaults = [turn.answer_step if len(turns) == 1 or at_answers else turn.first_step for turn in turns]
    steps = [_step(*each) for each in zip(turns, selection.steps, defaults, strict=False)]
    looked_at, compared = (_sides(sessions, refs, turns, each, at_answers) for each in (steps, defaults))
    look_at_models(frozenset((side.model, side.turn.trace.n_layers) for side in looked_at))
    second, again = [*looked_at[1:], None, None][:2]
    return Comparison(looked_at[0], second, again, refs, sessions, tuple(compared), workspace.results)


def _step(turn: Turn, wanted: int | None, default: int) -> int:
    """The step that was chosen, where the answer has it; else the one where answers are compared."""
    return wanted if wanted is not None and wanted < turn.trace.n_steps else default


def _sides(
    sessions: tuple[Session, ...], refs: tuple[TurnRef, ...], turns: list[Turn], steps: list[int], at_answers: bool
) -> list[Side]:
    """The answers at these steps, with their control where it can be compared."""
    names = model_names(sessions)
    first = Side("before", turns[0], steps[0], names[0])
    if len(turns) == 1:
        return [first]
    second = Side("after", turns[1], steps[1], names[1])
    control = _control(sessions, refs, first, second, at_answers)
    return [first, second, *([] if control is None else [control])]


def _control(
    sessions: tuple[Session, ...], refs: tuple[TurnRef, ...], before: Side, after: Side, at_answers: bool
) -> Side | None:
    """The neutral control where it can be compared: of the same conversation, at the same kind of token."""
    control = sessions[1].controls.get(refs[1].turn)
    if control is None or not of_one_answer(sessions, [ref.turn for ref in refs]):
        return None
    at_first = before.step == before.turn.first_step and after.step == after.turn.first_step
    if at_first and not at_answers:
        return Side("again", control, control.first_step)
    at_own = before.step == before.turn.answer_step and after.step == after.turn.answer_step
    return Side("again", control, control.answer_step) if at_own else None


def select_of(comparison: Comparison, **changes: Any) -> None:
    """Choose something about these answers.

    A browser that has not heard of a newer one yet sends what was chosen about the earlier: that chooses nothing.
    """
    if comparison.results == opened_at():
        select(**{"turns": comparison.refs, **changes})


COMPARED_ELSEWHERE = "compared elsewhere"
"""How often this tab was told which answers to compare by something else than the boxes for that."""


def compare(comparison: Comparison, turns: tuple[TurnRef, ...]) -> None:
    """Compare these answers, as a button beside them asks for it."""
    st.session_state[COMPARED_ELSEWHERE] = st.session_state.get(COMPARED_ELSEWHERE, 0) + 1
    select_of(comparison, turns=turns, steps=NEITHER, words=None, map_from=None)


def pick_step(comparison: Comparison, at: int, step: int) -> None:
    """Look at another token of the answer on the left (0) or on the right (1): where both are one, of both."""
    steps = selected().steps
    chosen = unless_default(step, comparison.headline_sides[at].step)
    for side, ref in enumerate(comparison.refs):
        if ref == comparison.refs[at]:
            steps = with_number(steps, side, chosen)
    select_of(comparison, steps=steps)


def compare_at(comparison: Comparison) -> None:
    """Where two answers are compared; a choice only where one does not begin with its answer token."""
    if comparison.after is None or all(side.turn.answer_step == side.turn.first_step for side in comparison.sides):
        return
    labels = {"first": say("the first token of each answer"), "answer": say("each answer's own token")}
    key = labelled_key("compared at")
    choose = show_choice(key, selected().compared_at, lambda picked: select(compared_at=picked, steps=NEITHER))
    st.segmented_control(
        say("Compare"),
        list(labels),
        default=selected().compared_at,
        format_func=lambda name: labels[name],
        key=key,
        on_change=choose,
        required=True,
        help=say(
            "The first token stands behind the same kind of text on both sides: like is compared with like. "
            "The answer's own token stands behind the words that each answer began with."
        ),
    )
