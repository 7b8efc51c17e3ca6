"""A study without what names a place on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from llm_tracker.export.machine_paths import named_without_path, places_of, without_places
from llm_tracker.studies.values.study import Study
from llm_tracker.tracing.session import ModelInfo

Record = dict[str, Any]


def without_model_paths(study: Study, made: Mapping[str, Any]) -> tuple[Study, Record]:
    """A study and its summary with ids that are paths cut to their last part, and no path in what is said of a model.

    Two ids that would be the same then are numbered, and so are their titles: rows of two models stay those of two. The
    plan may name a model that was not asked yet: its id is cut, too.
    """
    infos = [_info(model) for model in study.models]
    names = _names([*infos, *(_info({"id": each, "title": each}) for each in study.plan["models"])])
    models = tuple(_bare(model, info, names[info.id]) for model, info in zip(study.models, infos, strict=True))
    tables = {name: table.assign(model=table["model"].replace(names)) for name, table in study.tables.items()}
    versions = {name: without_places(version, []) for name, version in study.versions.items()}
    summed = {name: [each | {"model": names[each["model"]]} for each in made[name]] for name in _OF_MODELS}
    plan = {**study.plan, "models": [names[each] for each in study.plan["models"]]}
    return replace(study, plan=plan, models=models, tables=tables, versions=versions), {**made, **summed}


_OF_MODELS = ("conditions", "verdict_effect")
"""Where a summary has a record for each model."""


def _names(infos: list[ModelInfo]) -> dict[str, str]:
    names: dict[str, str] = {}
    for info in infos:
        if info.id in names:
            continue
        name = named_without_path(info)
        taken = [known for own_id, known in names.items() if own_id != info.id]
        n_before = sum(known == name or known.startswith(f"{name} (") for known in taken)
        names[info.id] = f"{name} ({n_before + 1})" if n_before else name
    return names


def _bare(model: Mapping[str, Any], info: ModelInfo, name: str) -> Record:
    places = places_of(info)
    notices = [without_places(notice, places) for notice in model.get("notices", ())]
    return {
        **model,
        "id": name,
        "title": without_places(info.title, places) + name.removeprefix(named_without_path(info)),
        "path": None,
        "revision": info.revision and without_places(info.revision, places),
        "notices": notices,
    }


def _info(model: Mapping[str, Any]) -> ModelInfo:
    return ModelInfo(**{each.name: model.get(each.name) for each in fields(ModelInfo)})  # type: ignore[arg-type]
