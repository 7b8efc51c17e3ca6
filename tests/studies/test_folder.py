"""A study's folder: whole blocks, no row lost or twice, and nothing that belongs to another study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from small_cases import RECIPE, small
from small_studies import NAMES, QUESTIONS, small_plan

import llm_tracker as lt
from llm_tracker.studies import folder as folders
from llm_tracker.studies.blocks import read_block
from llm_tracker.studies.conduct import stream_study
from llm_tracker.studies.folder import StudyFolder, begun_on, load_study
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.rows import Found
from llm_tracker.studies.values.study import Study
from llm_tracker.studies.values.tables import read_frame


def few(**changes: Any) -> Plan:
    """A plan of three blocks with one correction: a folder takes any rows."""
    return small_plan(**{"conditions": ("wrong_alternative",), **changes})


def run(
    plan: Plan, out: str | None, *, resume: bool = False, most: int | None = None, family: str = "llama"
) -> Study | None:
    """Run a plan with a tiny model, or its first blocks only."""
    n_done = 0

    def keep(*_: object) -> None:
        nonlocal n_done
        n_done += 1

    steps = stream_study(
        plan, out, resume=resume, loads=lambda _name: small(family).model, keep=keep,
        stop=lambda: most is not None and n_done >= most,
    )  # fmt: skip
    try:
        while True:
            next(steps)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    except lt.Cancelled:
        return None


def rows(study: Study | None) -> pd.DataFrame:
    """The rows of a study without what no run has twice: how long they took."""
    assert study is not None
    return study.rows.drop(columns="seconds")


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    return rows(run(few(), None))


def test_a_study_that_was_stopped_and_resumed_is_the_uninterrupted_one_to_the_bit(
    tmp_path: Path, whole: pd.DataFrame
) -> None:
    assert run(few(), str(tmp_path), most=1) is None
    assert len(list((tmp_path / "parts").glob("results-*.parquet"))) == 1
    pd.testing.assert_frame_equal(rows(run(few(), str(tmp_path), resume=True)), whole, check_exact=True)
    written = read_frame("results", (tmp_path / "results.parquet").read_bytes()).drop(columns="seconds")
    pd.testing.assert_frame_equal(written, whole, check_exact=True)


def test_a_block_that_was_half_written_when_the_machine_stopped_is_done_again(
    tmp_path: Path, whole: pd.DataFrame
) -> None:
    run(few(chain=True), str(tmp_path), most=2)
    (tmp_path / "parts" / "results-00-00001.parquet").unlink()  # written last: the chains of that block are there
    (tmp_path / "parts" / ".results-00-00001.parquet.0123abcd").write_bytes(b"PAR1 half")
    study = run(few(chain=True), str(tmp_path), resume=True)
    pd.testing.assert_frame_equal(rows(study), whole, check_exact=True)
    assert study is not None
    chains = study.tables["chains"]
    assert len(chains) == len(QUESTIONS) * 6 == len(chains.drop_duplicates(["question_id", "turn"]))


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(few(), str(tmp_path))

    def refuse(*_: object) -> None:
        raise AssertionError("a block was read again")

    monkeypatch.setattr("llm_tracker.studies.engines.worker.read_block", refuse)
    assert run(few(), str(tmp_path), resume=True) is not None


def test_a_folder_with_a_study_is_not_written_over(tmp_path: Path) -> None:
    run(few(), str(tmp_path), most=1)
    with pytest.raises(lt.InputError, match=r"There is a study in .* already\."):
        StudyFolder(str(tmp_path), few())


@pytest.mark.parametrize(
    "changes", [{"n_wordings": 2}, {"conditions": ("right",)}, {"recipe": "chat"}, {"chain": True}]
)
def test_another_study_is_not_gone_on_with(tmp_path: Path, changes: dict[str, object]) -> None:
    run(few(), str(tmp_path), most=1)
    with pytest.raises(lt.InputError, match="asks other questions, or in another way"):
        StudyFolder(str(tmp_path), few(**changes), resume=True)  # type: ignore[arg-type]


def test_rows_of_other_weights_are_not_put_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(few(), str(tmp_path), most=1)
    real = folders.notes_of
    monkeypatch.setattr(folders, "notes_of", lambda content: (real(content)[0] | {"weights_sha256": "other"}, {}))
    with pytest.raises(lt.InputError, match="was begun with other weights of tiny"):
        run(few(), str(tmp_path), resume=True)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_weights_without_a_digest_are_told_apart_by_their_architecture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    real = folders.parquet_bytes
    monkeypatch.setattr(
        folders, "parquet_bytes", lambda name, found: real(name, replace(found, model=found.model | NO_DIGEST))
    )
    monkeypatch.setattr("llm_tracker.studies.engines.worker.read_block", without_digest)
    run(few(), str(tmp_path), most=1)
    if family == "llama":
        assert run(few(), str(tmp_path), resume=True) is not None
        return
    with pytest.raises(lt.InputError, match="was begun with other weights of tiny"):
        run(few(), str(tmp_path), resume=True, family=family)


NO_DIGEST = {"weights_sha256": None}


def without_digest(*args: Any) -> Found:
    found = read_block(*args)
    return replace(found, model=found.model | NO_DIGEST)


def test_rows_of_other_versions_are_not_put_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(few(), str(tmp_path), most=1)
    real = folders.notes_of
    monkeypatch.setattr(
        folders, "notes_of", lambda content: (real(content)[0], real(content)[1] | {"transformers": "4.0.0"})
    )
    with pytest.raises(lt.InputError, match=r"was begun with transformers 4\.0\.0, and this is"):
        run(few(), str(tmp_path), resume=True)


def test_rows_of_another_number_format_are_not_put_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(few(), str(tmp_path), most=1)
    real = folders.notes_of
    monkeypatch.setattr(
        folders, "notes_of", lambda content: (real(content)[0] | {"dtype": "bfloat16"}, real(content)[1])
    )
    with pytest.raises(lt.InputError, match="begun with tiny in bfloat16, and this is float32"):
        run(few(), str(tmp_path), resume=True)


def test_a_study_is_gone_on_with_on_another_day_as_of_the_day_it_was_begun(tmp_path: Path) -> None:
    model, place = small("llama").model, str(tmp_path)
    asked: dict[str, Any] = {"questions": QUESTIONS, "models": [model], "conditions": NAMES, "recipe": RECIPE}
    first = lt.study(**asked, out=place, date="2026-01-31T10:00")
    assert begun_on(place) == first.plan["date"] == "2026-01-31"
    assert lt.study(**asked, out=place, resume=True).plan["date"] == "2026-01-31"
    with pytest.raises(lt.InputError, match="asks other questions, or in another way"):
        lt.study(**asked, out=place, resume=True, date="2026-02-01")
    assert begun_on(str(tmp_path / "nothing")) is None
    assert begun_on("nowhere://at/all") is None


def test_a_finished_study_is_opened_without_a_model(tmp_path: Path) -> None:
    study = run(few(inside=True, chain=True), str(tmp_path))
    assert study is not None
    again = load_study(str(tmp_path))
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(json.dumps(summary(study)))
    for name, frame in study.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], frame, check_exact=True)
    assert again.plan["questions"] == study.plan["questions"]
    assert [model["model_type"] for model in again.models] == ["llama"]


def test_a_folder_without_a_finished_study_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(lt.InputError, match="has no study that is finished"):
        load_study(str(tmp_path / "nothing"))


@pytest.fixture
def memory() -> Iterator[str]:
    yield "memory://studies/one"
    fsspec.filesystem("memory").rm("/studies", recursive=True)


def test_any_place_that_fsspec_knows_is_written_to(memory: str, whole: pd.DataFrame) -> None:
    assert run(few(), memory, most=1) is None
    pd.testing.assert_frame_equal(rows(run(few(), memory, resume=True)), whole, check_exact=True)


class Bucket(MemoryFileSystem):  # type: ignore[misc]
    """Files without folders, as S3 has them: a folder is only what the names of its files begin with."""

    protocol = "bucket"
    store: ClassVar[dict[str, object]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing to do."""

    def ls(self, path: str, detail: bool = True, **_: object) -> list[object]:
        own = f"{self._strip_protocol(path)}/"
        found = [name for name in self.store if name.startswith(own)]
        if not found:
            raise FileNotFoundError(path)
        return [{"name": name, "type": "file"} if detail else name for name in found]


def test_a_bucket_without_folders_is_written_to(whole: pd.DataFrame) -> None:
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    assert run(few(), "bucket://own/study", most=1) is None
    pd.testing.assert_frame_equal(rows(run(few(), "bucket://own/study", resume=True)), whole, check_exact=True)
    assert len(load_study("bucket://own/study").rows) == len(whole)


def test_a_place_whose_package_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def url_to_fs(place: str) -> object:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", url_to_fs)
    with pytest.raises(lt.InputError, match="Install s3fs"):
        load_study("s3://bucket/study")
    with pytest.raises(lt.InputError, match="Install s3fs"):
        StudyFolder("s3://bucket/study", few())


@pytest.mark.parametrize(
    ("place", "why"), [("file.txt/below", "cannot be written"), ("nowhere://x", "cannot be written")]
)
def test_a_place_that_cannot_be_written_to_is_refused_before_anything_is_run(
    place: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(lt.InputError, match=why):
        StudyFolder(place if "://" in place else str(tmp_path / place), few())


def test_two_models_follow_one_another_in_the_rows(tmp_path: Path) -> None:
    plan = few(models=("llama", "gpt2"), conditions=NAMES)
    *_, last = _stepped(plan, str(tmp_path))
    study = last
    assert list(dict.fromkeys(study.rows["model"])) == ["llama", "gpt2"] or study.rows["model"].nunique() == 1
    assert len(study.rows) == 2 * len(QUESTIONS) * (2 + len(NAMES))


def _stepped(plan: Plan, out: str) -> list[Study]:
    steps = stream_study(plan, out, loads=lambda name: small(name).model)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return [ended.value]
