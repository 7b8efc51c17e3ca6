"""The Models page: what there is, what it takes, what is in memory, its shape and proof; load, use and unload."""

from __future__ import annotations

import gc
import struct
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import tiny_model
from visitor import VIEWS, asked, headings, opened, settled, shown_html, sidebar_captions, told, visitor

from llm_tracker.app.frame import model_facts
from llm_tracker.app.frame.model_picker import known_models
from llm_tracker.app.models.architecture import NO_ATTENTION, counts, part_row, spans
from llm_tracker.app.models.catalogue import matches
from llm_tracker.app.parts import cards
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work import model_desk
from llm_tracker.app.work.jobs import Job
from llm_tracker.app.work.model_desk import ModelDesk
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.load_options import LoadOptions, Trust
from llm_tracker.models.catalogue import EMBEDDED, TINYLLAMA, ModelEntry
from llm_tracker.models.sources.model_size import Room, Weight, weigh
from llm_tracker.settings import Settings

PAGE = "pages/8_Models.py"


@pytest.fixture(autouse=True)
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelDesk, "room", lambda _self: Room(8 * 10**9, 5 * 10**9))


def test_every_model_has_its_size_its_place_and_whether_it_fits(engine: engines.Engine) -> None:
    at = opened(PAGE)
    assert "tinyllama, to download" in shown_html(at)
    assert "A download of 2.2 GB. Takes about 2.2 GB in memory and fits: 2.9 GB of 8.0 GB are free." in shown_html(at)
    assert "embedded, in use" in shown_html(at)
    assert "In memory: 0 MB of float32 on cpu, and 0 MB of texts it has read." in shown_html(at)
    assert "One model is in memory, 0 MB of the " in shown_html(at)


def test_the_proof_stands_on_the_page(engine: engines.Engine) -> None:
    at = opened(PAGE)
    assert any("check" in table.value and "tail" in table.value["check"].tolist() for table in at.main.dataframe)


def test_the_catalogue_is_searched_by_id_title_and_note(engine: engines.Engine) -> None:
    at = opened(PAGE)
    at = settled(at.text_input(key="model search").set_value("Tiny  1.1B").run())
    assert "tinyllama, to download" in shown_html(at)
    assert "embedded, in use" not in shown_html(at)
    at = settled(at.text_input(key="model search").set_value("built in").run())
    assert "embedded, in use" in shown_html(at)
    assert "tinyllama, to download" not in shown_html(at)


def test_a_search_without_a_result_says_what_to_do(engine: engines.Engine) -> None:
    at = settled(opened(PAGE).text_input(key="model search").set_value("no such <b>").run())
    assert "No model here has “<bdi>no such &lt;b&gt;</bdi>” in its id, name or note." in shown_html(at)
    assert "can be typed into the field “<bdi>Model</bdi>” in the sidebar" in shown_html(at)


@pytest.mark.parametrize(("query", "found"), [("", True), ("TINY llama", True), ("2.2 gb", True), ("tiny gpt", False)])
def test_every_word_of_a_search_has_to_be_found(query: str, found: bool) -> None:
    assert matches(TINYLLAMA, query) is found


def test_a_model_is_loaded_from_the_page_and_becomes_the_chosen_one(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_desk, "is_local", lambda _entry: True)
    at = settled(opened(PAGE).button(key="page load smollm2").click().run())
    assert visitor(engine).model_id == "smollm2"
    assert at.sidebar.selectbox(key="model").value == "smollm2"
    assert "smollm2, in use" in shown_html(at)
    at = settled(at.button(key="page use embedded").click().run())
    assert visitor(engine).model_id == "embedded"


def test_a_download_from_the_page_says_its_size_and_shows_its_stage(engine: engines.Engine) -> None:
    at = opened(PAGE)
    button = at.button(key="page load tinyllama")
    assert button.label == "Download, 2.2 GB"
    inside, go_on = threading.Event(), threading.Event()

    def load(*_: object) -> None:
        inside.set()
        assert go_on.wait(20)

    engine.models.worker("tinyllama").submit(Job("ask"), load)  # its thread is at work: the load waits
    assert inside.wait(20)
    at = button.click().run()
    assert [caption.value for caption in at.main.caption if "…" in caption.value] == ["Waiting …"]
    assert "Waiting …" in sidebar_captions(at)
    go_on.set()
    settled(at.run())
    assert visitor(engine).model_id == "tinyllama"


def test_a_damaged_file_of_a_visitor_costs_its_own_line_only(engine: engines.Engine, tmp_path: Path) -> None:
    file = tmp_path / "bad.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**63))
    at = opened(PAGE)
    visitor(engine).typed_ids.append(str(file))
    shown = shown_html(settled(at.run()))
    assert "bad.gguf is no whole GGUF file. Get it anew." in shown
    assert "A download of 2.2 GB." in shown


def test_a_file_that_was_typed_and_is_gone_since_is_not_offered_and_breaks_no_page(
    engine: engines.Engine, tmp_path: Path
) -> None:
    (tmp_path / "here.gguf").touch()
    at = opened(PAGE)
    visitor(engine).typed_ids += [str(tmp_path / "gone.gguf"), str(tmp_path / "here.gguf"), str(tmp_path / "no_folder")]
    at = settled(at.run())
    assert "here" in at.sidebar.selectbox(key="model").options
    assert not {"gone", "no_folder"} & set(at.sidebar.selectbox(key="model").options)
    assert "gone.gguf" not in shown_html(at)


def test_what_else_a_file_makes_its_reader_raise_costs_its_own_line_only(
    engine: engines.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weigh_or_fail(entry: ModelEntry, dtype: str) -> Weight:
        return weigh(entry, dtype) if entry.source == "hub" else Weight(1 // 0, None)

    (tmp_path / "odd.gguf").touch()
    monkeypatch.setattr(model_facts, "weigh", weigh_or_fail)
    at = opened(PAGE)
    visitor(engine).typed_ids.append(str(tmp_path / "odd.gguf"))
    assert "Its files cannot be read (ZeroDivisionError)." in shown_html(settled(at.run()))


def test_an_unloaded_model_leaves_its_answers_and_is_loaded_again_by_a_question(engine: engines.Engine) -> None:
    at = told(engine)
    held = weakref.ref(engine.models.loaded("embedded"))
    at = settled(at.switch_page(PAGE).run())
    at = settled(at.button(key="page unload embedded").click().run())
    gc.collect()
    assert held() is None, "nothing in the app holds it"
    assert "No model is in memory" in shown_html(at)
    assert "Not in memory now. The next question loads it again." in sidebar_captions(at)
    at = settled(at.switch_page("dashboard.py").run())
    assert headings(at) == VIEWS, "the answers stay readable"
    assert engine.models.loaded("embedded") is None, "and it does not come back by itself"
    at = asked(at, "And now?")
    assert engine.models.loaded("embedded") is not None
    assert len(visitor(engine).sessions[2].turns) == 1


def test_an_unloaded_model_can_be_loaded_from_the_sidebar(engine: engines.Engine) -> None:
    at = settled(opened(PAGE).button(key="page unload embedded").click().run())
    at = settled(at.sidebar.button(key="load embedded").click().run())
    assert "✓ read exactly" in sidebar_captions(at)


def test_a_model_at_work_is_not_unloaded_and_the_page_says_so(engine: engines.Engine) -> None:
    at = opened(PAGE)
    inside, go_on = threading.Event(), threading.Event()

    def work(_job: Job) -> None:
        inside.set()
        assert go_on.wait(20)

    engine.models.worker("embedded").submit(Job("ask"), work)
    assert inside.wait(20)
    at = at.button(key="page unload embedded").click().run()
    assert "SmolLM2-135M-Instruct is at work. Stop it, or wait until it has answered" in shown_html(at)
    assert engine.models.loaded("embedded") is not None
    go_on.set()
    assert "is at work" not in shown_html(settled(at.run()))


def test_the_shape_of_the_model_in_use_stands_on_the_page(engine: engines.Engine) -> None:
    html = shown_html(opened(PAGE))
    for cell in ("<td>layers</td><td>3</td>", "kv heads)</td><td>2</td>", "<td>LlamaAttention</td>", "LlamaRMSNorm"):
        assert cell in html
    assert "nothing: they are used as they come" in html


def test_a_shape_without_attention_speaks_of_no_heads() -> None:
    model = tiny_model("llama")
    (kind,) = model.architecture.kinds
    assert part_row(replace(kind, attention=None, attention_norm=None))[1:3] == ["none", NO_ATTENTION]
    none = replace(model, architecture=replace(model.architecture, heads=(0, 0, 0)))
    assert not any("head" in name for name, _ in counts(none))
    mixed = replace(model, architecture=replace(model.architecture, heads=(4, 0, 4)))
    assert dict(counts(mixed))["layers with attention"] == "2; 1 without"


def test_layers_are_counted_in_spans() -> None:
    assert spans([1, 2, 3, 5, 7, 8]) == "1 to 3, 5, 7 to 8"


def test_a_failed_plug_in_is_shown_with_the_line_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(cards.st, "warning", said.append)
    monkeypatch.setattr(cards.st, "code", lambda text, **_: said.append(text))
    cards.failed_plugin("my_plugin", "NameError: x", "adapters/my_plugin.py, line 3")
    cards.failed_plugin("other", "ValueError: y")
    assert said == [
        r"The plug-in my\_plugin could not be used: see adapters/my\_plugin.py, line 3.",
        "NameError: x",
        "The plug-in other could not be used.",
        "ValueError: y",
    ]


def test_the_built_in_entries_are_those_of_the_catalogue(engine: engines.Engine) -> None:
    assert engine.models.entry(EMBEDDED.id) == EMBEDDED


def test_a_model_is_known_by_one_name_however_it_is_spelled(engine: engines.Engine, tmp_path: Path) -> None:
    first = engine.models.entry(str(tmp_path))
    assert first.source == "directory"
    assert engine.models.entry(f"{tmp_path}/../{tmp_path.name}") is first
    assert engine.models.entry(TINYLLAMA.location) == TINYLLAMA
    assert engine.models.entry(f"{TINYLLAMA.location}@v1.0").id == f"{TINYLLAMA.location}@v1.0"


def test_a_model_of_the_catalogue_that_the_app_was_started_with_by_its_hub_id_is_listed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_TRACKER_MODEL", TINYLLAMA.location)
    engine = engines.Engine()
    assert engine.settings.model == engine.models.settings.model == TINYLLAMA.id
    listed = [entry.id for entry in known_models(engine, Workspace(model_id=TINYLLAMA.id))]
    assert listed.count(TINYLLAMA.id) == 1
    assert TINYLLAMA.location not in listed


def test_the_trust_of_the_start_holds_under_every_name_of_its_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = Settings(f"{tmp_path}/../{tmp_path.name}", LoadOptions(trust=Trust(remote_code=True)))
    for name, value in given.as_environment().items():
        monkeypatch.setenv(name, value)
    engine = engines.Engine()
    known = engine.models.entry(str(tmp_path))
    assert engine.models.settings.options_for(known.id).trust == Trust(remote_code=True)
