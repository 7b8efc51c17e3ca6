"""What a view computes when it is asked to: maps of a whole text, patterns, value weights, samples, branches.

Each is a job in the background: it begins only while nothing else is under way, and the next question stops it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from llm_tracker.app.work.admission import not_at_hand, refusal, too_long
from llm_tracker.app.work.background import keeps_session, submit_background
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import VIEWS, Workspace
from llm_tracker.languages.texts import say
from llm_tracker.progress import ended
from llm_tracker.tracing.trace import StreamSite

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel
    from llm_tracker.tracing.session import Session

Stop = Callable[[], bool]
Stream = Callable[["LoadedModel", "Session", Stop], Generator[float, None, Any]]
"""Computes something of a session with its model, telling the share that is done."""


def map_of(turn: TurnRef, site: StreamSite) -> Subject:
    """All layers at all positions of a turn."""
    return Subject("map", turn, (site,))


def read_map(engine: Engine, workspace: Workspace, subject: Subject, words: Sequence[str]) -> None:
    """Begin the lens of all layers at all positions of a turn, for these words too."""
    (site,) = subject.details

    def stream(model: LoadedModel, session: Session, stop: Stop) -> Generator[float, None, Any]:
        from llm_tracker.analysis.lens.position_tables import stream_position_lens

        return stream_position_lens(model, session.turns[subject.turn.turn], words, stop, site)

    compute(engine, workspace, subject, say("Every token is being read"), stream)


def pattern_of(turn: TurnRef, layer: int, head: int) -> Subject:
    """One head's pattern over a turn's prompt and answer."""
    return Subject("pattern", turn, (layer, head))


def read_pattern(engine: Engine, workspace: Workspace, subject: Subject) -> None:
    """Begin to read one head's pattern."""
    layer, head = subject.details

    def stream(model: LoadedModel, session: Session, stop: Stop) -> Generator[float, None, Any]:
        from llm_tracker.tracing.rereading.head_patterns import read_ids, stream_head_pattern

        return stream_head_pattern(model, read_ids(session.turns[subject.turn.turn]), layer, head, stop)

    compute(engine, workspace, subject, say("This head's pattern is being read"), stream)


def values_of(turn: TurnRef, step: int) -> Subject:
    """The value weights of one step of a turn."""
    return Subject("values", turn, (step,))


def read_values(engine: Engine, workspace: Workspace, subject: Subject) -> None:
    """Begin to read what attention carries at one step."""
    (step,) = subject.details

    def stream(model: LoadedModel, session: Session, stop: Stop) -> Generator[float, None, Any]:
        from llm_tracker.tracing.rereading.value_weights import stream_value_weights

        return stream_value_weights(model, session.turns[subject.turn.turn], step, stop)

    compute(engine, workspace, subject, say("The values are being read"), stream)


def compute(engine: Engine, workspace: Workspace, subject: Subject, said: str, stream: Stream) -> None:
    """Begin to compute something of a turn, and keep it in the workspace."""

    def start() -> Job | None:
        session = workspace.sessions.get(subject.turn.session)
        if session is None or not _may_begin(engine, workspace, session):
            return None

        def work(job: Job) -> Any:
            from llm_tracker.tracing.provenance import require_same_weights

            model = engine.models.model(job.model_id, job.report)
            job.progress = None
            now = workspace.current(session, subject.turn.session)
            require_same_weights(model, now)
            return ended(stream(model, now, job.stopping), job.has_done)

        job = Job(
            subject.kind,
            session.model.id,
            subject=subject,
            meanwhile=Meanwhile(
                say("{work}, below; what else is needed comes after that.", work=said), is_drawn_by_view=True
            ),
            keep=lambda job: workspace.keep_computed(subject, job.result),
            fail=_fails_quietly_when_stopped(workspace),
        )
        return submit_background(engine, workspace, job, work)

    workspace.begin_background(start)


def _may_begin(engine: Engine, workspace: Workspace, session: Session) -> bool:
    """Whether this may be computed here and now; if not, the views say why."""
    if said := not_at_hand(engine, session):
        said = say("This cannot be computed here: {why}", why=said)
    if said := said or too_long(engine, session) or refusal(engine, workspace, session.model.id):
        workspace.errors[VIEWS] = said
    return not said


def _fails_quietly_when_stopped(workspace: Workspace) -> Callable[[Job], None]:
    def fail(job: Job) -> None:
        if job.status != "stopped":  # whoever presses Stop knows why nothing has come
            workspace.errors[VIEWS] = job.error

    return fail


def whole_of(turn: TurnRef) -> Subject:
    """A conversation with the layers of every token read."""
    return Subject("whole", turn)


def complete(engine: Engine, workspace: Workspace, subject: Subject) -> None:
    """Begin to read all that is missing of a conversation."""
    number = subject.turn.session

    def start() -> Job | None:
        session = workspace.sessions.get(number)
        if session is None or not _may_begin(engine, workspace, session):
            return None

        def work(job: Job) -> Session:
            from llm_tracker.conversation.lenses import stream_all_lenses

            model = engine.models.model(job.model_id, job.report)
            job.progress = None
            return ended(stream_all_lenses(model, workspace.current(session, number), job.stopping), job.has_done)

        meanwhile = Meanwhile(say("All that is missing is being read, below …"), is_drawn_by_view=True)
        fail = _fails_quietly_when_stopped(workspace)
        job = Job("whole", session.model.id, subject=subject, meanwhile=meanwhile, fail=fail)
        job.keep = keeps_session(workspace, number)
        return submit_background(engine, workspace, job, work)

    workspace.begin_background(start)


def branch_of(turn: TurnRef, step: int, token_id: int) -> Subject:
    """A turn's answer as it would have gone on from another token."""
    return Subject("branch", turn, (step, token_id))


def begin_branch(engine: Engine, workspace: Workspace, subject: Subject) -> None:
    """Let an answer go on from another token; what comes is a conversation of its own."""
    step, token_id = subject.details

    def start() -> Job | None:
        session = workspace.sessions.get(subject.turn.session)
        if session is None or not _may_begin(engine, workspace, session):
            return None

        def work(job: Job) -> Session:
            from llm_tracker.conversation.what_if import stream_what_if

            model = engine.models.model(job.model_id, job.report)
            job.progress = None
            now = workspace.current(session, subject.turn.session)
            stream = stream_what_if(model, now, subject.turn.turn, step, token_id, job.stopping)
            return ended(stream, lambda event: job.has_written(event.text))

        def keep(job: Job) -> None:
            workspace.keep_branch(subject, job.result)

        job = Job(
            "branch",
            session.model.id,
            subject=subject,
            meanwhile=Meanwhile(say("The answer goes on from another token, below …"), is_drawn_by_view=True),
            keep=keep,
            fail=_fails_quietly_when_stopped(workspace),
        )
        return submit_background(engine, workspace, job, work)

    workspace.begin_background(start)


def shares_of(counts: Generator[int, None, Any], n: int) -> Generator[float, None, Any]:
    """Work that tells how many of `n` are done, as work that tells the share."""
    while True:
        try:
            yield next(counts) / n
        except StopIteration as finished:
            return finished.value


def samples_of(turn: TurnRef, n: int, temperature: float, seed: int) -> Subject:
    """So many sampled answers to what a turn's model read."""
    return Subject("samples", turn, (n, temperature, seed))


def begin_samples(engine: Engine, workspace: Workspace, subject: Subject) -> None:
    """Begin to sample answers."""
    n, temperature, seed = subject.details

    def stream(model: LoadedModel, session: Session, stop: Stop) -> Generator[float, None, Any]:
        from llm_tracker.conversation.sample import stream_sample_answers

        samples = stream_sample_answers(model, session, subject.turn.turn, n, temperature, seed=seed, stop=stop)
        return shares_of(samples, n)

    compute(engine, workspace, subject, say("Answers are being sampled"), stream)
