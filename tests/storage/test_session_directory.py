"""A session directory holds all of a session, and comes back without a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from tiny_models import tiny_model

import llm_tracker as lt
from llm_tracker.storage.records import session_record
from llm_tracker.tracing.recorder import Recorder


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.track(
        tiny_model("llama"),
        "What is 東京 🍎?",
        ["No, London."],
        temperature=0.7,
        seed=3,
        max_new_tokens=4,
        watch_words=["zebra", "zebu"],
    )


def test_what_is_written_is_read_back_to_the_last_digit(session: lt.Session, tmp_path: Path) -> None:
    back = lt.load_session(lt.save_session(session, tmp_path / "s"))
    assert session_record(back) == session_record(session)
    for mine, theirs in zip(session.turns, back.turns, strict=True):
        assert np.array_equal(mine.trace.attention, theirs.trace.attention)
        assert np.array_equal(mine.trace.resid, theirs.trace.resid)
        assert mine.prompt == theirs.prompt
        assert mine.words_before(2) == theirs.words_before(2)
        assert lt.attention_by_word(mine, 1).equals(lt.attention_by_word(theirs, 1))
        assert lt.logit_lens(mine.trace, 1).equals(lt.logit_lens(theirs.trace, 1))


def test_the_record_has_what_the_contract_names(session: lt.Session) -> None:
    record = session_record(session)
    assert record["schema"] == 1
    assert {"id", "path", "model_type", "adapter", "n_layers", "n_heads", "d_model", "vocab_size"} <= set(
        record["model"]
    )
    assert {"dtype", "device", "revision", "weights_sha256"} <= set(record["model"])
    assert set(record["versions"]) == {"llm_tracker", "transformers", "torch", "python"}
    assert record["decoding"]["method"] == "sample"
    for turn in record["turns"]:
        assert {"messages", "recipe", "prompt_token_ids", "answer_token_ids", "answer", "answer_step"} <= set(turn)
        for step in turn["steps"]:
            assert len(step["top"]) >= 5
            assert set(step["top"][0]) == {"token_id", "token", "logit", "prob"}
            assert [layer["layer"] for layer in step["lens"]] == [1, 2, 3]
            assert all(len(layer["top"]) >= 3 for layer in step["lens"])
            words = step["attention"]["words"]
            assert sum(word["share"] for word in words) + step["attention"]["sink_share"] == pytest.approx(1, abs=1e-5)
            assert set(words[0]) == {"text", "role", "tokens", "share"}


def test_a_session_of_before_the_tokens_bytes_were_kept_can_still_be_read(session: lt.Session, tmp_path: Path) -> None:
    folder = lt.save_session(session, tmp_path / "s")
    record = json.loads((folder / "session.json").read_text())
    for turn in record["turns"]:
        del turn["prompt"]["token_bytes"], turn["prompt"]["control_positions"], turn["partings"]
    del record["controls"]
    (folder / "session.json").write_text(json.dumps(record))
    prompt = lt.load_session(folder).turns[0].prompt
    assert (prompt.token_bytes, prompt.control_positions) == ((), frozenset())
    assert prompt.token_ids == session.turns[0].prompt.token_ids


def every_object(value: object) -> Iterator[dict[str, Any]]:
    """A record's objects, at every level."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every_object(each)


def test_a_file_of_tomorrow_opens_with_keys_that_are_not_known_yet(session: lt.Session, tmp_path: Path) -> None:
    file = lt.save_session(session, tmp_path) / "session.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    turns = [*record["turns"], *record["controls"]]
    keyed = [
        record["versions"],
        *(each["watched"] for turn in turns for each in (*turn["steps"], *turn["partings"])),
    ]  # by packages, by words
    for each in list(every_object(record)):
        if not any(each is one for one in keyed):
            each["of_tomorrow"] = {"anything": [1, 2]}
    file.write_text(json.dumps(record), encoding="utf-8")
    back = lt.load_session(tmp_path)
    assert session_record(back) == session_record(session)


@pytest.mark.parametrize(
    "lacking", ["controls", "versions", "watch_words", "model.path", "model.revision", "model.kernels", "model.notices"]
)
def test_an_older_file_or_an_export_opens_without_what_it_may_lack(
    lacking: str, session: lt.Session, tmp_path: Path
) -> None:
    file = lt.save_session(session, tmp_path) / "session.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    *outer, name = lacking.split(".")
    del (record[outer[0]] if outer else record)[name]
    file.write_text(json.dumps(record), encoding="utf-8")
    back = lt.load_session(tmp_path)
    assert [turn.answer for turn in back.turns] == [turn.answer for turn in session.turns]


@pytest.mark.parametrize("needed", ["model", "turns", "decoding", "recipe"])
def test_what_a_session_cannot_be_without_is_named(needed: str, session: lt.Session, tmp_path: Path) -> None:
    file = lt.save_session(session, tmp_path) / "session.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    del record[needed]
    file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(lt.InputError, match=f"holds no complete session .*{needed}"):
        lt.load_session(tmp_path)


def test_the_tensors_name_their_axes(session: lt.Session, tmp_path: Path) -> None:
    folder = lt.save_session(session, tmp_path / "s")
    with safe_open(folder / "turn-1.safetensors", "np") as tensors:
        assert tensors.metadata()["resid"].startswith("step, depth, d_model")
        n_steps, n_layers, n_heads, n_keys = tensors.get_slice("attention").get_shape()
    trace = session.turns[1].trace
    assert (n_steps, n_layers, n_heads, n_keys) == (trace.n_steps, 3, 4, trace.prompt_length + trace.n_steps - 1)


def test_past_the_budget_the_means_of_all_steps_are_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder.__init__, "__defaults__", (1,))
    session = lt.track(tiny_model("llama"), "What is it?", recipe="chat", max_new_tokens=3)
    back = lt.load_session(lt.save_session(session, tmp_path / "s"))
    assert back.turns[0].trace.attention.shape[0] == 0
    assert back.turns[0].trace.attention_mean is not None
    assert lt.attention_by_word(back.turns[0], 2)["share"].sum() == pytest.approx(1, abs=1e-5)


def test_a_session_whose_lens_is_not_whole_says_which_steps_are_missing(session: lt.Session, tmp_path: Path) -> None:
    first = session.turns[0]
    hollow = replace(session, turns=(replace(first, trace=replace(first.trace, lens={0: first.trace.lens[0]})),))
    with pytest.raises(lt.InputError, match=r"steps \[1, 2, 3\].*with_all_lenses"):
        lt.save_session(hollow, tmp_path / "s")
    assert not (tmp_path / "s" / "session.json").exists()


@pytest.mark.parametrize(
    "trouble", ["nothing", "damaged tensors", "no json", "other format", "missing tensors", "missing key"]
)
def test_a_folder_without_a_whole_session_is_refused_with_a_sentence(
    session: lt.Session, tmp_path: Path, trouble: str
) -> None:
    folder = lt.save_session(session, tmp_path / "s")
    record = json.loads((folder / "session.json").read_text())
    if trouble == "nothing":
        folder = tmp_path / "empty"
    elif trouble == "damaged tensors":
        (folder / "turn-0.safetensors").write_bytes(b"half")
    elif trouble == "no json":
        (folder / "session.json").write_text("{")
    elif trouble == "other format":
        (folder / "session.json").write_text(json.dumps({**record, "schema": 99}))
    elif trouble == "missing tensors":
        (folder / "turn-1.safetensors").unlink()
    else:
        del record["turns"][0]["answer_token_ids"]
        (folder / "session.json").write_text(json.dumps(record))
    with pytest.raises(lt.InputError):
        lt.load_session(folder)


def test_a_session_takes_the_place_of_an_earlier_one_and_leaves_nothing_of_it(
    session: lt.Session, tmp_path: Path
) -> None:
    lt.save_session(session, tmp_path)
    shorter = replace(session, turns=session.turns[:1], controls={})
    lt.save_session(shorter, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["session.json", "turn-0.safetensors"]
    assert len(lt.load_session(tmp_path).turns) == 1


def test_a_place_that_cannot_be_written_is_refused_with_a_sentence(session: lt.Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(lt.InputError, match="could not be written"):
        lt.save_session(session, tmp_path / "file" / "s")


def test_an_answer_step_can_be_chosen_by_hand(session: lt.Session) -> None:
    assert lt.with_answer_step(session, 0, 2).turns[0].answer_step == 2
    with pytest.raises(lt.InputError, match="steps 0 to 3"):
        lt.with_answer_step(session, 0, 4)
