"""What is compared on the page: which two answers, at which token of each, and which words are followed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.work.workspace import EXAMPLE, Place, Workspace
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.wording.formats import quoted


@dataclass(frozen=True)
class Comparison:
    """The sides that are shown, and where they are in the workspace."""

    before: Side
    after: Side | None
    again: Side | None
    places: tuple[Place, ...]
    """Of before, and of after where there is one."""
    sessions: tuple[Session, ...]
    """The sessions of the places."""
    headline_sides: tuple[Side, ...]
    """The same answers at the tokens where answers are compared, whatever the views look at."""

    @property
    def sides(self) -> list[Side]:
        """Before, after and the control, as far as they are there."""
        return [side for side in (self.before, self.after, self.again) if side is not None]

    @property
    def answers(self) -> list[tuple[Side, Place]]:
        """Before and after with their places."""
        return list(zip(self.sides, self.places, strict=False))

    @property
    def of_one_answer(self) -> bool:
        """Whether the right answer corrects the left one, or both correct the same one."""
        return len(self.places) == 2 and _of_one_answer(self.sessions, self.places)

    @property
    def of_two_models(self) -> bool:
        """Whether two models gave the answers."""
        return len({session.model.id for session in self.sessions}) > 1

    @property
    def told_alike(self) -> bool:
        """Whether two models were told the same, in the same way."""
        told = {_told(session, place.turn) for session, place in zip(self.sessions, self.places, strict=True)}
        return self.of_two_models and len(told) == 1

    @property
    def watch_words(self) -> tuple[str, ...]:
        """The words that are watched in any of the sessions."""
        return tuple(dict.fromkeys(word for session in self.sessions for word in session.watch_words))


def _at_answers() -> bool:
    """Whether answers are compared at the tokens that carry them."""
    return bool(st.session_state.get("compared at") == "answer")


def shown_comparison(workspace: Workspace) -> Comparison:
    """What the workspace shows, at the tokens that were chosen."""
    if workspace.shown is None:
        raise ValueError("the workspace shows nothing yet")
    before, after = workspace.shown
    places = (before,) if after is None else (before, after)
    sessions = tuple(workspace.sessions[place.session] for place in places)
    turns = [session.turns[place.turn] for session, place in zip(sessions, places, strict=True)]
    defaults = [turn.answer_step if after is None or _at_answers() else 0 for turn in turns]
    steps = [_chosen_step(workspace, *each) for each in zip(places, turns, defaults, strict=True)]
    looked_at, compared = (_sides(sessions, places, turns, each) for each in (steps, defaults))
    first, second, again = [*looked_at, None, None][:3]
    if first is None:
        raise ValueError("a comparison has at least one answer")
    return Comparison(first, second, again, places, sessions, tuple(compared))


def _sides(sessions: tuple[Session, ...], places: tuple[Place, ...], turns: list[Turn], steps: list[int]) -> list[Side]:
    """The answers at these steps, with their control where it can be compared."""
    names = model_names(sessions)
    first = Side("before", turns[0], steps[0], names[0])
    if len(turns) == 1:
        return [first]
    second = Side("after", turns[1], steps[1], names[1])
    control = _control(sessions, places, first, second)
    return [first, second, *([] if control is None else [control])]


def model_names(sessions: tuple[Session, ...]) -> list[str]:
    """What two models are called: by their titles, or where these are the same, by their ids too; "" of one alone."""
    models = [session.model for session in sessions]
    if len({model.id for model in models}) < 2:
        return [""] * len(models)
    is_clear = len({model.title for model in models}) == len(models)
    return [model.title if is_clear else f"{model.title} ({model.id})" for model in models]


def _control(sessions: tuple[Session, ...], places: tuple[Place, ...], before: Side, after: Side) -> Side | None:
    """The neutral control where it can be compared: of the same conversation, at the same kind of token."""
    control = sessions[1].controls.get(places[1].turn)
    if control is None or not _of_one_answer(sessions, places):
        return None
    at_first = before.step == 0 and after.step == 0
    if at_first and not _at_answers():
        return Side("again", control, 0)
    at_own = before.step == before.turn.answer_step and after.step == after.turn.answer_step
    return Side("again", control, control.answer_step) if at_own else None


def _of_one_answer(sessions: tuple[Session, ...], places: tuple[Place, ...]) -> bool:
    """Whether the corrected turn follows the other one, or corrects the same answer in another way."""
    before, after = (path(session, place.turn) for session, place in zip(sessions, places, strict=True))
    return places[1].turn > 0 and (before == after[:-1] or before[:-1] == after[:-1])


Path = tuple[object, ...]


def path(session: Session, turn: int) -> Path:
    """What an answer follows from: two turns with the same path are the same answer."""
    made_by = (session.model.id, session.model.weights_sha256, *_how(session))
    said = [(each.said, each.trace.n_steps if each.ended == "stopped" else None) for each in session.turns[: turn + 1]]
    return (made_by, *said)


def _told(session: Session, turn: int) -> Path:
    """What was said up to an answer, and how: whatever model it was said to."""
    return (*_how(session), *(each.said for each in session.turns[: turn + 1]))


def _how(session: Session) -> Path:
    return (session.recipe_messages, session.recipe, session.decoding)


def _steps() -> dict[tuple[int, Place], int]:
    chosen: dict[tuple[int, Place], int] = st.session_state.setdefault("steps", {})
    return chosen


def _chosen_step(workspace: Workspace, place: Place, turn: Turn, default: int) -> int:
    """The step that was chosen on the strip; else the one where answers are compared."""
    return min(_steps().get((workspace.results, place), default), turn.trace.n_steps - 1)


def pick_step(workspace: Workspace, place: Place, step: int) -> None:
    """Look at another token of an answer."""
    _steps()[workspace.results, place] = step


def compare_at(comparison: Comparison) -> None:
    """Where two answers are compared; a choice only where one does not begin with its answer token."""
    if comparison.after is None or all(side.turn.answer_step == 0 for side in comparison.sides):
        return
    labels = {"first": "the first token of each answer", "answer": "each answer's own token"}
    st.segmented_control(
        "Compare",
        list(labels),
        default="first",
        format_func=lambda name: labels[name],
        key="compared at",
        on_change=_steps().clear,
        required=True,
        help="The first token stands behind the same kind of text on both sides: like is compared with like. "
        "The answer's own token stands behind the words that each answer began with.",
    )


def answer_pickers(workspace: Workspace) -> None:
    """Which two of all answers so far are compared; they stay here to be compared with later ones."""
    if workspace.shown is None:
        return
    options = _all_answers(workspace)
    labels = answer_labels(workspace, options)
    keys = picker_keys(workspace)

    def choose() -> None:
        workspace.show(*(st.session_state[key] for key in keys))

    sides: tuple[tuple[str, list[Place | None]], ...] = (("before", [*options]), ("after", [None, *options]))
    for column, (name, of_side), key, chosen in zip(st.columns(2), sides, keys, workspace.shown, strict=True):
        st.session_state[key] = chosen
        column.selectbox(
            f"Compared, {name}",
            of_side,
            format_func=lambda place: labels[place] if place else "one answer alone",
            key=key,
            on_change=choose,
            disabled=workspace.answering or len(options) < 2,
        )


def picker_keys(workspace: Workspace) -> tuple[str, str]:
    """The keys of the pickers of before and after, other ones with every answer that arrives.

    A browser that has not heard of a new answer yet sends what it chose among the earlier ones: under an old key it
    chooses nothing.
    """
    return f"shown before {workspace.results}", f"shown after {workspace.results}"


def _all_answers(workspace: Workspace) -> list[Place]:
    """Every answer of all conversations; the same answer of the same model once, newest first."""
    if workspace.shown is None:
        return []
    sessions = workspace.kept_sessions()
    own = [number for number in sessions if number != EXAMPLE] or [EXAMPLE]
    places: dict[Path, Place] = {}
    for number in own:
        session = sessions[number]
        for turn in range(len(session.turns)):
            places[path(session, turn)] = Place(number, turn)
    for shown in workspace.shown:
        if shown is not None:
            places[path(sessions[shown.session], shown.turn)] = shown
    return sorted(places.values(), key=lambda place: (-place.session, place.turn))


def answer_labels(workspace: Workspace, places: list[Place]) -> dict[Place, str]:
    """Answers as options to choose, no two alike: what each says, and to what; where several models answered, which."""
    by_model = len({workspace.sessions[place.session].model.id for place in places}) > 1
    labels: dict[Place, str] = {}
    alike: Counter[str] = Counter()
    for place in places:
        session = workspace.sessions[place.session]
        said = _answer_label(session.turns[place.turn])
        label = f"{session.model.title}: {said}" if by_model else said
        alike[label] += 1
        labels[place] = label if alike[label] == 1 else f"{label} · {alike[label]}"
    return labels


def _answer_label(turn: Turn) -> str:
    answer = quoted(_short(turn.answer, 24)) if turn.answer else "an empty answer"
    return f"{answer} to {quoted(_short(turn.said, 60))}"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
