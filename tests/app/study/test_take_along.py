"""What is taken along of a study: questions that read back the same, a command that runs, no path of this machine."""

from __future__ import annotations

import argparse
import io
import shlex
from dataclasses import replace

import pytest
from comparing import by_name
from pyarrow import parquet

from llm_tracker.app.study.found import FoundStudy, made_of, questions_file
from llm_tracker.app.study.take_along import questions_csv, table_parquet
from llm_tracker.app.study.times import about
from llm_tracker.app.work.studying.so_far import StudySoFar
from llm_tracker.app.work.studying.wish import Wish, own_part, plan_of, questions_of
from llm_tracker.cli.commands import study as study_command
from llm_tracker.export.study_report import study_report
from llm_tracker.load_options import AUTO
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.values.questions import Question, QuestionSet
from llm_tracker.studies.values.reading import own_questions, questions_in
from llm_tracker.studies.values.rows import COLUMNS

PATH = "/home/somebody/models/mine"


@pytest.fixture(scope="module")
def found() -> FoundStudy:
    """One question of a model that is a directory of this machine."""
    wish = Wish(typed="What is it?, Paris, London", correction="It's {named}.")
    plan = plan_of(wish, questions_of(wish), (PATH,), "one-word", AUTO)
    model = by_name("embedded", AUTO)
    model = replace(model, entry=replace(model.entry, id=PATH, title="mine", source="directory", location=PATH))
    blocks = {task: read_block(model, plan, plan.questions_of(task)) for task in plan.tasks}
    return made_of(StudySoFar(plan, wish, blocks))


def test_questions_read_back_as_they_were() -> None:
    odd = Question("a", 'Is "it", then?\n', "Yes, it is", "Maybe|later", ("Yep", "Sure, it is"), "x", "easy", True)
    questions = QuestionSet("q.csv", (odd, *own_questions()))
    assert questions_in("q.csv", questions_csv(questions).encode()) == replace(
        questions, questions=(replace(odd, question='Is "it", then?'), *own_questions())
    )


def test_the_command_is_one_that_the_command_line_takes(found: FoundStudy) -> None:
    parser = argparse.ArgumentParser()
    study_command.add_arguments(parser)
    args = parser.parse_args(shlex.split(found.command)[2:])
    assert (args.questions, args.model, args.correction) == ("questions.csv", [PATH], ["It's {named}."])
    assert args.condition == list(found.so_far.plan.conditions)


def test_nothing_but_the_command_names_a_place_on_this_machine(found: FoundStudy) -> None:
    report = study_report(found.study, found.made, "the command")
    told = [str(found.made), report, found.study.rows.to_csv(), *(figure.frame.to_csv() for figure, _ in found.views)]
    assert all("somebody" not in each for each in told)
    assert found.titles == {"mine": "mine"}


def test_nor_does_a_second_model_that_was_not_asked_yet(found: FoundStudy) -> None:
    so_far = found.so_far
    plan = replace(so_far.plan, models=(PATH, "/home/somebody/more models/other", "/home/somebody/else/mine", "a/b"))
    half = made_of(replace(so_far, plan=plan))
    assert half.study.plan["models"] == ["mine", "other", "mine (2)", "a/b"]
    assert "somebody" not in str(half.made)
    assert "somebody" not in study_report(half.study, half.made, "the command")


def test_a_table_has_the_columns_and_the_types_of_the_command_lines(found: FoundStudy) -> None:
    table = parquet.read_table(io.BytesIO(table_parquet(found.study, "results")))
    assert table.column_names == list(COLUMNS["results"])
    assert table.to_pandas()["margin"].tolist() == found.study.rows["margin"].tolist()


def test_a_command_reads_our_own_by_name_and_a_part_of_them_from_a_file(found: FoundStudy) -> None:
    so_far = found.so_far
    for part, name in (("10", "questions.csv"), ("120", "questions")):
        plan = replace(so_far.plan, questions=own_part(part))  # type: ignore[arg-type]
        assert questions_file(replace(so_far, plan=plan, wish=Wish("own", part=part))) == name  # type: ignore[arg-type]
    plan = replace(so_far.plan, questions=replace(so_far.plan.questions, name="theirs.jsonl"))
    assert questions_file(replace(so_far, plan=plan, wish=Wish("file"))) == "theirs.jsonl"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "about 1 s"), (8.4, "about 8 s"), (43, "about 45 s"), (170, "about 3 min"), (7300, "about 2 h")],
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert about(seconds) == said
