"""A zip file that somebody hands over: what is a session is read, all else is refused by name."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pytest
from safetensors.numpy import save
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.storage.records import partial_record
from llm_tracker.storage.unpacking import LIMITS, Limits, Unpacked, unpack

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.track(tiny_model("llama"), "Who?", ["No, London."], max_new_tokens=3, control=True, recipe="chat")


@pytest.fixture
def files(session: lt.Session) -> Files:
    """A session's directory."""
    with ZipFile(io.BytesIO(lt.session_zip(session))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files) -> io.BytesIO:
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, member in files.items():
            archive.writestr(name, member)
    return content


def unpacked(files: Files, limits: Limits = LIMITS) -> dict[str, Unpacked]:
    return {each.name: each for each in unpack(packed(files), limits)}


def test_an_archive_of_a_session_is_read_exactly(session: lt.Session) -> None:
    (read,) = unpack(io.BytesIO(lt.session_zip(session)))
    assert read.session is not None
    record, expected = partial_record(read.session), partial_record(session)
    assert {**record, "model": None} == {**expected, "model": None}
    assert read.session.turns[1].trace.resid.tobytes() == session.turns[1].trace.resid.tobytes()


def test_the_apps_own_example_has_the_form_that_is_asked_for() -> None:
    example = Path(__file__).resolve().parents[2] / "llm_tracker" / "app" / "parts" / "example"
    (read,) = unpacked({file.name: file.read_bytes() for file in example.iterdir()}).values()
    assert (read.why_not, read.session is not None) == ("", True)


def test_a_session_of_an_earlier_version_is_read(files: Files) -> None:
    """Keys that came later may be missing."""
    record = json.loads(files["session.json"])
    for turn in (*record["turns"], *record["controls"]):
        del turn["partings"], turn["prompt"]["token_bytes"], turn["heads"]
        for step in turn["steps"]:
            del step["leading"], step["entropy_nats"]
    del record["parent"], record["thinking"]
    (read,) = unpacked({**files, "session.json": json.dumps(record).encode()}).values()
    assert read.why_not == ""


@pytest.mark.parametrize(
    ("name", "why_not"),
    [
        ("../evil.json", "leads out of the archive"),
        ("a/../../evil.json", "leads out of the archive"),
        ("/etc/passwd", "leads out of the archive"),
        ("C:/evil.json", "leads out of the archive"),
        ("model.pkl", "no part of a session"),
        ("turn-0.pt", "no part of a session"),
        ("a/b/session.json", "no part of a session"),
        ("turn-0.safetensors.exe", "no part of a session"),
    ],
)
def test_what_is_no_part_of_a_session_is_refused_by_name_and_the_session_is_read(
    files: Files, name: str, why_not: str
) -> None:
    read = unpacked({**files, name: b"x"})
    assert why_not in read.pop(name).why_not
    assert read[""].session is not None


def test_a_path_with_backslashes_and_a_link_and_an_encrypted_file_are_refused(files: Files) -> None:
    content = packed(files)
    with ZipFile(content, "a") as archive:
        link = ZipInfo("turn-7.safetensors")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("turn-8.safetensors", b"secret")
        archive.writestr("a#evil.json", b"x")
    raw = bytearray(content.getvalue().replace(b"a#evil.json", b"a\\evil.json"))
    central = raw.rindex(b"turn-8.safetensors") - 46
    raw[central + 8] |= 1  # the flag that a file is encrypted
    read = {each.name: each.why_not for each in unpack(io.BytesIO(bytes(raw)))}
    assert read["turn-7.safetensors"] == "it is a link"
    assert read["turn-8.safetensors"] == "it is encrypted"
    assert read["a\\evil.json"] == "its path leads out of the archive"
    assert read[""] == ""


def test_a_zip_bomb_is_refused_by_name_and_the_rest_is_read(files: Files) -> None:
    bomb = {f"bomb/{name}": content for name, content in files.items()} | {"bomb/turn-0.safetensors": bytes(40 << 20)}
    read = unpacked({**files, **bomb}, Limits(ratio=200))
    assert read["bomb/turn-0.safetensors"].why_not == "it is packed as a zip bomb is"
    assert read["bomb"].why_not == "turn-0.safetensors is missing"
    assert read[""].session is not None


def test_too_much_is_refused(files: Files) -> None:
    assert "larger than 0 MB" in unpacked(files, Limits(member_bytes=10))["turn-0.safetensors"].why_not
    assert "larger than 0 MB" in unpacked(files, Limits(json_bytes=10))["session.json"].why_not
    assert unpacked(files, Limits(json_values=9))[""].why_not == "it has more than 9 lists and objects"
    with pytest.raises(lt.InputError, match="holds more than 0 MB"):
        unpacked(files, Limits(bytes=100))
    with pytest.raises(lt.InputError, match="at most 2 are read"):
        unpacked(files, Limits(members=2))


def test_a_header_that_lies_about_a_size_is_found_out(files: Files) -> None:
    raw = packed(files).getvalue()
    size = len(files["session.json"]).to_bytes(4, "little")
    lying = raw.replace(size, (100).to_bytes(4, "little"))
    (read,) = unpack(io.BytesIO(lying))
    assert (read.session, read.why_not) == (None, "it is damaged")


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_what_is_no_zip_file_is_said(content: bytes) -> None:
    with pytest.raises(lt.InputError, match="no zip file"):
        list(unpack(io.BytesIO(content)))


def test_an_empty_zip_file_holds_nothing() -> None:
    assert list(unpack(packed({}))) == []


Change = Callable[[dict[str, Any]], object]


def at_step(record: dict[str, Any]) -> dict[str, Any]:
    step: dict[str, Any] = record["turns"][0]["steps"][0]
    return step


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda record: record.update(schema=2), "$.schema"),
        (lambda record: record.update(turns=[]), "$.turns"),
        (lambda record: record["turns"][0].update(said=7), "$.turns[0].said"),
        (lambda record: record["turns"][1]["prompt"].update(roles=["king"]), "$.turns[1].prompt.roles[0]"),
        (lambda record: at_step(record).update(prob="likely"), "$.turns[0].steps[0].prob"),
        (lambda record: at_step(record)["lens"][0].update(token_rank=0), "$.turns[0].steps[0].lens[0].token_rank"),
        (lambda record: record["controls"][0].update(turn=-1), "$.controls[0]"),
    ],
)
def test_another_form_is_refused_with_its_place(files: Files, change: Change, place: str) -> None:
    record = json.loads(files["session.json"])
    change(record)
    (read,) = unpacked({**files, "session.json": json.dumps(record).encode()}).values()
    assert place in read.why_not


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        (lambda record: record["controls"][0].update(turn=1) or record["turns"].pop(), "controls of turns"),
        (lambda record: record.update(parent={"turn": 9, "step": 0}), "a parent's turn"),
        (lambda record: record["turns"][0]["prompt"]["spans"].pop(), "spans and roles"),
        (lambda record: record["turns"][0]["prompt"].update(control_positions=[999]), "control positions"),
        (lambda record: record["turns"][0]["answer_spans"].append([0, 1]), "a span for each answer token"),
        (lambda record: record["turns"][0]["answer_spans"].__setitem__(0, [0, 999]), "spans of the answer"),
        (lambda record: record["turns"][0]["answer_token_ids"].__setitem__(0, 10**6), "tokens of the vocabulary"),
        (lambda record: record["turns"][0].update(answer_step=3), "an answer token that there is"),
        (lambda record: record["model"].update(n_layers=4), "numbers of layers"),
        (lambda record: record["model"].update(d_model=4), "the residual stream's shape"),
        (lambda record: record["turns"][0].update(heads=[99, 1, 1]), "numbers of heads"),
        (lambda record: at_step(record)["lens"].pop(), "layers of the lens"),
    ],
)
def test_numbers_that_do_not_belong_together_are_refused(files: Files, change: Change, claim: str) -> None:
    record = json.loads(files["session.json"])
    change(record)
    (read,) = unpacked({**files, "session.json": json.dumps(record).encode()}).values()
    assert read.session is None
    assert claim in read.why_not or "cannot be read" in read.why_not


def test_arrays_of_another_shape_kind_or_content_are_refused(session: lt.Session, files: Files) -> None:
    trace = session.turns[0].trace
    good = {"attention": np.array(trace.attention), "resid": np.array(trace.resid)}
    bad = [
        {**good, "resid": good["resid"][:, :-1]},
        {**good, "attention": good["attention"][..., :-1]},
        {**good, "resid": good["resid"].astype(np.float64)},
        {**good, "resid": np.full_like(good["resid"], np.nan)},
        {**good, "attention": good["attention"] - 1},
        {**good, "attention": np.ones_like(good["attention"])},
        {"resid": good["resid"]},
    ]
    for arrays in bad:
        (read,) = unpacked({**files, "turn-0.safetensors": save(arrays)}).values()
        assert read.session is None
        assert read.why_not


def test_json_that_nests_too_deeply_or_holds_no_number_is_refused(files: Files) -> None:
    for content in (b"[" * 100_000, b'{"schema": NaN}', b"\xff\xfe", b"[]", b"null"):
        (read,) = unpacked({**files, "session.json": content}).values()
        assert read.session is None
        assert read.why_not


def test_a_path_of_another_machine_is_not_taken_over(files: Files) -> None:
    record = json.loads(files["session.json"])
    record["model"]["path"] = "/home/somebody/model"
    (read,) = unpacked({**files, "session.json": json.dumps(record).encode()}).values()
    assert read.session is not None
    assert read.session.model.path is None


@pytest.mark.parametrize("half", [b"\\ud800", b"\xed\xa0\x80"])
def test_half_a_character_is_refused_however_it_is_written(files: Files, half: bytes) -> None:
    """Neither a table nor a file can hold one."""
    said = files["session.json"].replace(b'"said": "', b'"said": "' + half, 1)
    assert said != files["session.json"]
    (read,) = unpack(packed({**files, "session.json": said}))
    assert read.session is None
    assert "its contents cannot be read (Unicode" in read.why_not
