"""A study as jobs, one for each model, in the thread of that model.

What has come by then stays, whether it is stopped, fails or is overtaken by a question; it is gone on with from there.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from llm_tracker.app.work.admission import refusal, why_not_at_hand
from llm_tracker.app.work.background import run_shown_control
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.jobs import Job, Meanwhile
from llm_tracker.app.work.keeping.bounds import MAX_COMPUTED_BYTES
from llm_tracker.app.work.studying.so_far import StudySoFar, bytes_of
from llm_tracker.app.work.studying.wish import Wish
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.progress import ended
from llm_tracker.studies.values.plan import Plan, Task
from llm_tracker.studies.values.rows import Found

STUDY = Subject("study", TurnRef(-1, 0), stays=True)
"""The study of a workspace. It is of no conversation: none that is let go takes it along."""

MOST_QUESTIONS = 1000
"""Of a study that is kept in memory; the command line, which writes to a folder, takes any number."""

USUAL_LAYERS = 32
"""What a model that is not loaded is taken to have."""

MOST_PUBLIC_QUESTIONS, MOST_PUBLIC_CONDITIONS = 20, 6
"""On a host that strangers share, who wait for each other."""


def kept_study(workspace: Workspace) -> StudySoFar | None:
    """The study that is kept, as far as it came."""
    found: StudySoFar | None = workspace.computed.get(STUDY)
    return found


def shown_study(workspace: Workspace) -> StudySoFar | None:
    """The study that is under way, once something of it is there; else the one that is kept."""
    job = workspace.job
    if job is not None and workspace.is_at_work_on(STUDY) and job.found is not None and job.found.blocks:
        found: StudySoFar = job.found
        return found
    return kept_study(workspace)


def begun_elsewhere(engine: Engine, workspace: Workspace) -> StudySoFar | None:
    """The study that the same owner had last, in a tab that may be closed by now; None where there is none."""
    own = [each for each in engine.workspaces if each is not workspace and each.owner == workspace.owner]
    studies = [study for each in own if (study := kept_study(each)) is not None and study.blocks]
    return studies[-1] if studies else None


def take_over(workspace: Workspace, study: StudySoFar) -> None:
    """Keep a study in a workspace, too."""
    workspace.keep_computed(STUDY, study)


def most_questions(engine: Engine) -> int:
    """How many questions are taken here at once."""
    return MOST_PUBLIC_QUESTIONS if engine.settings.public else MOST_QUESTIONS


def why_not(engine: Engine, plan: Plan) -> str:
    """Why this host does not take a plan; empty where it does."""
    n, most = len(plan.questions), most_questions(engine)
    if n > most:
        said = TOO_MANY_FOR_A_HOST if engine.settings.public else TOO_MANY
        return say(said, n=number(n, ","), most=number(most, ","))
    texts = [name for name in plan.conditions if name not in ("baseline", "asked_again")]
    too_many = len(texts) > MOST_PUBLIC_CONDITIONS or plan.n_wordings > 1 or plan.chain or plan.inside
    if engine.settings.public and too_many:
        return say(
            "This host is shared: it takes {most} texts at most, each in one wording.", most=MOST_PUBLIC_CONDITIONS
        )
    return _too_large(engine, plan)


TOO_MANY = later(
    "There are {n} questions. This page keeps its rows in memory, and takes {most} at most: leave some out, or run "
    "`llm-tracker study` on a machine of your own, which takes any number."
)
TOO_MANY_FOR_A_HOST = later(
    "There are {n} questions. This host is shared, and takes {most} at most: leave some out, or run `llm-tracker "
    "study` on a machine of your own, which takes any number."
)


def _too_large(engine: Engine, plan: Plan) -> str:
    """Why the rows of a plan cannot be kept in memory; empty where they can."""
    loaded = [engine.models.loaded(model_id) for model_id in plan.models]
    n_bytes = bytes_of(plan, [USUAL_LAYERS if model is None else model.architecture.n_layers for model in loaded])
    if n_bytes <= MAX_COMPUTED_BYTES:
        return ""
    less = say("take fewer questions, do not look inside") if plan.inside else say("take fewer questions or texts")
    return say(
        "The rows of this study take about {n} MiB. This page keeps them in memory, up to {most} MiB: {less}, or run "
        "`llm-tracker study`, which writes them to a folder.",
        n=number(n_bytes >> 20, ","),
        most=number(MAX_COMPUTED_BYTES >> 20, ","),
        less=less,
    )


def is_all_there(workspace: Workspace, plan: Plan) -> bool:
    """Whether all of a plan has been asked, and is kept."""
    kept = kept_study(workspace)
    return kept is not None and kept.is_whole and kept.plan.digest == plan.digest


def begin_study(engine: Engine, workspace: Workspace, wish: Wish, plan: Plan) -> None:
    """Begin a study; where the same was begun before, with what there is of it."""
    kept = kept_study(workspace)
    is_same = kept is not None and kept.plan.digest == plan.digest
    begun = replace(kept, wish=wish) if kept is not None and is_same else StudySoFar(plan, wish)
    _begin(engine, workspace, begun)


def go_on(engine: Engine, workspace: Workspace) -> None:
    """Go on with the study that is kept."""
    kept = kept_study(workspace)
    if kept is not None:
        _begin(engine, workspace, kept)


def _begin(engine: Engine, workspace: Workspace, begun: StudySoFar) -> None:
    workspace.errors.pop(STUDY, None)
    workspace.begin_background(partial(_next, engine, workspace, begun))


def _next(engine: Engine, workspace: Workspace, begun: StudySoFar) -> Job | None:
    """Queue what is missing of the first model that something is missing of."""
    if begun.is_whole:
        return None
    at = begun.missing[0].model
    said = why_not(engine, begun.plan) or why_not_at_hand(engine, begun.plan.models[at])
    if said := said or refusal(engine, workspace, begun.plan.models[at], _longest_text(begun.plan)):
        workspace.errors[STUDY] = said
        return None
    return _run(engine, workspace, begun, at)


def _longest_text(plan: Plan) -> str:
    """The longest of all that was typed: questions, their words, of which each name is scored, and corrections."""
    texts = [text for each in plan.questions for text in (each.question, "|".join(each.answers), each.foil)]
    return max([*texts, *plan.corrections], key=len)


def _run(engine: Engine, workspace: Workspace, begun: StudySoFar, at: int) -> Job:
    """Queue the blocks of one model; the next model follows on it, unless it was stopped."""

    def work(job: Job) -> StudySoFar:
        from llm_tracker.studies.conduct import StudyProgress, stream_study

        model = engine.models.model(job.model_id, job.report)
        job.progress = None
        own, blocks = replace(begun.plan, models=(job.model_id,)), dict(begun.blocks)

        def keep(task: Task, found: Found) -> None:
            blocks[Task(at, task.block)] = found

        def see(progress: StudyProgress) -> None:
            now = replace(begun, blocks=dict(blocks))
            job.has_done(now.share)
            job.has_found(replace(now, seconds_left=_of_all(now, at, progress.seconds_left)))

        of_it = begun.of_model(at)
        ended(stream_study(own, stop=job.stopping, loads=lambda _name: model, begun=of_it, keep=keep), see)
        return replace(begun, blocks=blocks, seconds_left=None)

    def fail(job: Job) -> None:
        if job.found is not None and job.found.blocks:
            workspace.keep_computed(STUDY, replace(job.found, seconds_left=None))
        if job.status != "stopped":
            workspace.errors[STUDY] = job.error

    job = Job(
        "study",
        begun.plan.models[at],
        subject=STUDY,
        meanwhile=Meanwhile(say("On the Study page: questions are being asked …"), is_drawn_by_view=True),
        keep=lambda job: workspace.keep_computed(STUDY, job.result),
        fail=fail,
    )
    job.follow_up = partial(_follow_up, engine, workspace, job)
    return engine.submit(workspace, job, work)


def _of_all(now: StudySoFar, at: int, seconds_left: float | None) -> float | None:
    """About how long all models take that are left, if the others are as fast as this one."""
    n_own = sum(task.model == at for task in now.missing)
    return None if seconds_left is None or not n_own else seconds_left / n_own * len(now.missing)


def _follow_up(engine: Engine, workspace: Workspace, job: Job) -> None:
    """What follows on a model: the next one, or the control that is still owed."""
    if job.status == "done" and not job.stopping():
        workspace.begin_background(partial(_next, engine, workspace, job.result))
    run_shown_control(engine, workspace)
