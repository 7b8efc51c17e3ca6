"""A study as the page shows it: made once of what is there, and drawn from that at every run of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.work.studying.so_far import StudySoFar, study_of
from llm_tracker.export.study_paths import without_model_paths
from llm_tracker.export.study_report import study_command
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.studies.views import study_figures
from llm_tracker.studies.statistics.published import PublishedTable, published_tables
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.values.questions import Question
from llm_tracker.studies.values.reading import OWN
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.labels import model_label


@dataclass(frozen=True, eq=False)
class FoundStudy:
    """A study with all that is made of it, without a path of this machine in it."""

    so_far: StudySoFar
    study: Study
    made: dict[str, Any]
    """Its summary."""
    command: str
    """What makes it again; it names a model as it is named here."""
    views: tuple[tuple[Figure, Picture | None], ...]
    """Each figure, with its chart as a picture where it has one."""
    tables: tuple[PublishedTable, ...]

    @property
    def titles(self) -> dict[str, str]:
        """What each model is called, by its id, in order."""
        return {str(model["id"]): model_label(model, self.study.models) for model in self.study.models}

    @property
    def pending(self) -> list[tuple[str, Question]]:
        """What is still to be asked, with the model's title: of those models that something is there of."""
        begun = sorted({task.model for task in self.so_far.blocks})
        titles = dict(zip(begun, self.titles.values(), strict=True))
        missing = [task for task in self.so_far.missing if task.model in titles]
        return [(titles[task.model], each) for task in missing for each in self.so_far.plan.questions_of(task)]

    @property
    def questions_file(self) -> str:
        """What the command reads."""
        return questions_file(self.so_far)


def found_study(so_far: StudySoFar) -> FoundStudy:
    """What is made of a study, once for each state of it."""
    return remembered("study", so_far, lambda: made_of(so_far))


def made_of(so_far: StudySoFar) -> FoundStudy:
    """All that the page shows of a study."""
    named = study_of(so_far)
    study, _ = without_model_paths(named, {"conditions": [], "verdict_effect": []})
    made = summary(study)
    figures = study_figures(study, made)
    views = tuple((figure, None if figure.chart is None else figure_picture(figure)) for figure in figures)
    command = study_command(named, questions_file(so_far), FOLDER)
    return FoundStudy(so_far, study, made, command, views, tuple(published_tables(study)))


def questions_file(so_far: StudySoFar) -> str:
    """What a command reads: all of our own by their name, a file that was handed over, else one that is made here."""
    if so_far.plan.questions.name == OWN:
        return OWN
    return so_far.plan.questions.name if so_far.wish.source == "file" else QUESTIONS


FOLDER = "study"
"""Where the command writes."""

QUESTIONS = "questions.csv"
"""What typed questions are called as a file."""
