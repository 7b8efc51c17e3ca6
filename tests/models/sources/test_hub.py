"""Models from a hub: asked, downloaded, kept, and every sentence for what a hub may say, against one on 127.0.0.1."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_server import BROKEN, GATED, NO_REPOSITORY, TOO_OFTEN, UNKNOWN_CALLER, HubServer
from hub_steps import NAME, failure, point_to, unused_port
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

import llm_tracker as lt
from llm_tracker.models.catalogue import TINYLLAMA
from llm_tracker.models.loading.load import fetch
from llm_tracker.models.loading.resolve import default_model_id, find_entry
from llm_tracker.models.sources.digests import digest
from llm_tracker.models.sources.hub import FIRST_WORD_SECONDS, HubModel, ask_hub, cached_model, download
from llm_tracker.models.sources.hub_failures import PAUSES_SECONDS
from llm_tracker.progress import Progress, silent

READ_BYTES = 65_536
"""What one read of a connection brings at most."""


def test_the_hub_tells_commit_files_and_total_size(hub: HubServer, repositories: Path) -> None:
    (repositories / NAME / "README.md").write_text("not needed to run the model")
    model = ask_hub(NAME)
    weights = next(file for file in model.files if file.name == "model.safetensors")
    assert model.commit == hub.commit(NAME)
    assert {file.name for file in model.files} == {path.name for path in hub.files(NAME)} - {"README.md"}
    assert model.size_bytes == hub.size_bytes(NAME) - (repositories / NAME / "README.md").stat().st_size
    assert weights.sha256 == digest(repositories / NAME / "model.safetensors")
    assert hub.requests == [f"GET /api/models/{NAME}"]


def test_a_silent_hub_is_given_up_after_the_time_that_was_promised(hub: HubServer) -> None:
    hub.silent = True
    began = time.monotonic()
    assert "could not be reached" in failure()
    assert FIRST_WORD_SECONDS - 0.1 <= time.monotonic() - began <= FIRST_WORD_SECONDS + 1.5


def test_a_download_reports_every_piece_up_to_the_total(hub: HubServer) -> None:
    reports: list[Progress] = []
    directory = download(ask_hub(NAME), reports.append)
    done = [report.done_bytes for report in reports]
    assert done == sorted(done)
    assert done[-1] == reports[-1].total_bytes == hub.size_bytes(NAME)
    assert len(done) >= hub.size_bytes(NAME) // READ_BYTES
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        path.name: path.read_bytes() for path in hub.files(NAME)
    }


def test_a_model_loads_from_the_hub_once_and_from_the_cache_ever_after(hub: HubServer) -> None:
    model = lt.load_model(NAME)
    assert (model.dtype, model.adapter.name, model.proof.ok) == ("bfloat16", "LlamaAdapter", True)
    assert (model.id, model.revision, len(model.layers)) == (NAME, hub.commit(NAME), 3)
    assert model.weights_sha256 == digest(hub.root / NAME / "model.safetensors")
    asked = len(hub.requests)
    again = lt.load_model(NAME)
    assert len(hub.requests) == asked
    assert again.directory == model.directory
    assert torch.equal(again.model.lm_head.weight, model.model.lm_head.weight)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists what is mapped")
def test_the_weights_stay_mapped_from_the_file_of_the_cache(hub: HubServer) -> None:
    model = lt.load_model(NAME, device="cpu")
    assert model.directory is not None
    blob = (model.directory / "model.safetensors").resolve()
    assert str(blob) in Path("/proc/self/maps").read_text()


def test_the_chat_template_of_a_downloaded_model_is_tinyllamas(hub: HubServer) -> None:
    tokenizer = lt.load_model(NAME).tokenizer
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital?"}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "<|system|>\nBe brief.</s>\n<|user|>\nWhat is the capital?</s>\n<|assistant|>\n"


def test_tinyllama_is_the_default_once_it_is_here(hub: HubServer, checkpoint: Path) -> None:
    shutil.copytree(checkpoint, hub.root / TINYLLAMA.location)
    assert default_model_id() == "embedded"
    model = lt.load_model("tinyllama")
    assert (model.id, model.entry, model.dtype, model.proof.ok) == ("tinyllama", TINYLLAMA, "bfloat16", True)
    assert default_model_id() == "tinyllama"


def test_a_downloaded_model_answers_and_is_corrected(hub: HubServer) -> None:
    session = lt.track(lt.load_model(NAME), "What is the capital of France?", ["It is London."], max_new_tokens=3)
    assert len(session.turns) == 2


def test_the_default_branch_by_its_name_is_the_same_model() -> None:
    plain, named, other = (find_entry(f"{NAME}{revision}") for revision in ("", "@main", "@v1"))
    assert plain.is_of_the_same_model(named)
    assert not plain.is_of_the_same_model(other)


@pytest.mark.parametrize("revision", ["v1", "commit"])
def test_a_revision_is_kept_under_its_own_name(hub: HubServer, revision: str) -> None:
    revision = hub.commit(NAME) if revision == "commit" else revision
    first = fetch(find_entry(f"{NAME}@{revision}"))
    asked = len(hub.requests)
    assert fetch(find_entry(f"{NAME}@{revision}")) == first
    assert len(hub.requests) == asked
    assert first[1] == hub.commit(NAME)
    is_named_otherwise = revision == "v1"
    assert (cached_model(NAME) is None) is is_named_otherwise, "without any name, the only one is the default"


def test_a_download_that_is_stopped_leaves_no_model(hub: HubServer) -> None:
    hub.slow = True
    model = ask_hub(NAME)

    def stop_in_the_middle(progress: Progress) -> None:
        if progress.done_bytes > model.size_bytes // 2:
            raise lt.Cancelled("Stopped.")

    with pytest.raises(lt.Cancelled, match=r"^Stopped\.$"):
        download(model, stop_in_the_middle)
    assert hub.sent_bytes < model.size_bytes
    assert cached_model(NAME) is None
    assert default_model_id() == "embedded"


@pytest.mark.parametrize("by_commit", [False, True])
def test_a_download_stopped_after_any_file_counts_as_a_model_only_when_whole(hub: HubServer, by_commit: bool) -> None:
    model = ask_hub(NAME, hub.commit(NAME) if by_commit else None)
    for n_files in range(1, len(model.files)):
        stop_after(model, n_files)
        assert cached_model(NAME, model.revision) is None, f"after {n_files} files"
    assert download(model, silent) == cached_model(NAME, model.revision)


def stop_after(model: HubModel, n_files: int) -> None:
    """Download until this many files are wholly there."""

    def stop(_progress: Progress) -> None:
        kept = Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*/*")
        if len(list(kept)) >= n_files:
            raise lt.Cancelled("Stopped.")

    with pytest.raises(lt.Cancelled):
        download(model, stop)


def test_a_gated_model_says_where_to_ask_and_how_to_log_in(hub: HubServer) -> None:
    hub.refuse_files = GATED  # as on the hub, where anybody may see what files there are
    page = f"{hub.url}/{NAME}"
    assert failure() == f"“{NAME}” is gated: ask for access on {page}, then log in with: hf auth login"
    hub.refuse_api = GATED
    assert "is gated" in failure()


def test_an_access_token_opens_what_it_has_the_right_to(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.token = "hf_secret"
    assert "is gated" in failure()
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert lt.load_model(NAME).proof.ok


def test_a_hub_that_does_not_know_the_caller_says_where_to_look(hub: HubServer) -> None:
    hub.refuse_api = UNKNOWN_CALLER
    said = failure()
    assert f"does not hand out “{NAME}” with the access token of this machine, or without one." in said
    assert said.endswith(f"Look at {hub.url}/{NAME}, then log in with: hf auth login")


@pytest.mark.parametrize("name", ["someone/else", "zz/zz"])
def test_an_unknown_model_is_said_to_be_unknown(hub: HubServer, name: str) -> None:
    said = failure(name)
    assert said.startswith(f"The hub has no model “{name}”. Check its name: owner/model, as its page shows it.")
    assert said.endswith("log in with: hf auth login")


def test_a_name_that_no_repository_can_have_is_not_asked_for(hub: HubServer) -> None:
    assert failure("some one/else").startswith("There is no model “some one/else”.")
    assert hub.requests == []


def test_a_model_that_is_gone_when_its_files_are_asked_for_is_said_to_be_unknown(hub: HubServer) -> None:
    hub.refuse_files = NO_REPOSITORY
    assert failure().startswith(f"The hub has no model “{NAME}”.")


def test_a_misspelt_repository_gets_the_near_name_of_the_catalogue(hub: HubServer) -> None:
    said = failure("TinyLlama/TinyLama-1.1B-Chat")
    assert "Did you mean “tinyllama” (TinyLlama/TinyLlama-1.1B-Chat-v1.0)?" in said


def test_an_unknown_revision_is_said_to_be_unknown(hub: HubServer) -> None:
    said = failure(f"{NAME}@v9")
    assert said == f"“{NAME}” has no such revision. Leave it out, or copy it from {hub.url}/{NAME}"


def test_a_broken_hub_is_asked_a_few_times_and_then_named_with_its_answer(hub: HubServer) -> None:
    hub.refuse_api = BROKEN
    said = failure()
    assert said.startswith(f"The model hub answered with an error for “{NAME}”: ")
    assert "500" in said
    assert len(hub.requests) == 1 + len(PAUSES_SECONDS)


def test_a_hub_that_was_asked_too_often_says_when_to_come_again(hub: HubServer) -> None:
    hub.refuse_api = TOO_OFTEN
    assert failure().startswith(f"The model hub was asked too often from here; try “{NAME}” again in 40 seconds.")
    assert len(hub.requests) == 1


def test_a_repository_of_gguf_files_alone_says_what_to_do_with_them(hub: HubServer) -> None:
    weights = hub.root / NAME / "model.safetensors"
    weights.rename(weights.with_name("tiny-q4.gguf"))
    assert failure().endswith("Download its tiny-q4.gguf and give the path of that file.")
    assert hub.sent_bytes == 0


def test_an_answer_without_digests_is_not_downloaded_by(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_server._git_blob", lambda _path: "../../elsewhere")
    assert "lacks a commit or digests; nothing was downloaded." in failure()
    assert not Path(constants.HF_HUB_CACHE).exists()


def test_a_checkpoint_with_a_hole_is_refused_rather_than_filled_with_random_numbers(hub: HubServer) -> None:
    weights = hub.root / NAME / "model.safetensors"
    lost = "model.layers.1.mlp.up_proj.weight"
    kept = {name: weight for name, weight in load_file(weights).items() if name != lost}
    save_file(kept, weights, metadata={"format": "pt"})
    assert f"1 of its weights are in no file, such as {lost}." in failure()


def test_weights_that_are_only_a_pointer_to_weights_are_refused_with_a_sentence(hub: HubServer) -> None:
    (hub.root / NAME / "model.safetensors").write_text("version https://example.invalid/spec/v1\noid sha256:0\n")
    assert "could not be loaded" in failure()


def test_without_a_hub_a_model_that_is_here_still_loads(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    lt.load_model(NAME)
    point_to(f"http://127.0.0.1:{unused_port()}", monkeypatch)
    assert "could not be reached" in failure("someone/else")
    assert lt.load_model(NAME).proof.ok


def test_offline_a_model_that_is_here_still_loads_and_another_is_refused_without_being_asked_for(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lt.load_model(NAME)
    asked = len(hub.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert lt.load_model(NAME).proof.ok
    said = failure("someone/else")
    assert said.startswith("“someone/else” is not on this machine, and nothing may be downloaded: HF_HUB_OFFLINE")
    assert len(hub.requests) == asked


def test_the_command_line_finds_hub_and_cache_by_the_environment(repositories: Path, tmp_path: Path) -> None:
    with HubServer(repositories) as server:
        online = check_by_command_line(server.url, tmp_path)
        assert online["ok"] is True
        paths = {request.split()[1] for request in server.requests}
    commit = server.commit(NAME)
    assert paths == {f"/api/models/{NAME}"} | {f"/{NAME}/resolve/{commit}/{path.name}" for path in server.files(NAME)}
    assert list((tmp_path / "hf-home").glob("hub/models--*/snapshots/*/model.safetensors"))
    offline = check_by_command_line(server.url, tmp_path)
    assert without_gaps(offline) == without_gaps(online)


def without_gaps(record: dict[str, Any]) -> dict[str, Any]:
    """A proof's record without its gaps, which differ with the kernels that each load times anew."""
    checks = [{name: value for name, value in check.items() if name != "gap"} for check in record["checks"]]
    return {**record, "checks": checks}


def check_by_command_line(url: str, folder: Path) -> dict[str, object]:
    """`llm-tracker check`, in an environment that says where the hub and its cache are and nothing else of it."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    there = {"HF_ENDPOINT": url, "HF_HOME": str(folder / "hf-home"), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "llm_tracker", "check", NAME, "--json"]
    done = subprocess.run(command, env={**plain, **there}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    record: dict[str, object] = json.loads(done.stdout)
    return record
