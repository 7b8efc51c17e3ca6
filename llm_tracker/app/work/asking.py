"""Questions and corrections: what is asked of which model, and where its answer goes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.app.work.admission import not_at_hand, refusal, too_long
from llm_tracker.app.work.background import run_shown_control, score_shown_words
from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import Cancelled
from llm_tracker.languages.texts import say
from llm_tracker.progress import Progress, ended
from llm_tracker.storage.store.summaries import Unanswered
from llm_tracker.tracing.session import Decoding

if TYPE_CHECKING:
    from llm_tracker.app.work.engine import Engine
    from llm_tracker.models.loading.loaded_model import LoadedModel
    from llm_tracker.tracing.session import Session


logger = logging.getLogger(__name__)


def ask(engine: Engine, workspace: Workspace, question: str) -> None:
    """Ask a new question in a new session, of the model chosen in the sidebar as soon as that can answer."""
    model_id, recipe = engine.answering_id(workspace), workspace.recipe
    wanted = workspace.thinking.get(recipe)
    decoding = bounded(engine, Decoding(workspace.max_new_tokens, max_thought_tokens=workspace.max_thought_tokens))

    def begin(model: LoadedModel) -> Session:
        from llm_tracker.conversation.template_use import switched
        from llm_tracker.conversation.turns import begin_session

        return begin_session(model, recipe, decoding, thinking=switched(model, recipe, wanted))

    def start() -> Job | None:
        if said := refusal(engine, workspace, model_id, question):
            workspace.errors["ask"] = said
            return None
        answer = ComingAnswer("ask", question, *_lengths(decoding))
        return _first_answer(engine, workspace, model_id, answer, begin)

    workspace.begin(start)


def bounded(engine: Engine, decoding: Decoding) -> Decoding:
    """No longer answers than may be asked for here, whatever a session that was imported says."""
    limits = engine.limits
    return replace(
        decoding,
        max_new_tokens=min(decoding.max_new_tokens, limits.answer_tokens),
        max_thought_tokens=min(decoding.max_thought_tokens, limits.thought_tokens),
    )


def _lengths(decoding: Decoding) -> tuple[int, int]:
    return decoding.max_new_tokens, decoding.max_thought_tokens


def ask_same(engine: Engine, workspace: Workspace, number: int) -> None:
    """Ask the chosen model what a session began with, in the same way; the two first answers then stand beside."""

    def start() -> Job | None:
        session = workspace.sessions.get(number)
        if session is None:
            workspace.errors["ask"] = say("That question is not kept any more. Type it again, then press Ask.")
            return None
        if said := refusal(engine, workspace, workspace.model_id, session.turns[0].said):
            workspace.errors["ask"] = said
            return None
        joins = TurnRef(number, 0)
        answer = ComingAnswer("ask", session.turns[0].said, *_lengths(session.decoding), "after", joins)

        def begin(model: LoadedModel) -> Session:
            from llm_tracker.conversation.branch import begun_like

            begun = begun_like(session, model)
            return replace(begun, decoding=bounded(engine, begun.decoding))

        return _first_answer(engine, workspace, workspace.model_id, answer, begin)

    workspace.begin(start)


def correct(engine: Engine, workspace: Workspace, corrected: TurnRef, correction: str) -> None:
    """Correct an answer on the model that gave it: a session goes on, or branches where it had gone on already."""

    def start() -> Job | None:
        session = workspace.sessions.get(corrected.session)
        if session is None:
            gone = say("That answer is not kept any more. Ask its question again, then correct it.")
            workspace.errors["correct"] = gone
            return None
        if said := not_at_hand(engine, session):
            why_not = say("This conversation can be looked at, but not gone on with: {why}", why=said)
            workspace.errors["correct"] = why_not
            return None
        if said := too_long(engine, session) or refusal(engine, workspace, session.model.id, correction):
            workspace.errors["correct"] = said
            return None
        origin, sessions = corrected.session, workspace.sessions
        goes_on = corrected.turn == len(session.turns) - 1 and sessions.is_own(origin)
        of = (sessions.stored_id(origin), corrected.turn)
        unanswered = Unanswered("correct", correction, session.model.id, session.recipe, *of)
        number = sessions.begin(unanswered, origin if goes_on else None, origin)
        answer = ComingAnswer("correct", correction, *_lengths(session.decoding), "after")

        def begin(model: LoadedModel) -> Session:
            from llm_tracker.conversation.branch import up_to

            begun = up_to(workspace.current(session, corrected.session), corrected.turn, model)
            return replace(begun, decoding=bounded(engine, begun.decoding))

        def keep(job: Job) -> None:
            # In a branch the corrected answer is kept again: both sides are of one session, whose control compares.
            kept_as = workspace.sessions.keep(number, job.result)
            workspace.show(TurnRef(kept_as, corrected.turn), TurnRef(kept_as, corrected.turn + 1))

        return _converse(engine, workspace, session.model.id, answer, number, begin, keep)

    workspace.begin(start)


def _first_answer(
    engine: Engine,
    workspace: Workspace,
    model_id: str,
    answer: ComingAnswer,
    begin: Callable[[LoadedModel], Session],
) -> Job:
    """A question in a session of its own, whose answer stands alone or beside the one that it joins."""
    joins = answer.joins
    number = workspace.sessions.begin(Unanswered("ask", answer.said, model_id, workspace.recipe))

    def keep(job: Job) -> None:
        own = TurnRef(workspace.sessions.keep(number, job.result), 0)
        if joins is not None and joins.session in workspace.sessions:
            workspace.show(joins, own)
        else:
            workspace.show(own, None)

    def afterwards() -> None:
        read_first_position(engine, workspace, model_id, number)

    return _converse(engine, workspace, model_id, answer, number, begin, keep, afterwards)


def _converse(
    engine: Engine,
    workspace: Workspace,
    model_id: str,
    answer: ComingAnswer,
    number: int,
    begin: Callable[[LoadedModel], Session],
    keep: Callable[[Job], object],
    afterwards: Callable[[], object] = lambda: None,
) -> Job:
    """Queue the next turn of a session that begins with the model."""

    def work(job: Job) -> Session:
        from llm_tracker.conversation.turns import stream_turn

        model = engine.models.model(model_id, job.report)
        job.progress = None  # the model is there: what the page says from now on is about the answer
        session = begin(model)
        answer.may_think = session.template.thinks
        answered = ended(stream_turn(model, session, answer.said, job.stopping, answer.skipping), answer.wrote)
        is_alone = engine.models.worker(model_id).n_waiting == 0
        return answered if is_alone else _with_what_follows(workspace, model, answered, job)

    def fail(job: Job) -> None:
        workspace.errors[answer.form] = job.error
        workspace.sessions.give_up(number)

    def follow_up() -> None:
        score_shown_words(engine, workspace)
        run_shown_control(engine, workspace)

    job = Job(answer.form, model_id, answer, keep=keep, fail=fail, follow_up=follow_up)
    return engine.submit(workspace, job, work, afterwards)


def _with_what_follows(workspace: Workspace, model: LoadedModel, session: Session, job: Job) -> Session:
    """An answer with its control and its words' scores at once: where others wait, each page is drawn less often so.

    Stop leaves out what is missing then; so does a failure: the answer is worth more, and a page that shows it begins
    what is missing again, and says why it fails.
    """
    from llm_tracker.conversation.control import stream_control
    from llm_tracker.conversation.whole_words import with_word_scores

    turn = len(session.turns) - 1
    try:
        if workspace.control and session.lacks_control(turn):
            job.progress = Progress(say("Asking again"))
            session = ended(stream_control(model, session, turn, job.stopping))
        return with_word_scores(model, session, turns={turn}, stop=job.stopping)
    except Cancelled:
        return session
    except Exception:
        logger.exception("what follows an answer failed")
        return session


def read_first_position(engine: Engine, workspace: Workspace, model_id: str, number: int) -> None:
    """Read the lens of a first answer's first position, where it will be compared with other answers.

    The answer is on the screen already; once another one is asked for, this model may have had to make room.
    """
    model, session = engine.models.loaded(model_id), workspace.sessions.get(number)
    if model is not None and session is not None:
        from llm_tracker.conversation.lenses import with_lenses

        workspace.keep_fuller(number, with_lenses(model, workspace.current(session, number), "compared"))
