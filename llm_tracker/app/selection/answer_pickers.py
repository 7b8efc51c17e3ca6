"""Which two of all answers so far are compared; they stay to be compared with later ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import streamlit as st

from llm_tracker.analysis.paths import Path, path
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.address import selected, show_choice
from llm_tracker.app.selection.comparison import COMPARED_ELSEWHERE, Comparison, select_of
from llm_tracker.app.selection.selection import with_number
from llm_tracker.app.work.turn_ref import EXAMPLE, TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.wording.correction.edits import EDITED, edit_label
from llm_tracker.wording.formats import quoted
from llm_tracker.wording.labels import TURN_LABELS

ALONE: Literal["alone"] = "alone"
"""In place of a second answer: the first one stands alone."""

Picked = TurnRef | Literal["alone"]


def answer_pickers(workspace: Workspace, comparison: Comparison) -> None:
    """A box for each side, with all answers that are kept."""
    answers = _all_answers(workspace, comparison)
    options, labels = list(answers), answer_labels(answers)
    keys = picker_keys(workspace)

    def take(_: Picked) -> None:
        picked: list[Picked] = [st.session_state[key] for key in keys]
        _look_at(comparison, tuple(ref for ref in picked if ref != ALONE))

    sides: tuple[tuple[str, list[Picked]], ...] = (("before", [*options]), ("after", [ALONE, *options]))
    shown: tuple[Picked, ...] = (*comparison.refs, ALONE)
    for column, (name, of_side), key, ref in zip(st.columns(2), sides, keys, shown, strict=False):
        choose = show_choice(key, ref, take)
        column.selectbox(
            say("Compared, {side}", side=say(TURN_LABELS[name])),
            of_side,
            of_side.index(ref),
            format_func=lambda ref: say("one answer alone") if ref == ALONE else labels[ref],
            key=key,
            on_change=choose,
            disabled=workspace.answering or len(options) < 2,
        )


def _look_at(comparison: Comparison, refs: tuple[TurnRef, ...]) -> None:
    """Compare two other answers. The token of a side that stays stays chosen; words are followed for a pair."""
    steps = selected().steps
    for at in (0, 1):
        if comparison.refs[at : at + 1] != refs[at : at + 1]:
            steps = with_number(steps, at, None)
    select_of(comparison, turns=refs, steps=steps, words=None, map_from=None)


def picker_keys(workspace: Workspace) -> tuple[str, str]:
    """The keys of the pickers of before and after, other ones with every answer that arrives or is compared elsewhere.

    A browser that has not heard of that yet sends what it chose before: under an old key it chooses nothing.
    """
    told = f"{workspace.results} {st.session_state.get(COMPARED_ELSEWHERE, 0)}"
    return labelled_key(f"shown before {told}"), labelled_key(f"shown after {told}")


def _all_answers(workspace: Workspace, comparison: Comparison) -> dict[TurnRef, Session]:
    """Every answer of all conversations, with its own; the same answer of the same model once, newest first.

    A conversation that was let go while this page is drawn is still compared on it.
    """
    sessions = workspace.kept_sessions()
    sessions.update((ref.session, session) for ref, session in zip(comparison.refs, comparison.sessions, strict=True))
    own = [number for number in sessions if number != EXAMPLE] or [EXAMPLE]
    refs: dict[Path, TurnRef] = {}
    for number in own:
        session = sessions[number]
        for turn in range(len(session.turns)):
            refs[path(session, turn)] = TurnRef(number, turn)
    for ref, session in zip(comparison.refs, comparison.sessions, strict=True):
        refs[path(session, ref.turn)] = ref
    # An address may set one answer beside its copy in a branch: both are there to be chosen then.
    in_order = sorted({*refs.values(), *comparison.refs}, key=lambda ref: (-ref.session, ref.turn))
    return {ref: sessions[ref.session] for ref in in_order}


def answer_labels(answers: Mapping[TurnRef, Session]) -> dict[TurnRef, str]:
    """Answers as options to choose, no two alike: what each says, and to what; where several models answered, which."""
    by_model = len({session.model.id for session in answers.values()}) > 1
    labels: dict[TurnRef, str] = {}
    alike: Counter[str] = Counter()
    for ref, session in answers.items():
        said = _answer_label(session.turns[ref.turn])
        edit = session.turns[ref.turn].edit
        if edit is not None:
            said = f"{said} · {say(EDITED)}{edit_label(edit)}"
        elif session.parent is not None and session.parent.turn == ref.turn:
            said = f"{said} · {say('what if')}"
        label = f"{session.model.title}: {said}" if by_model else said
        alike[label] += 1
        labels[ref] = label if alike[label] == 1 else f"{label} · {alike[label]}"
    return labels


def _answer_label(turn: Turn) -> str:
    text = quoted(_short(turn.said, 60))
    if not turn.answer:
        return say("an empty answer to {text}", text=text)
    return say("{answer} to {text}", answer=quoted(_short(turn.answer, 24)), text=text)


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
