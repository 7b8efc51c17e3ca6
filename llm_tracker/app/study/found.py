"""A study as the page shows it: made once of what is there, and drawn from that at every run of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.work.studying.so_far import StudySoFar, study_of
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.studies.views import study_figures
from llm_tracker.studies.statistics.published import PublishedTable, published_tables
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.labels import model_label


@dataclass(frozen=True, eq=False)
class FoundStudy:
    """A study with all that is made of it."""

    so_far: StudySoFar
    study: Study
    made: dict[str, Any]
    """Its summary."""
    views: tuple[tuple[Figure, Picture | None], ...]
    """Each figure, with its chart as a picture where it has one."""
    tables: tuple[PublishedTable, ...]

    @property
    def titles(self) -> dict[str, str]:
        """What each model is called, by its id, in order."""
        return {str(model["id"]): model_label(model, self.study.models) for model in self.study.models}


def found_study(so_far: StudySoFar) -> FoundStudy:
    """What is made of a study, once for each state of it."""
    return remembered("study", so_far, lambda: _made(so_far))


def _made(so_far: StudySoFar) -> FoundStudy:
    study = study_of(so_far)
    made = summary(study)
    figures = study_figures(study, made)
    views = tuple((figure, None if figure.chart is None else figure_picture(figure)) for figure in figures)
    return FoundStudy(so_far, study, made, views, tuple(published_tables(study)))
