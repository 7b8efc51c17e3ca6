"""A model is picked or typed in the sidebar; what cannot be used is a sentence, and the model in use stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import tiny_network, tiny_tokenizer
from visitor import VIEWS, Loader, asked, chosen, headings, opened, settled, shown_html, sidebar_captions, told, visitor
from visitor import tiny_of_any_name as tiny

import llm_tracker as lt
from llm_tracker.app.frame.model_picker import told_apart
from llm_tracker.app.frame.parity_badge import KERNEL_NAMES
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.model_desk import LOOKUP_SECONDS, ModelDesk
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.kernels.matrix_products import CANDIDATES
from llm_tracker.models.sources import hub
from llm_tracker.models.sources.hub import HubFile, HubModel
from llm_tracker.models.sources.model_size import Room
from llm_tracker.progress import Progress, Report

GB = 10**9

PLAIN = "pages/7_History.py"
"""A page without a chart: the sidebar is the same on all of them."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    tiny_network("llama").save_pretrained(tmp_path / "my_tiny_model")
    tiny_tokenizer().save_pretrained(tmp_path / "my_tiny_model")
    return tmp_path / "my_tiny_model"


@pytest.fixture
def on_the_hub(monkeypatch: pytest.MonkeyPatch) -> HubModel:
    """The hub's answer about a model that is not here, on a machine with 8 GB of which 5 are in use."""
    files = (HubFile("model.safetensors", 2 * GB, None), HubFile("tokenizer.json", GB // 10, None))
    found = HubModel("owner/big_one", "v2", "0123456789abcdef", files)
    monkeypatch.setattr(hub, "ask_hub", lambda *_, **__: found)
    monkeypatch.setattr(ModelDesk, "room", lambda _self: Room(8 * GB, 5 * GB))
    return found


def test_nonsense_is_a_sentence_where_it_was_typed_and_changes_nothing_else(engine: engines.Engine) -> None:
    at = told(engine, "")
    at = chosen(at, "embeded <b>")
    assert "There is no model “<bdi>embeded &lt;b&gt;</bdi>”." in shown_html(at)
    assert "Known ids: embedded" in shown_html(at)
    workspace = visitor(engine)
    assert (workspace.wanted_id, workspace.model_id, workspace.typed_ids) == ("embedded", "embedded", [])
    assert at.sidebar.selectbox(key="model").value == "embedded"
    assert headings(at) == VIEWS
    words = workspace.sessions[1].watch_words
    at = settled(at.multiselect[0].set_value([*words, "zebra"]).run())
    assert "There is no model" in shown_html(at), "work in the background does not take it away"
    assert "There is no model" not in shown_html(asked(at, "And now?")), "said until something is asked"


def test_a_title_can_be_typed_in_any_case(engine: engines.Engine) -> None:
    at = chosen(opened(PLAIN), "TINYLLAMA-1.1b-chat-v1.0")
    assert visitor(engine).wanted_id == "tinyllama"
    assert at.sidebar.selectbox(key="model").value == "tinyllama"


def test_a_typed_directory_is_loaded_at_once_answers_and_stays_to_be_picked(
    engine: engines.Engine, directory: Path
) -> None:
    at = chosen(opened("dashboard.py"), f" {directory} ")
    assert visitor(engine).model_id == str(directory)
    assert "✓ read exactly" in sidebar_captions(at)
    at = chosen(asked(at), "embedded")
    assert visitor(engine).sessions[1].model.id == str(directory)
    assert "my_tiny_model" in at.sidebar.selectbox(key="model").options


def test_a_directory_that_goes_away_while_its_model_is_in_use_breaks_no_page(
    engine: engines.Engine, directory: Path
) -> None:
    at = chosen(opened(PLAIN), str(directory))
    directory.rename(directory.with_name("gone"))
    assert not settled(at.run()).exception
    assert "✓ read exactly" in sidebar_captions(at)


def test_a_typed_hub_model_is_looked_up_and_offered_with_its_size_and_whether_it_fits(
    engine: engines.Engine, on_the_hub: HubModel
) -> None:
    at = chosen(opened(PLAIN), "owner/big_one@v2")
    assert engine.models.load_job("owner/big_one@v2") is None, "nothing is downloaded before the button is pressed"
    assert "owner/big_one, revision v2, commit 0123456." in shown_html(at)
    assert "A download of 2.1 GB. Takes about 2.0 GB in memory and fits: 2.9 GB of 8.0 GB are free." in shown_html(at)
    assert "Until it is ready, questions go to SmolLM2-135M-Instruct." in shown_html(at)
    (button,) = [each for each in at.sidebar.button if each.key == "download owner/big_one@v2"]
    assert button.label == r"Download big\_one, 2.1 GB"
    at = settled(button.click().run())
    assert visitor(engine).model_id == "owner/big_one@v2"
    assert "questions go to" not in shown_html(at)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (6 * GB, "Takes about 2.0 GB in memory: 866 MB of 6.0 GB are free, so other models are let go for it."),
        (2 * GB, "Does not fit: it takes about 2.0 GB in memory, and this app may use 2.0 GB."),
    ],
)
def test_where_there_is_too_little_room_both_figures_are_told(
    engine: engines.Engine, on_the_hub: HubModel, monkeypatch: pytest.MonkeyPatch, limit: int, told: str
) -> None:
    monkeypatch.setattr(ModelDesk, "room", lambda _self: Room(limit, 5 * GB))
    assert told in shown_html(chosen(opened(PLAIN), "owner/big_one"))


def test_a_hub_that_refuses_is_a_sentence_and_can_be_asked_again(
    engine: engines.Engine, on_the_hub: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise lt.ModelError("The hub has no model “owner/big_one”. Check its name.")

    monkeypatch.setattr(hub, "ask_hub", refuse)
    at = chosen(told(engine, ""), "owner/big_one")
    assert "The hub has no model “<bdi>owner/big_one</bdi>”. Check its name." in shown_html(at)
    assert headings(at) == VIEWS
    monkeypatch.setattr(hub, "ask_hub", lambda *_, **__: on_the_hub)
    at = settled(next(each for each in at.sidebar.button if each.label == "Try again").click().run())
    assert "A download of 2.1 GB." in shown_html(at)


def test_asking_the_hub_never_holds_up_the_page(
    engine: engines.Engine, on_the_hub: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(hub, "ask_hub", lambda *_, **__: answer.wait(20) and on_the_hub)
    at = opened(PLAIN)
    box = at.sidebar.selectbox(key="model")
    box.options.append("owner/big_one")
    at = box.set_value("owner/big_one").run()
    assert "Asking the model hub …" in sidebar_captions(at)
    answer.set()
    assert "A download of 2.1 GB." in shown_html(settled(at.run()))


def test_a_question_to_a_hub_that_is_broken_shows_what_it_waits_for_and_can_be_cancelled(
    engine: engines.Engine, on_the_hub: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_on(_repository: str, _revision: str | None, report: Report, _trust: object) -> None:
        for _ in range(1000):
            report(Progress("Waiting for the model hub to answer"))
            time.sleep(0.01)

    monkeypatch.setattr(hub, "ask_hub", wait_on)
    at = opened(PLAIN)
    box = at.sidebar.selectbox(key="model")
    box.options.append("owner/big_one")
    at = box.set_value("owner/big_one").run().run()
    assert "Waiting for the model hub to answer …" in sidebar_captions(at)
    at = settled(at.sidebar.button(key="cancel look-up owner/big_one").click().run())
    assert "The question to the model hub was cancelled." in sidebar_captions(at)
    assert "Try again" in [each.label for each in at.sidebar.button]


def test_an_answer_of_the_hub_counts_for_ten_minutes(
    engine: engines.Engine, on_the_hub: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + LOOKUP_SECONDS)  # also where a machine has just started
    at = chosen(opened(PLAIN), "owner/big_one")
    job = engine.models.lookup_job("owner/big_one")
    assert job is not None
    assert engine.models.look_up("owner/big_one") is job
    job.ended_at -= LOOKUP_SECONDS
    assert engine.models.lookup_job("owner/big_one") is None
    at = settled(at.run())
    assert "A download of" not in shown_html(at)
    at = settled(at.sidebar.button(key="look up owner/big_one").click().run())
    assert "A download of 2.1 GB." in shown_html(at)
    assert engine.models.lookup_job("owner/big_one") is not job


def waiting_load(inside: threading.Event, go_on: threading.Event) -> Callable[..., lt.LoadedModel]:
    """A load that stands still at a stage until it may go on."""

    def load(name: str, _options: object, report: Report, *_: object) -> lt.LoadedModel:
        report(Progress("Loading the weights"))
        inside.set()
        assert go_on.wait(20)
        report(Progress("Checking that it is read exactly"))
        return tiny(name)

    return load


def test_a_load_shows_its_stage_and_can_be_cancelled_and_the_old_model_stays(
    engine: engines.Engine, directory: Path, loader: Loader
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    at = told(engine, "")
    loader.load = waiting_load(inside, go_on)
    box = at.sidebar.selectbox(key="model")
    box.options.append(str(directory))
    at = box.set_value(str(directory)).run().run()
    assert inside.wait(20)
    at = at.run()
    assert "Loading the weights …" in sidebar_captions(at)
    at = next(each for each in at.sidebar.button if each.label == "Cancel").click().run()
    go_on.set()
    at = settled(at.run())
    assert "The loading was cancelled." in sidebar_captions(at)
    assert "questions go to SmolLM2-135M-Instruct" in shown_html(at)
    assert (headings(at), visitor(engine).model_id) == (VIEWS, "embedded")
    at = asked(at, "And now?")
    assert visitor(engine).sessions[2].model.id == "embedded"


def test_a_cancelled_download_says_that_what_arrived_is_kept(
    engine: engines.Engine, on_the_hub: HubModel, loader: Loader
) -> None:
    def load(_name: str, _options: object, report: Report, *_: object) -> None:
        report(Progress("Downloading", 1, 2))
        raise lt.Cancelled("Stopped.")

    loader.load = load
    at = chosen(opened(PLAIN), "owner/big_one")
    at = settled(at.sidebar.button(key="download owner/big_one").click().run())
    kept = "What has arrived is kept: start the download again to go on from there."
    assert f"The download was cancelled. {kept}" in sidebar_captions(at)


def test_a_model_that_fails_leaves_the_old_one_in_use(engine: engines.Engine, directory: Path, loader: Loader) -> None:
    def fail(*_: object) -> None:
        raise lt.ModelError("No adapter reads it exactly.")

    at = told(engine, "")
    loader.load = fail
    at = chosen(at, str(directory))
    assert "No adapter reads it exactly." in shown_html(at)
    assert "questions go to SmolLM2-135M-Instruct" in shown_html(at)
    at = asked(at, "And now?")
    assert visitor(engine).sessions[2].model.id == "embedded"


def test_the_badge_has_the_largest_gap_and_the_number_of_checks(engine: engines.Engine) -> None:
    at = opened(PLAIN)
    model = engine.models.loaded("embedded")
    assert model is not None
    assert f"✓ read exactly ({len(model.proof.checks)} checks, largest gap " in sidebar_captions(at)
    assert "3 layers · 4 heads" in sidebar_captions(at)
    (details,) = [each for each in at.sidebar.expander if each.label == "How exactly?"]
    table = " ".join(each.proto.body for each in details.get("html"))
    assert all(check.name in table for check in model.proof.checks)


def test_titles_that_occur_twice_are_told_apart_and_a_typed_name_stays_what_was_typed() -> None:
    one = ModelEntry("a", "model", "directory", "/a")
    entries = [one, replace(one, id="b"), replace(one, id="c", title="other")]
    typed = ModelEntry("owner/name@v2", "name", "hub", "owner/name", "v2")
    assert told_apart([*entries, typed]) == {
        "a": "model · a",
        "b": "model · b",
        "c": "other",
        "owner/name@v2": "owner/name@v2",
    }


def test_one_error_stands_at_a_time_and_a_button_leads_back(
    engine: engines.Engine, on_the_hub: HubModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise lt.ModelError("The hub has no such model.")

    monkeypatch.setattr(hub, "ask_hub", refuse)
    at = chosen(opened(PLAIN), "owner/big_one")
    assert "The hub has no such model." in shown_html(at)
    at = chosen(at, "embeded")
    assert "There is no model “<bdi>embeded</bdi>”." in shown_html(at)
    assert "The hub has no such model." not in shown_html(at)
    assert any(each.label.startswith("Try owner/big") for each in at.sidebar.button)
    at = settled(next(each for each in at.sidebar.button if each.label.startswith("Back to SmolLM2")).click().run())
    assert visitor(engine).wanted_id == "embedded"
    assert "read exactly" in sidebar_captions(at)
    assert "There is no model" not in shown_html(at)
    assert "Back to" not in " ".join(each.label for each in at.sidebar.button)


def test_the_first_of_the_list_is_the_chosen_one_so_that_enter_in_an_emptied_field_keeps_it(
    engine: engines.Engine,
) -> None:
    box = opened(PLAIN).sidebar.selectbox(key="model")
    assert box.options[0] == box.format_func("embedded")


def test_every_routine_that_can_be_chosen_is_said_in_words() -> None:
    assert {kernel.__name__ for kernels in CANDIDATES.values() for kernel in kernels} == KERNEL_NAMES.keys()
