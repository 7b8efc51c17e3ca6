"""Experiments are kept with their session: in its directory, in the store, in a zip; and read back to the digit."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from experiments import EXAMPLE, example_experiment

import llm_tracker as lt
from llm_tracker.errors import InputError
from llm_tracker.storage.unpacking import unpack


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.load_session(EXAMPLE)


def test_an_experiment_is_read_back_from_a_directory_to_the_digit(session: lt.Session, tmp_path: Path) -> None:
    lt.save_session(session, tmp_path)
    again = lt.load_session(tmp_path)
    assert lt.experiment_of(again.experiments[1]) == example_experiment() == lt.load_experiment(tmp_path)


def test_a_directory_forgets_the_experiments_of_an_earlier_session(session: lt.Session, tmp_path: Path) -> None:
    lt.save_session(session, tmp_path)
    lt.save_session(replace(session, experiments={}), tmp_path)
    assert lt.load_session(tmp_path).experiments == {}
    with pytest.raises(InputError, match="There is no experiment in"):
        lt.load_experiment(tmp_path)


def test_experiments_on_several_turns_have_files_of_their_own(session: lt.Session, tmp_path: Path) -> None:
    later = replace(example_experiment(), turn=2)
    several = lt.with_experiment(replace(session, turns=(*session.turns, session.turns[1])), later)
    lt.save_session(several, tmp_path)
    assert sorted(file.name for file in tmp_path.glob("*.json")) == [
        "experiment-2.json",
        "experiment.json",
        "session.json",
    ]
    assert lt.load_experiment(tmp_path, 2) == later
    assert sorted(lt.load_session(tmp_path).experiments) == [1, 2]


def test_the_store_keeps_an_experiment_that_comes_later(session: lt.Session, store_url: str) -> None:
    store = lt.open_store(store_url)
    bare = replace(session, experiments={})
    number = store.save(bare)
    assert store.load(number).experiments == {}
    kept = store.load(number)
    assert store.save(lt.with_experiment(kept, example_experiment()), number, kept) == number
    assert lt.experiment_of(store.load(number).experiments[1]) == example_experiment()
    store.database.close()


def test_an_archive_has_it_without_the_paths_of_this_machine(session: lt.Session) -> None:
    own = replace(session, model=replace(session.model, path="/home/somebody/models/x"))
    packed = lt.session_zip(lt.with_experiment(own, replace(example_experiment(), model=own.model)))
    (found,) = unpack(io.BytesIO(packed))
    assert found.session is not None, found.why_not
    experiment = lt.experiment_of(found.session.experiments[1])
    assert experiment.model.path is None
    assert experiment.conditions == example_experiment().conditions
    assert b"somebody" not in packed


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.update(conditions=[{"name": "nonsense"}]),
        lambda record: record.update(hand_over={"pair": 3}),
        lambda record: record.update(schema=7),
        lambda record: record.pop("answer"),
        lambda record: record["conditions"][0].update(score_answer=float("inf")),
    ],
)
def test_an_archive_with_another_record_is_refused_with_its_reason(session: lt.Session, spoil: object) -> None:
    record = json.loads(json.dumps(dict(session.experiments[1])))
    assert callable(spoil)
    spoil(record)
    (found,) = unpack(io.BytesIO(lt.session_zip(replace(session, experiments={1: record}))))
    assert found.session is None
    assert found.why_not


def test_an_experiment_on_no_correction_is_refused(session: lt.Session) -> None:
    record = {**session.experiments[1], "turn": 5}
    (found,) = unpack(io.BytesIO(lt.session_zip(replace(session, experiments={5: record}))))
    assert "experiments of turns that there are" in found.why_not


def test_an_edited_answer_keeps_what_was_changed(session: lt.Session, tmp_path: Path) -> None:
    from llm_tracker.tracing.edit import Edit

    edit = Edit("hidden", (1, 30), text="London", tokens=(235, 236))
    edited = replace(session, turns=(session.turns[0], replace(session.turns[1], edit=edit)))
    lt.save_session(edited, tmp_path)
    assert lt.load_session(tmp_path).turns[1].edit == edit
    (found,) = unpack(io.BytesIO(lt.session_zip(edited)))
    assert found.session is not None, found.why_not
    assert found.session.turns[1].edit == edit
