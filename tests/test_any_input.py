"""Whatever is typed or handed over is text, or is refused with a sentence: it breaks nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import pytest
from any_input import any_input, changes, texts, with_changes
from hypothesis import given
from hypothesis import strategies as any_of
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.prompts.words import token_words, word_spans
from llm_tracker.storage.store.summaries import folded
from llm_tracker.storage.unpacking import unpack

VIEWS = ("candidates", "layers", "attention", "tokens", "curves", "heads")


@pytest.fixture(scope="module")
def session() -> lt.Session:
    """Short, so that a change by chance finds every kind of place in it."""
    return lt.track(tiny_model("llama"), "Who?", ["No, B."], recipe="raw", max_new_tokens=2, control=True)


class Files(dict[str, bytes]):
    """A session's directory, which is not printed in full when a test fails."""

    def __repr__(self) -> str:
        return f"Files({list(self)})"


@pytest.fixture(scope="module")
def files(session: lt.Session) -> Files:
    with ZipFile(io.BytesIO(lt.session_zip(session))) as archive:
        return Files({name: archive.read(name) for name in archive.namelist()})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lt.Store]:
    opened = lt.open_store(tmp_path_factory.mktemp("any") / "s.sqlite")
    yield opened
    opened.database.close()


@any_input
@given(text=texts, cuts=any_of.lists(any_of.integers(0, 260), max_size=12))
def test_words_cover_every_token_of_any_text_once(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    spans = list(pairwise(edges))
    words = token_words(text, spans, ["user"] * len(spans))
    assert [at for word in words for at in range(*word.tokens)] == list(range(len(spans)))
    assert "".join(word.text for word in words) == text
    assert all(text[slice(*span)] for span in word_spans(text))


@any_input
@given(said=texts, name=texts, note=texts, tags=any_of.lists(texts, max_size=3), search=texts)
def test_any_text_is_kept_found_and_searched_for_as_text(
    store: lt.Store, session: lt.Session, said: str, name: str, note: str, tags: list[str], search: str
) -> None:
    turns = tuple(replace(turn, said=said, answer=name) for turn in session.turns)
    kept = store.save(replace(session, turns=turns))
    store.describe(kept, name=name, note=note, tags=tags)
    back, listed = store.load(kept), store.summary(kept)
    assert [turn.said for turn in back.turns] == [said, said]
    assert [turn.answer for turn in back.turns] == [name, name]
    assert listed.said == (said, said)
    assert kept in [each.id for each in store.list(name, limit=None)]
    text = folded(" ".join([listed.name, *listed.said, *listed.answers, *listed.tags, listed.note]))
    wanted = folded(search).split()
    found = [each.id for each in store.list(search, limit=None)]
    if all(word in text for word in wanted):
        assert kept in found
    store.delete(kept)
    store.prune()
    assert store.list(limit=None) == []


@any_input
@given(made=changes, view=any_of.sampled_from(VIEWS))
def test_a_record_with_anything_anywhere_is_refused_or_can_be_looked_at(
    files: Files, made: list[tuple[int, object, bool]], view: str
) -> None:
    record = with_changes(json.loads(files["session.json"]), made)
    for read in unpack(zip_of({**files, "session.json": json.dumps(record).encode()})):
        if read.session is None:
            assert read.why_not
        else:
            look_at(read.session, view)


def zip_of(files: dict[str, bytes]) -> io.BytesIO:
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        for name, member in files.items():
            archive.writestr(name, member)
    return content


def look_at(session: lt.Session, view: str) -> None:
    """What a page draws without the model; a view may be refused with a sentence."""
    for turn in range(len(session.turns)):
        with suppress(lt.InputError):
            figure = lt.figure(session, view, turn, turn - 1 if turn else None)
            assert figure.sentence
            figure.chart.to_dict()


@any_input
@given(
    name=any_of.integers(0, 2),
    flips=any_of.lists(any_of.tuples(any_of.integers(0, 4000), any_of.integers(0, 255)), min_size=1, max_size=8),
    in_zip=any_of.none() | any_of.tuples(any_of.integers(0, 10**9), any_of.integers(1, 255)),
)
def test_any_bytes_in_a_zip_file_are_refused_or_read(
    files: Files, name: int, flips: list[tuple[int, int]], in_zip: tuple[int, int] | None
) -> None:
    member = sorted(files)[name % len(files)]
    content = bytearray(files[member])
    for at, byte in flips:
        content[at % len(content)] = byte
    whole = bytearray(zip_of({**files, member: bytes(content)}).getvalue())
    if in_zip is not None:
        whole[in_zip[0] % len(whole)] ^= in_zip[1]
    with suppress(lt.InputError):
        for read in unpack(io.BytesIO(bytes(whole))):
            assert (read.session is None) == bool(read.why_not)


@any_input
@given(made=changes)
def test_a_session_directory_with_anything_in_it_is_refused_or_opened(
    files: Files, tmp_path: Path, made: list[tuple[int, object, bool]]
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    record = with_changes(json.loads(files["session.json"]), made)
    (tmp_path / "session.json").write_text(json.dumps(record), encoding="utf-8")
    with suppress(lt.InputError):
        assert isinstance(lt.load_session(tmp_path), lt.Session)
