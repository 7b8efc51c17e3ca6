"""Copied lines of Python, and copied commands, are run: they give the conversation and the view again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from copied import facts, looks, model_of, read_csv, require_same, run_commands, run_python

import llm_tracker as lt
from llm_tracker.conversation.turns import begin_session, stream_turn
from llm_tracker.export.copy_as import FOLDER, OTHER_FOLDER, ViewCall, as_command, as_python, is_remade, session_command
from llm_tracker.models.loading import load as loading
from llm_tracker.progress import ended

pytestmark = pytest.mark.usefixtures("loads")

NASTY = "It's \"5 > 3\" \\ $HOME `ls` %s {x} 東京 🍎\n\tnew line # 'end'"


@pytest.fixture(scope="module")
def session() -> lt.Session:
    return lt.track(
        model_of("llama"),
        "Is Paris the capital?",
        ["No, London is it."],
        recipe="chat",
        max_new_tokens=3,
        watch_words=["zebra"],
        control=True,
    )


@pytest.fixture(scope="module")
def made(session: lt.Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the copied command has kept the conversation."""
    place = tmp_path_factory.mktemp("commands")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(loading, "load", lambda name, *_: model_of(name))
        run_commands(session_command(session))
    return place


CALLS = [
    ViewCall("candidates", 0),
    ViewCall("candidates", 1, 0),
    ViewCall("candidates", 1, 0, {"difference": True, "words": ["zebra", "London"]}),
    ViewCall("candidates", 1, 0, {"words": []}),
    ViewCall("candidates", 1, None, {"control": True, "words": ("zebra",)}),
    ViewCall("layers", 1, 0, {"words": ["zebra"], "over": "London", "measure": "lead"}),
    ViewCall("layers", 1, 0, {"words": [], "measure": "rank", "over": None}),
    ViewCall("attention", 1, 0, {"layer": 2, "head": 3, "step": 2, "against_step": 1}),
    ViewCall("attention", 1, 0, {"difference": True, "control": False}),
    ViewCall("tokens", 1, 0, {"measure": "entropy_nats"}),
    ViewCall("curves", 1, None, {"words": ["zebra"], "measure": "logit", "step": 0}),
    ViewCall("heads", 1, None, {"measure": "words", "words": ["London"]}),
    ViewCall("heads", 1, 0, {"measure": "max", "difference": True}),
    ViewCall("heads", 1, None, {"words": ["London"], "weighed": True}, needs_model=True),
    ViewCall("map", 1, None, {"shows": "lead of zebra over London", "words": ["zebra", "London"], "first": 0}, True),
    ViewCall("map", 1, 0, {"difference": True, "site": "resid_mid", "words": []}, needs_model=True),
    ViewCall("pattern", 0, None, {"layer": 2, "head": 1, "by": "token", "first": 7, "query": 9}, needs_model=True),
    ViewCall("pattern", 1, 0, {"layer": 2, "head": 1, "difference": True, "first": 3}, needs_model=True),
    ViewCall("map", 1, None, {"cell": (2, 5), "limits": (-1e-05, 7.25), "shows": "kl_nats", "words": []}, True),
    ViewCall("heads", 1, None, {"measure": "max", "limits": (0.0, 0.75), "layer": 2, "head": 1}),
    ViewCall("candidates", 1, 0, {"compare_at": "answer"}),
    ViewCall("samples", 1, None, {"n": 5, "temperature": 1.5}, needs_model=True),
]  # fmt: skip


def direct(session: lt.Session, call: ViewCall, other: lt.Session | None = None) -> lt.Figure:
    model = model_of("llama") if call.needs_model else None
    return lt.figure(session, call.view, call.turn, call.against, against_session=other, model=model, **call.options)


@pytest.fixture(scope="module")
def wanted(session: lt.Session) -> Callable[[ViewCall], lt.Figure]:
    """The view of a call by itself, once."""
    known: dict[int, lt.Figure] = {}

    def of(call: ViewCall) -> lt.Figure:
        if id(call) not in known:
            known[id(call)] = direct(session, call)
        return known[id(call)]

    return of


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_lines_of_python_give_the_view_again(
    session: lt.Session, call: ViewCall, wanted: Callable[[ViewCall], lt.Figure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lt, "track", lambda *_, **__: session)  # what is asked is tried below
    figure = run_python(as_python(session, call))["figure"]
    require_same(figure.frame, wanted(call).frame)
    assert looks(figure) == looks(wanted(call)), "outlines and scales too"
    assert (figure.title, figure.sentence) == (wanted(call).title, wanted(call).sentence)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_command_gives_the_view_again(
    session: lt.Session,
    call: ViewCall,
    wanted: Callable[[ViewCall], lt.Figure],
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = as_command(session, call)
    assert lines.startswith(f"{session_command(session)}\n")
    chart = lines.removeprefix(f"{session_command(session)}\n")
    assert chart.endswith(f"--out {call.view}.png")
    monkeypatch.chdir(made)
    out = tmp_path / "view.csv"
    run_commands(f"{chart.removesuffix(f'{call.view}.png')}{shlex.quote(str(out))}")
    require_same(read_csv(out, wanted(call).frame), wanted(call).frame)


def test_a_picture_comes_of_the_command_as_it_stands(
    session: lt.Session, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    run_commands(as_command(session, ViewCall("tokens", 1)).splitlines()[-1])
    assert (made / "tokens.png").read_bytes().startswith(b"\x89PNG")


Kind = tuple[str, dict[str, Any]]
"""A model, and what `lt.track` is asked for besides."""

CHAT = {"recipe": "chat"}
KINDS: dict[str, Kind] = {
    "as it is by itself": ("llama", {"question": "Who?"}),
    "with texts that a shell and Python could take for code": (
        "llama",
        {"question": NASTY, "corrections": [f"{NASTY}!", " 'x' "], "watch_words": ["'", '"', "a b", "$x", "é"], **CHAT},
    ),
    "with texts that look like options": (
        "llama",
        {"question": "-h", "corrections": ["--control", "-- no", "-5"], "watch_words": ["-x", "--out"], **CHAT},
    ),
    "raw": ("llama", {"question": "A text\n", "corrections": ["goes on"], "recipe": "raw"}),
    "sampled": ("llama", {"question": "Who?", "temperature": 0.7, "top_p": 0.9, "seed": 5, **CHAT}),
    "with controls": ("llama", {"question": "Who?", "corrections": ["No.", "Ada."], "control": True, **CHAT}),
    "thinking": ("switched", {"question": "Why?", "thinking": True, "max_thought_tokens": 4, **CHAT}),
    "kept from thinking": ("switched", {"question": "Why?", "thinking": False, **CHAT}),
    "kept from thinking by its recipe": ("switched", {"question": "Why?"}),
    "thinking as it always does": ("opened", {"question": "Why?", "max_thought_tokens": 3, **CHAT}),
    "on another day": ("kept", {"question": "Why?", "date": "2026-01-31", "thinking": False, **CHAT}),
    "to the letter of its template": ("llama", {"question": "Who?", "follow_template": True, **CHAT}),
}


@cache
def tracked(name: str) -> lt.Session:
    kind, asked = KINDS[name]
    return lt.track(model_of(kind), **{"max_new_tokens": 2, **asked})


@pytest.mark.parametrize("name", KINDS)
def test_the_lines_of_python_make_the_conversation_again(name: str) -> None:
    session = tracked(name)
    call = ViewCall("candidates", len(session.turns) - 1)
    names = run_python(as_python(session, call))
    assert facts(names["session"]) == facts(session)
    require_same(names["figure"].frame, direct(session, call).frame)


@pytest.mark.parametrize("name", KINDS)
def test_the_commands_make_the_conversation_again(name: str, tmp_path: Path) -> None:
    session = tracked(name)
    call = ViewCall("candidates", len(session.turns) - 1)
    run_commands(as_command(session, call).replace("--out candidates.png", "--out candidates.csv"))
    assert facts(lt.load_session(tmp_path / FOLDER)) == facts(session)
    wanted = direct(session, call).frame
    require_same(read_csv(tmp_path / "candidates.csv", wanted), wanted)


def steered() -> dict[str, Callable[[lt.Session], lt.Session]]:
    """What a visitor does by hand, which no call repeats."""
    model = model_of("llama")

    def branch(session: lt.Session) -> lt.Session:
        trace = session.turns[1].trace
        other = next(each for each in trace.top_token_ids[1].tolist() if each != trace.token_ids[1])
        return lt.with_all_lenses(model, lt.what_if(model, session, 1, 1, other))

    def stopped(session: lt.Session) -> lt.Session:
        count = iter(range(99))
        begun = begin_session(model, "chat", lt.Decoding(9))
        whole = ended(stream_turn(model, begun, "Is it?", stop=lambda: next(count) > 5))
        assert whole.turns[0].ended == "stopped"
        return lt.with_all_lenses(model, whole)

    def own_recipe(session: lt.Session) -> lt.Session:
        recipe = [{"role": "system", "content": "Be short."}]
        return lt.track(model, "Is it?", recipe=recipe, max_new_tokens=2)

    return {"branch": branch, "stopped": stopped, "recipe": own_recipe}


@pytest.mark.parametrize("name", ["branch", "stopped", "recipe"])
def test_a_conversation_that_was_steered_by_hand_is_loaded_from_its_archive(
    session: lt.Session, tmp_path: Path, name: str
) -> None:
    whole = steered()[name](session)
    assert not is_remade(whole)
    lt.save_session(whole, tmp_path / FOLDER)
    call = ViewCall("map", len(whole.turns) - 1, None, {"shows": "entropy_nats"}, needs_model=True)
    names = run_python(as_python(whole, call))
    assert facts(names["session"]) == facts(whole)
    frame = direct(whole, call).frame
    require_same(names["figure"].frame, frame)
    lines = as_command(whole, call)
    assert lines.startswith("# This conversation was steered by hand: export it")
    run_commands(lines.replace("--out map.png", "--out map.csv"))
    require_same(read_csv(tmp_path / "map.csv", frame), frame)


def test_two_conversations_are_both_made_and_the_model_is_that_of_the_later_one(
    session: lt.Session, tmp_path: Path
) -> None:
    other = lt.track(model_of("kept"), "Is London it?", ["No."], recipe="chat", max_new_tokens=2, thinking=False)
    for call in (ViewCall("tokens", 0, 1), ViewCall("map", 1, 0, {"first": 0}, needs_model=True)):
        names = run_python(as_python(session, call, other))
        assert facts(names["other"]) == facts(other)
        assert facts(names["session"]) == facts(session)
        wanted = direct(session, call, other).frame
        require_same(names["figure"].frame, wanted)
        lines = as_command(session, call, other)
        assert lines.splitlines()[:2] == [session_command(other, OTHER_FOLDER), session_command(session)]
        run_commands(lines.replace(f"--out {call.view}.png", f"--out {call.view}.csv"))
        require_same(read_csv(tmp_path / f"{call.view}.csv", wanted), wanted)


def test_the_number_format_is_said_unless_it_is_the_files_own_anyway(
    session: lt.Session, loads: list[tuple[str, str]]
) -> None:
    call = ViewCall("tokens", 0)
    for name, dtype, said in (
        ("llama", "float32", True),
        ("llama", "bfloat16", True),
        ("embedded", "float32", False),
        ("mine.gguf", "float32", False),
        ("mine.gguf", "bfloat16", True),
    ):
        other = replace(session, model=replace(session.model, id=name, dtype=dtype))
        python, command = as_python(other, call), as_command(other, call)
        line = next(line for line in python.splitlines() if line.startswith("model = "))
        told = f', dtype="{dtype}"' if said else ""
        assert line == f'model = lt.load_model("{name}"{told})'
        assert (f"--dtype {dtype}" in command) == said
    run_python(as_python(session, call))
    assert loads == [("llama", "float32")]


@pytest.mark.parametrize("name", ["/srv/ann/my model", '/srv/ann/"quoted" \\ model', "-dash"])
def test_a_model_is_named_without_its_place_and_whatever_its_name_is(session: lt.Session, name: str) -> None:
    other = replace(session, model=replace(session.model, id=name, path=name))
    call = ViewCall("map", 0, needs_model=True)
    python, command = as_python(other, call), as_command(other, call)
    compile(python, "copied", "exec")
    assert "/srv" not in python + command
    words = shlex.split(command)
    own = other.model.id.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    assert words.count(own) + words.count(f"--model={own}") == 2


def test_what_says_nothing_is_left_out() -> None:
    call = ViewCall("map", 0, None, {"first": 0, "layer": None, "control": False, "weighed": True, "words": []})
    assert call.said == {"first": 0, "weighed": True, "words": []}
