"""Work in the background, which views need: controls, scores of words, and lenses of more steps, words or positions.

Each begins only while nothing else is under way, and is stopped by the next question: a view that still needs it asks
for it again. A conversation may have been let go while a page that shows it is drawn: nothing is begun for it then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from llm_tracker.app.work.admission import is_at_hand
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import VIEWS, Workspace
from llm_tracker.languages.texts import say
from llm_tracker.progress import ended

if TYPE_CHECKING:
    from llm_tracker.app.work.engine import Engine
    from llm_tracker.models.loading.loaded_model import LoadedModel
    from llm_tracker.tracing.session import Session
    from llm_tracker.tracing.whole_words import Place


def control_of(turn: TurnRef) -> Hashable:
    """What a job computes that runs the control of a turn."""
    return ("control", turn)


def run_shown_control(engine: Engine, workspace: Workspace) -> None:
    """Begin the control of the correction that arrived last: also when no page looks."""
    run_control(engine, workspace, workspace.shown[1] if workspace.shown is not None else None)


def run_control(engine: Engine, workspace: Workspace, corrected: TurnRef | None) -> None:
    """Begin the control of a correction, where it is wanted, missing, and was not stopped."""

    def start() -> Job | None:
        # After a failure nothing more is begun unasked: it would fail again at every run of the page.
        session = None if corrected is None else workspace.sessions.get(corrected.session)
        if corrected is None or session is None or not _awaits_control(workspace, corrected):
            return None

        def work(job: Job) -> Session:
            from llm_tracker.conversation.control import stream_control
            from llm_tracker.conversation.whole_words import with_word_scores

            model, now = engine.models.model(job.model_id), workspace.current(session, corrected.session)
            controlled = ended(stream_control(model, now, corrected.turn, job.stopping))
            return with_word_scores(model, controlled, turns={corrected.turn}, stop=job.stopping)

        def fail(job: Job) -> None:
            if job.status == "stopped":
                workspace.stopped_controls.add(corrected)
            else:
                workspace.errors[VIEWS] = job.error

        job = Job(
            "control",
            session.model.id,
            subject=control_of(corrected),
            meanwhile=Meanwhile(say("Asking again …"), skip_help=say("Leave the control out")),
            keep=keeps_session(workspace, corrected.session),
            fail=fail,
        )
        return submit_background(engine, workspace, job, work)

    workspace.begin_background(start)


def read_step(engine: Engine, workspace: Workspace, turn: TurnRef, step: int) -> None:
    """Compute the lens of a step, if it is missing, as a view asks for it."""

    def start() -> Job | None:
        session = workspace.sessions.get(turn.session)
        if session is None or step in session.turns[turn.turn].trace.lens:
            return None

        def read(model: LoadedModel, now: Session) -> Session:
            from llm_tracker.conversation.lenses import with_step_lens

            return with_step_lens(model, now, turn.turn, step)

        job = Job("lens", session.model.id, meanwhile=Meanwhile(say("Reading this token's layers …")))
        job.fail = _says_failure(workspace)
        return _read_more(engine, workspace, job, session, turn.session, read)

    workspace.begin_background(start)


def follow(engine: Engine, workspace: Workspace, number: int, word: str) -> None:
    """Follow a further word through all turns of a session, unless it is followed already."""

    def start() -> Job | None:
        session = workspace.sessions.get(number)
        if session is None or word in session.watch_words:
            return None

        def read(model: LoadedModel, now: Session) -> Session:
            from llm_tracker.conversation.lenses import with_watch_word

            return with_watch_word(model, now, word)

        def fail(job: Job) -> None:
            if job.is_refused:
                workspace.refused_words.add((job.model_id, word))
            workspace.errors[VIEWS] = job.error

        job = Job("words", session.model.id, meanwhile=Meanwhile(say("Following the new word …")), fail=fail)
        return _read_more(engine, workspace, job, session, number, read)

    workspace.begin_background(start)


def score_shown_words(engine: Engine, workspace: Workspace) -> None:
    """Score the watch words of the answers that arrived last: also when no page looks.

    Where others wait for the model, a correction's words are scored together with its control.
    """
    corrected = workspace.shown[1] if workspace.shown is not None else None
    if corrected is not None and _awaits_control(workspace, corrected) and _others_wait(engine, workspace, corrected):
        return
    refs = [ref for ref in workspace.shown or () if ref is not None]
    for number in dict.fromkeys(ref.session for ref in refs):
        session = workspace.sessions.get(number)
        turns = {ref.turn for ref in refs if ref.session == number}
        score_words(engine, workspace, number, turns, () if session is None else session.watch_words)


def _awaits_control(workspace: Workspace, corrected: TurnRef) -> bool:
    session = workspace.sessions.get(corrected.session)
    is_wanted = workspace.control and VIEWS not in workspace.errors and corrected not in workspace.stopped_controls
    return is_wanted and session is not None and session.lacks_control(corrected.turn)


def _others_wait(engine: Engine, workspace: Workspace, turn: TurnRef) -> bool:
    session = workspace.sessions.get(turn.session)
    if session is None or not is_at_hand(engine, session.model.id):
        return False
    return engine.models.worker(session.model.id).n_waiting > 0


def score_words(
    engine: Engine,
    workspace: Workspace,
    number: int,
    turns: Collection[int],
    words: Sequence[str],
    place: Place = "first",
) -> None:
    """Score whole words in turns of a session and in their controls, where they have not been."""

    def start() -> Job | None:
        session = workspace.sessions.get(number)
        if session is None or VIEWS in workspace.errors or not session.lacks_scores(turns, words, place):
            return None
        job = Job("scores", session.model.id, meanwhile=Meanwhile(say("Scoring whole words …")))
        job.fail = _says_failure(workspace)

        def read(model: LoadedModel, now: Session) -> Session:
            from llm_tracker.conversation.whole_words import with_word_scores

            return with_word_scores(model, now, words, place, turns, job.stopping)

        return _read_more(engine, workspace, job, session, number, read)

    workspace.begin_background(start)


def _read_more(
    engine: Engine,
    workspace: Workspace,
    job: Job,
    session: Session,
    number: int,
    read: Callable[[LoadedModel, Session], Session],
) -> Job | None:
    """Queue work whose result is a session with more read of it: of the session as it is kept when that begins."""
    job.keep = keeps_session(workspace, number)

    def work(job: Job) -> Session:
        return read(engine.models.model(job.model_id), workspace.current(session, number))

    return submit_background(engine, workspace, job, work)


def keeps_session(workspace: Workspace, number: int) -> Callable[[Job], None]:
    """Keeps the result of a job that is a session with more read of it."""

    def keep(job: Job) -> None:
        workspace.keep_fuller(number, job.result)

    return keep


def _says_failure(workspace: Workspace) -> Callable[[Job], None]:
    def fail(job: Job) -> None:
        workspace.errors[VIEWS] = job.error

    return fail


def submit_background(engine: Engine, workspace: Workspace, job: Job, work: Callable[[Job], object]) -> Job | None:
    """Queue work in the background; the control that is still owed comes behind it.

    None where its model is not here: nothing is downloaded because somebody looks at a session from elsewhere.
    """
    if not is_at_hand(engine, job.model_id):
        return None
    job.follow_up = partial(run_shown_control, engine, workspace)
    return engine.submit(workspace, job, work)
