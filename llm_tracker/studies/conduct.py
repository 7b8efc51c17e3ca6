"""Run a study: block after block, kept as it comes; and put what was found together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from llm_tracker.errors import InputError, ModelError
from llm_tracker.languages.texts import say
from llm_tracker.load_options import AUTO, LoadOptions
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.progress import Report, ended, silent
from llm_tracker.prompts.recipes import Recipe
from llm_tracker.several import several
from llm_tracker.studies.engines.local import run_here, run_processes
from llm_tracker.studies.engines.usual_workers import usual_workers
from llm_tracker.studies.engines.worker import Loads
from llm_tracker.studies.folder import SUMMARY, StudyFolder, begun_on, write_text
from llm_tracker.studies.same_origin import require_same_origin
from llm_tracker.studies.values.conditions import USUAL, require_conditions, require_corrections
from llm_tracker.studies.values.plan import Plan, Task, plan_day, plan_recipe
from llm_tracker.studies.values.questions import QuestionSet
from llm_tracker.studies.values.reading import read_questions
from llm_tracker.studies.values.rows import Found
from llm_tracker.studies.values.study import Study
from llm_tracker.studies.values.tables import frames_of

if TYPE_CHECKING:
    from pathlib import Path

    from llm_tracker.models.loading.loaded_model import LoadedModel

EngineName = Literal["local", "ray"]


@dataclass(frozen=True)
class StudyProgress:
    """A study as far as it has come."""

    n_done: int
    """Blocks of questions, of all models."""
    n_blocks: int
    n_rows: int
    """That have been found in this run."""
    seconds_left: float | None
    """About; None before the first block is done."""

    @property
    def share(self) -> float:
        """What is done, in [0, 1]."""
        return self.n_done / self.n_blocks


def make_plan(
    questions: QuestionSet | str | Path,
    models: Sequence[str],
    conditions: Collection[str] = USUAL,
    corrections: Sequence[str] = (),
    n_wordings: int = 1,
    recipe: Recipe = "one-word",
    chain: bool = False,
    inside: bool = False,
    seed: int = 0,
    date: str | None = None,
    load: LoadOptions = AUTO,
) -> Plan:
    """The plan of a study; without a date, of today. Raises InputError for what cannot be asked, or cannot be read."""
    return Plan(
        questions=questions if isinstance(questions, QuestionSet) else read_questions(questions),
        models=_different(several(models)),
        conditions=require_conditions(several(conditions)),
        corrections=require_corrections(several(corrections)),
        n_wordings=n_wordings,
        **plan_recipe(recipe),
        chain=chain,
        inside=inside,
        seed=seed,
        date=plan_day(date),
        load=load,
    )


def _different(models: Sequence[str]) -> tuple[str, ...]:
    """The same names. Raises InputError where two of them mean one model: each question would count twice."""
    meant = [_meant(name) for name in models]
    twice = next((name for at, name in enumerate(models) if meant[at] in meant[:at]), None)
    if twice is not None:
        raise InputError(say("A model is named twice: “{model}”. Name each once.", model=twice), "models")
    return tuple(models)


def _meant(name: str) -> tuple[str, str | None]:
    """Where the model of a name is: a catalogue id and its hub id are one, as are two paths of one directory."""
    try:
        entry = find_entry(name)
    except ModelError:
        return name, None
    return entry.location, entry.revision


def stream_study(
    plan: Plan,
    out: str | None = None,
    engine: EngineName = "local",
    n_workers: int | None = None,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    loads: Loads | None = None,
    report: Report = silent,
    begun: Mapping[Task, Found] | None = None,
    keep: Callable[[Task, Found], object] = lambda _task, _found: None,
) -> Generator[StudyProgress, None, Study]:
    """Run a plan, yielding how far it has come.

    With `out` every block is written there as it comes; without, it is kept in memory, and what was `begun` is not done
    again. `keep` is told of each block. Without `n_workers`, they are as many as usual (`usual_workers`), and one for
    a model that is loaded here. Raises InputError for an engine or a folder that cannot be used, ModelError for a
    model that is not there or cannot be loaded, Cancelled where `stop` says so: what was found so far stays.
    """
    _require_engine(engine, n_workers, loads)
    if out is not None and not resume and engine == "local" and loads is None:
        for name in plan.models:  # before a folder is begun; where Ray works, a path may be known to its nodes alone
            find_entry(name)
    folder = None if out is None else StudyFolder(out, plan, resume)
    found = dict(begun or {})
    done = folder.done() if folder is not None else set(found)
    tasks = [task for task in plan.tasks if task not in done]
    n_blocks, began, n_rows = len(plan.tasks), time.monotonic(), 0
    yield StudyProgress(n_blocks - len(tasks), n_blocks, 0, None)
    for at, (task, block) in enumerate(_run(plan, tasks, engine, n_workers, stop, loads, report), 1):
        if folder is None:
            _require_alike(plan, found, task, block)
            found[task] = block
        else:
            folder.keep(task, block)
        keep(task, block)
        n_rows += len(block.tables["results"])
        left = (time.monotonic() - began) / at * (len(tasks) - at)
        yield StudyProgress(n_blocks - len(tasks) + at, n_blocks, n_rows, left)
    return _in_memory(plan, found) if folder is None else finished(plan, folder)


def _require_alike(plan: Plan, found: Mapping[Task, Found], task: Task, block: Found) -> None:
    """Refuse a block that another node computed with other weights, or in other versions."""
    earlier = next((each for done, each in found.items() if done.model == task.model), None)
    if earlier is not None:
        require_same_origin(plan.models[task.model], earlier.model, earlier.versions, block)


def _require_engine(engine: EngineName, n_workers: int | None, loads: Loads | None) -> None:
    """Refuse what no work can be done with, before a folder is begun."""
    if engine not in get_args(EngineName):
        known = ", ".join(get_args(EngineName))
        told = say("There is no engine “{name}”. Choose one of: {known}.", name=engine, known=known)
        raise InputError(told, "engine")
    if n_workers is not None and n_workers < 1:
        raise InputError(say("{n} workers were asked for. Give 1 or more.", n=n_workers), "workers")
    if loads is not None and (engine == "ray" or (n_workers or 1) > 1):
        raise InputError(
            say("A model that is loaded here stays in this process: name it, and each worker loads it."), "models"
        )
    if engine == "ray":
        from llm_tracker.studies.engines.ray_cluster import require_ray

        require_ray()


def _run(
    plan: Plan,
    tasks: Sequence[Task],
    engine: EngineName,
    n_workers: int | None,
    stop: Callable[[], bool],
    loads: Loads | None,
    report: Report,
) -> Iterator[tuple[Task, Found]]:
    if engine == "ray":
        from llm_tracker.studies.engines.on_ray import run_on_ray

        found: Iterator[tuple[Task, Found]] = run_on_ray(plan, tasks, n_workers, stop)
        return found
    if n_workers is None:
        n_workers = usual_workers(plan) if loads is None else 1
    if n_workers > 1:
        return run_processes(plan, tasks, n_workers, stop, report)
    return run_here(plan, tasks, stop, loads, report)


def _in_memory(plan: Plan, found: Mapping[Task, Found]) -> Study:
    blocks = [found[task] for task in plan.tasks]
    firsts = [next(found[task] for task in plan.tasks if task.model == at) for at in range(len(plan.models))]
    return Study(plan.record(), tuple(each.model for each in firsts), dict(blocks[-1].versions), frames_of(blocks))


def finished(plan: Plan, folder: StudyFolder) -> Study:
    """Put the blocks of a folder together: results.parquet, what else was asked for, and summary.json."""
    from llm_tracker.studies.statistics.summary import summary
    from llm_tracker.studies.values.rows import TABLES

    folder.finish()
    models = tuple(folder.models())
    study = Study(plan.record(), models, dict(folder.versions), {name: folder.frame(name) for name in TABLES})
    write_text(folder.place, SUMMARY, json.dumps(summary(study), ensure_ascii=False, indent=1))
    return study


def study(
    questions: QuestionSet | str | Path,
    models: Sequence[str | LoadedModel] | str | LoadedModel = ("embedded",),
    conditions: Collection[str] = USUAL,
    corrections: Sequence[str] = (),
    n_wordings: int = 1,
    recipe: Recipe = "one-word",
    chain: bool = False,
    inside: bool = False,
    out: str | None = None,
    resume: bool = False,
    engine: EngineName = "local",
    workers: int | None = None,
    seed: int = 0,
    date: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    stop: Callable[[], bool] = lambda: False,
    see: Callable[[StudyProgress], object] = lambda _progress: None,
) -> Study:
    """Ask many questions of one or several models, correct the answers in many ways, and write everything down.

    `questions` are a set, the path of a CSV, JSON Lines or Parquet file with the columns question, answer and foil, or
    “questions”, the project's own. `models` are names, or loaded models. Each of `conditions` (“all” of them) is asked
    in `n_wordings` ways; `corrections` are the reader's own, in which {answer}, {foil} and {named} stand for the
    question's words. `chain` adds five turns of pressure one after another, `inside` the lens, where the named word
    travels, and its heads. `date` is what a chat template writes as today's. With `out`, a folder or a URL, every
    block of questions is written down as it comes, at the end all of the tables and summary.json; `resume` goes on with
    what is there. `workers` are processes, or Ray's actors; without a number one for each core, as far as memory goes.
    Rows, columns and units: docs/studies.md.

    Raises InputError for what cannot be asked or written, ModelError for a model that is not there or cannot be loaded,
    Cancelled where `stop` says so.
    """
    date = date or (begun_on(out) if resume and out is not None else None)
    models = [models] if isinstance(models, str) or not isinstance(models, Iterable) else models
    loaded = {model.id: model for model in models if not isinstance(model, str)}
    names = [model if isinstance(model, str) else model.id for model in models]
    options = LoadOptions(device, dtype)
    plan = make_plan(questions, names, conditions, corrections, n_wordings, recipe, chain, inside, seed, date, options)
    loads = _loader(loaded, options) if loaded else None
    return ended(stream_study(plan, out, engine, workers, resume, stop, loads), see)


def _loader(loaded: Mapping[str, LoadedModel], options: LoadOptions) -> Loads:
    from llm_tracker.models.loading.load import load

    return lambda name: loaded[name] if name in loaded else load(name, options)
