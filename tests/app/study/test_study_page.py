"""The Study page, run as a script: what it offers, what comes of it, and what is refused."""

from __future__ import annotations

import io

import pytest
from comparing import by_name
from explore import alts
from pyarrow import parquet
from studying import (
    STUDY,
    THREE,
    all_run,
    chosen_source,
    kept,
    on_study,
    pressed,
    run_study,
    said_in_red,
    table_rows,
    typed,
)
from visitor import Loader, chosen, headings, reopened, settled, shown_html, visitor

import llm_tracker as lt
from llm_tracker.app.study.take_along import table_parquet
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work import model_desk
from llm_tracker.app.work.studying.so_far import study_of
from llm_tracker.app.work.studying.wish import EXAMPLE
from llm_tracker.experiments.values.conditions import WORDINGS
from llm_tracker.studies.values.rows import COLUMNS
from llm_tracker.wording.formats import visible
from llm_tracker.wording.studies.labels import LIMITS

ANSWERS = "Answers before and after"
VIEWS = ["What each text does to the lead", "What is written", "Ahead by how much, moved by how much"]


def test_before_anything_was_run_three_questions_stand_there_and_it_says_what_to_do(engine: engines.Engine) -> None:
    at = on_study(engine)
    assert at.text_area(key="study questions").value == EXAMPLE
    assert "Nothing has been run yet. Press Run the study" in shown_html(at)
    assert "The three questions that the page opens with are an example." in shown_html(at)
    assert "3 questions, 5 answers each by" in shown_html(at)
    assert headings(at) == []
    assert at.multiselect(key="study conditions").value == ["right", "wrong", "wrong_alternative"]


def test_questions_that_were_pasted_give_the_answers_that_the_model_gives_in_a_conversation(
    engine: engines.Engine,
) -> None:
    at = run_study(engine, on_study(engine))
    head, *rows = table_rows(at, ANSWERS)
    assert [row[0] for row in rows] == ["What is it?", "Who is it?", "Where is it?"]
    model = engine.models.loaded("embedded")
    assert model is not None
    for row, line in zip(rows, THREE.splitlines(), strict=True):
        cell = dict(zip(head, row, strict=True))
        question, answer, foil = (each.strip() for each in line.split(","))
        assert cell["right / foil"] == f"{answer} / {foil}"
        text = WORDINGS["wrong_alternative"][0].format(named=cell["named"])
        first, after = lt.track(model, question, text, max_new_tokens=10).turns
        again = lt.track(model, question, WORDINGS["asked_again"][0], max_new_tokens=10).turns[1]
        assert [cell["first answer"], cell["answer after"], cell["asked again"]] == [
            (visible(turn.answer.strip()) or "(nothing)") for turn in (first, after, again)
        ]


def test_the_limits_come_first_then_the_table_and_every_view_has_its_sentence(engine: engines.Engine) -> None:
    at = run_study(engine, on_study(engine))
    assert headings(at) == [
        "What was found",
        "Before and after",
        *VIEWS,
        "In the shapes of published tables",
        "Take it along",
    ]
    html = shown_html(at)
    assert html.index(LIMITS) < html.index(ANSWERS)
    assert "With fewer than 6 questions nothing can be said of others" in html
    assert all(each.split(".")[0] in VIEWS for each in alts(at))


def short(lead: float) -> str:
    """With its sign, in three digits or fewer, of which two are behind the point at most."""
    digits = 2 if abs(lead) < 1 else 1 if abs(lead) < 10 else 0
    return "0" if abs(lead) < 0.005 else f"{lead:+.{digits}f}"


def test_another_text_is_shown_in_the_same_table_beside_its_control(engine: engines.Engine) -> None:
    at = run_study(engine, on_study(engine))
    (box,) = [each for each in at.selectbox if each.label == "What was said"]
    assert box.value == "wrong_alternative"
    at = settled(box.set_value("right").run())
    head, *rows = table_rows(at, ANSWERS)
    assert "Told each time: “<bdi>That is right.</bdi>”" in shown_html(at)
    assert "named" not in head
    by_hand = study_of(kept(engine)).rows.set_index(["question", "condition"])["margin"]
    for row in rows:
        again, own = by_hand[row[0], "asked_again"], by_hand[row[0], "right"]
        assert dict(zip(head, row, strict=True))["lead: asked again → after"] == f"{short(again)} → {short(own)}"
        assert row[-1] == short(own - again)
    at = settled(box.set_value("asked_again").run())
    assert table_rows(at, ANSWERS)[0][-2:] == ["outcome", "lead"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "There are no questions yet."),
        ("   \n \n", "There are no questions yet."),
        ("What is it?, Paris", "row 1: there is no foil. Write question, answer, foil"),
        ("What is it?, Paris, London\nWho?, Bonn, bonn", "row 2: “foil” is bonn, which is the right word."),
        ("\n".join(f"Is it {n}?, Yes, No" for n in range(10_000)), "There are 10,000 questions."),
        ("x" * 200_000, "<div"),
        ("<script>alert(1)</script>, **a**, {{x}}\0", "NUL character"),
        ('"', "<div"),
    ],
)
def test_what_cannot_be_asked_is_one_red_sentence_and_stays_in_its_field(
    engine: engines.Engine, text: str, why: str
) -> None:
    at = typed(on_study(engine), text)
    at = settled(pressed(at, "run study"))
    assert why in said_in_red(at)
    assert len([each for each in at.get("html") if 'class="lt-error"' in each.proto.body]) == 1
    assert at.text_area(key="study questions").value == text
    assert visitor(engine).job is None
    assert headings(at) == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("q.csv", b"question,answer,foil\nWho?,A,B\nWhat?,,C\n", "q.csv, row 3: “answer” is empty."),
        ("q.csv", b"question,answer\nWho?,A\n", "there is no column “foil”"),
        ("q.csv", b"\xff\xfe\x00", "q.csv is not UTF-8 text"),
        ("q.jsonl", b'{"question": "Who?"\n', "q.jsonl, row 1: this is no JSON"),
        ("q.jsonl", b"[" * 100_000, "q.jsonl"),
        ("q.parquet", b"PAR1 not really", "q.parquet is no Parquet file"),
        ("q.png", b"\x89PNG", "q.png is none of .csv, .jsonl, .parquet."),
        ("q.csv", b"x" * (9 * 2**20), "q.csv has more than 8 MiB"),
        ("empty.csv", b"", "empty.csv has no questions"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_row_and_column(
    engine: engines.Engine, name: str, content: bytes, why: str
) -> None:
    at = chosen_source(on_study(engine), "file")
    assert "There is no file yet." in shown_html(at)
    assert said_in_red(at) == "", "nobody has done anything wrong yet"
    at = settled(at.file_uploader[0].set_value((name, content, "text/plain")).run())
    assert why in said_in_red(at)
    assert at.multiselect(key="study conditions").value == ["right", "wrong", "wrong_alternative"]
    assert not at.exception


def test_a_file_is_asked_and_named_in_the_command(engine: engines.Engine) -> None:
    at = chosen_source(on_study(engine), "file")
    content = b"id,question,answer,aliases,foil\nq1,Who?,Anna,Ann|Annie,Bob\n"
    at = settled(at.file_uploader[0].set_value(("my questions.csv", content, "text/csv")).run())
    at = all_run(engine, pressed(at, "run study"))
    (question,) = kept(engine).plan.questions
    assert (question.id, question.aliases) == ("q1", ("Ann", "Annie"))
    assert any("llm-tracker study 'my questions.csv' --model embedded" in code.value for code in at.code)
    again = reopened(at).switch_page(STUDY).run()
    assert "Taken: my questions.csv." in shown_html(again)


def test_our_own_questions_are_those_that_are_not_held_out_first(engine: engines.Engine) -> None:
    at = chosen_source(on_study(engine), "own")
    assert "10 questions, 5 answers each" in shown_html(at)
    for part, n in (("30", 30), ("80", 80), ("120", 120)):
        at = settled(at.segmented_control(key="study part").set_value(part).run())
        assert f"{n} questions, 5 answers each" in shown_html(at)


def test_a_page_that_is_opened_again_has_all_of_it_and_the_form_as_it_was(engine: engines.Engine) -> None:
    at = on_study(engine)
    at = settled(at.multiselect(key="study conditions").set_value(["mention"]).run())
    at = settled(at.text_input(key="study correction").set_value("My book says {named}.").run())
    at = run_study(engine, at)
    rows = table_rows(at, ANSWERS)
    again = reopened(at).switch_page(STUDY).run()
    assert table_rows(again, ANSWERS) == rows
    assert again.text_area(key="study questions").value == THREE
    assert again.multiselect(key="study conditions").value == ["mention"]
    assert again.text_input(key="study correction").value == "My book says {named}."
    assert "not in the History" in shown_html(again)


def test_a_study_is_not_lost_with_its_tab(engine: engines.Engine) -> None:
    rows = table_rows(run_study(engine, on_study(engine)), ANSWERS)
    other = on_study(engine)
    assert "Nothing has been run yet" in shown_html(other)
    other = pressed(other, "open study of another tab")
    assert table_rows(other, ANSWERS) == rows
    assert "open study of another tab" not in [each.key for each in other.button]


def test_a_correction_of_ones_own_names_the_word_that_is_pushed(engine: engines.Engine) -> None:
    at = on_study(engine)
    at = settled(at.text_input(key="study correction").set_value("My book says {named}, not {sky}.").run())
    assert "has the field {sky}" in said_in_red(at)
    at = settled(at.text_input(key="study correction").set_value("My book says {named}.").run())
    at = run_study(engine, at)
    (box,) = [each for each in at.selectbox if each.label == "What was said"]
    at = settled(box.set_value("user").run())
    assert "Told each time: “<bdi>My book says ⟨named⟩.</bdi>”" in shown_html(at)
    named = study_of(kept(engine)).rows.query("condition == 'user'")
    assert list(named["text"]) == [f"My book says {word}." for word in named["named"]]


def test_raw_text_and_a_model_that_cannot_be_loaded_are_said(engine: engines.Engine, loader: Loader) -> None:
    at = on_study(engine)
    visitor(engine).recipe = "raw"
    at = settled(at.run())
    assert "Raw text has no turns in which an answer is corrected." in said_in_red(at)
    visitor(engine).recipe = "one-word"

    def fail(*_: object) -> None:
        raise lt.ModelError("The weights are damaged. Load them again.")

    engine.models.pool.unload("embedded")
    loader.load = fail
    at = run_study(engine, at)
    assert "The weights are damaged. Load them again." in said_in_red(at)
    assert headings(at) == []


def test_two_models_are_asked_one_after_the_other_and_stand_side_by_side(
    engine: engines.Engine, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_desk, "is_local", lambda _entry: True)
    loader.load = by_name
    at = on_study(engine)
    at = settled(at.selectbox(key="study second model").set_value("smollm2").run())
    at = run_study(engine, at)
    assert headings(at)[2] == "Two models: who loses which right answers"
    head, *rows = table_rows(at, ANSWERS)
    assert head[0] == "model"
    assert [row[0] for row in rows] == ["embedded"] * 3 + ["smollm2"] * 3
    assert len(table_rows(at, "Two models, question by question")) == 4
    assert [model["id"] for model in study_of(kept(engine)).models] == ["embedded", "smollm2"]


def test_a_second_model_that_becomes_the_first_is_asked_once(
    engine: engines.Engine, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_desk, "is_local", lambda _entry: True)
    loader.load = by_name
    at = settled(on_study(engine).selectbox(key="study second model").set_value("smollm2").run())
    assert "by SmolLM2-135M-Instruct and" in shown_html(at)
    at = chosen(at, "smollm2")
    run_study(engine, at)
    assert kept(engine).plan.models == ("smollm2",)


def test_more_wordings_pressure_and_a_look_inside_give_their_views(engine: engines.Engine) -> None:
    at = on_study(engine)
    at = settled(at.toggle(key="study chain").set_value(True).run())
    at = settled(at.toggle(key="study inside").set_value(True).run())
    at = settled(at.select_slider(key="study wordings").set_value(2).run())
    assert "9 answers each by" in shown_html(at)
    at = run_study(engine, at, "What is it?, Paris, London")
    assert {"Pressure, turn after turn", "The lead, layer by layer"} <= set(headings(at))
    assert "The table has the first wording" in shown_html(at)
    assert not at.exception


def test_what_is_taken_along_has_every_row_with_its_types(engine: engines.Engine) -> None:
    run_study(engine, on_study(engine))
    study = study_of(kept(engine))
    table = parquet.read_table(io.BytesIO(table_parquet(study, "results")))
    assert table.column_names == list(COLUMNS["results"])
    assert table.num_rows == len(study.rows) == 3 * 5
    assert str(table.schema.field("flipped").type) == "bool"
