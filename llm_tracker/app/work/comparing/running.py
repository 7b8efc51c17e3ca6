"""One conversation on several models, as jobs: one after the other, each in the thread of its model.

What came stays, whatever becomes of the others: a model that cannot be had costs only itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from llm_tracker.analysis.across_models.runs import ModelRun
from llm_tracker.app.work.admission import refusal, too_long, why_not_at_hand
from llm_tracker.app.work.asking import bounded
from llm_tracker.app.work.background import run_shown_control
from llm_tracker.app.work.comparing.variants import Comparing, Variant
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import ModelError
from llm_tracker.languages.texts import say
from llm_tracker.progress import ended
from llm_tracker.settings import with_flags

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel
    from llm_tracker.tracing.session import Session


def comparing_on(turn: TurnRef, before: int | None) -> Subject:
    """The conversation up to a turn on several models; `before` is the turn that is compared with it."""
    return Subject("models", turn, (before,))


def compared(workspace: Workspace, subject: Subject) -> Comparing:
    """What came of a conversation on several models so far."""
    found: Comparing = workspace.computed.get(subject) or Comparing()
    return found


def begin_comparing(
    engine: Engine, workspace: Workspace, subject: Subject, wanted: Sequence[Variant], words: Sequence[str]
) -> None:
    """Begin to have a conversation on the models that are missing, the `words` followed on all.

    A model in the number format that the app itself loads models in is the app's own: it is not loaded apart.
    """
    workspace.errors.pop(subject, None)

    def start() -> Job | None:
        session = workspace.sessions.get(subject.turn.session)
        if session is None:
            return None
        if said := too_long(engine, session):
            workspace.errors[subject] = said
            return None
        own = engine.settings.options.dtype
        plain = [Variant(each.model_id) if each.dtype == own else each for each in wanted]
        workspace.keep_computed(subject, compared(workspace, subject).asked_for(list(dict.fromkeys(plain)), words))
        return _next(engine, workspace, subject)

    workspace.begin_background(start)


def _next(engine: Engine, workspace: Workspace, subject: Subject) -> Job | None:
    """Begin the next model that can be begun; why one cannot is kept in its place."""
    session = workspace.sessions.get(subject.turn.session)
    if session is None or subject not in workspace.computed:
        return None
    for variant in compared(workspace, subject).ahead:
        said = _why_not(engine, workspace, session, variant, compared(workspace, subject).words)
        if not said:
            return _run(engine, workspace, subject, session, variant)
        _keep_failure(workspace, subject, variant, said)
    return None


def _why_not(engine: Engine, workspace: Workspace, session: Session, variant: Variant, words: Sequence[str]) -> str:
    """Why a model cannot be begun; empty where it can."""
    try:
        entry = engine.models.entry(variant.model_id)
    except ModelError as error:
        return with_flags(error)
    if variant.dtype and engine.settings.public:
        return say("This host is shared, and has its models in one number format only.")
    if said := why_not_at_hand(engine, entry.id):
        return said
    longest = max((*(turn.said for turn in session.turns), *words), key=len)
    return refusal(engine, workspace, entry.id, longest)


def _run(engine: Engine, workspace: Workspace, subject: Subject, session: Session, variant: Variant) -> Job:
    """Queue the conversation on one model; the next one follows on it, unless it was stopped."""
    model_id = engine.models.entry(variant.model_id).id
    now = compared(workspace, subject)

    def work(job: Job) -> ModelRun:
        model = engine.models.model(model_id, job.report, variant.dtype)
        job.progress = None
        try:
            return _had(engine, workspace, subject, session, model, now.words, job)
        finally:
            if variant.dtype:  # nothing else of the app uses it, and its room is needed
                del model
                engine.models.let_go(model_id, variant.dtype)

    def keep(job: Job) -> None:
        _keep(workspace, subject, compared(workspace, subject).with_run(variant, job.result))

    def fail(job: Job) -> None:
        if job.status != "stopped":
            _keep_failure(workspace, subject, variant, job.error)

    job = Job(
        "models",
        model_id,
        subject=subject,
        meanwhile=Meanwhile(say("On the Compare page: the same conversation on other models …"), is_drawn_by_view=True),
        keep=keep,
        fail=fail,
    )
    job.follow_up = partial(_go_on, engine, workspace, subject, job)
    return engine.submit(workspace, job, work)


def _go_on(engine: Engine, workspace: Workspace, subject: Subject, job: Job) -> None:
    """What follows on a model: the next one, or the control that is still owed."""
    if not job.stopping():
        workspace.begin_background(partial(_next, engine, workspace, subject))
    run_shown_control(engine, workspace)


def _keep_failure(workspace: Workspace, subject: Subject, variant: Variant, said: str) -> None:
    _keep(workspace, subject, compared(workspace, subject).with_failure(variant, said))


def _keep(workspace: Workspace, subject: Subject, now: Comparing) -> None:
    """Keep what came, unless its conversation was let go meanwhile, and all that was computed of it with it."""
    if subject in workspace.computed:
        workspace.keep_computed(subject, now)


def _had(
    engine: Engine,
    workspace: Workspace,
    subject: Subject,
    session: Session,
    model: LoadedModel,
    words: Sequence[str],
    job: Job,
) -> ModelRun:
    """The conversation as one model has it, with the recipe and the decoding of the session."""
    from llm_tracker.conversation.branch import begun_like
    from llm_tracker.conversation.same_conversation import stream_same_conversation

    begun = begun_like(session, model)
    begun = replace(begun, decoding=bounded(engine, begun.decoding))
    said = [turn.said for turn in session.turns[: subject.turn.turn + 1]]
    (before,) = subject.details
    control = workspace.control and before is not None
    steps = stream_same_conversation(model, begun, said, words, before, control, job.stopping)
    return ended(steps, job.has_done)
