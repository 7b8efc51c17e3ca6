"""Downloads that break off, arrive damaged or find no room: they go on, and nothing half is ever used."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
from hub_server import BROKEN, HubServer
from hub_steps import NAME, failure, parts, require_whole
from huggingface_hub import constants

import llm_tracker as lt
from llm_tracker.models.sources import hub_failures
from llm_tracker.models.sources import resumable_download as hub_files
from llm_tracker.models.sources.digests import digest
from llm_tracker.models.sources.hub import ask_hub, cached_model, download
from llm_tracker.models.sources.hub_cache import RepositoryCache
from llm_tracker.models.sources.resumable_download import DELIVERIES
from llm_tracker.progress import Progress, silent

SENT_IN_VAIN_BYTES = 65_536
"""What is on its way at most when a download is stopped."""

TRIES = 1 + len(hub_failures.PAUSES_SECONDS)


def weights(hub: HubServer) -> Path:
    return hub.root / NAME / "model.safetensors"


def weights_requests(hub: HubServer) -> int:
    return sum(request.endswith("/model.safetensors") for request in hub.requests)


def stop_in_the_middle(hub: HubServer) -> None:
    """Begin a download, and stop it once half of everything is here."""

    def stop(progress: Progress) -> None:
        if progress.done_bytes > hub.size_bytes(NAME) // 2:
            raise lt.Cancelled("Stopped.")

    with pytest.raises(lt.Cancelled):
        download(ask_hub(NAME), stop)


def test_a_stopped_download_goes_on_where_it_stopped(hub: HubServer) -> None:
    hub.slow = True
    stop_in_the_middle(hub)
    (part,) = parts()
    here = part.stat().st_size
    assert 0 < here < weights(hub).stat().st_size
    hub.slow = False
    reports: list[Progress] = []
    download(ask_hub(NAME), reports.append)
    assert hub.ranges == [str(here)]
    assert hub.sent_bytes <= weights(hub).stat().st_size + SENT_IN_VAIN_BYTES
    assert max(report.done_bytes for report in reports) == reports[-1].total_bytes == hub.size_bytes(NAME)
    require_whole(hub)


def test_a_download_whose_process_was_killed_goes_on_in_another_one(hub: HubServer) -> None:
    hub.slow, hub.pause_seconds = True, 0.02
    code = (
        "from llm_tracker.models.sources.hub import ask_hub, download\n"
        f"download(ask_hub({NAME!r}), lambda progress: print(progress.done_bytes, flush=True))"
    )
    there = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": constants.HF_HUB_CACHE, "HF_HUB_OFFLINE": "0"}
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **there}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as lines:
        while int(next(lines)) < hub.size_bytes(NAME) // 2:
            pass
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    (part,) = parts()
    here = part.stat().st_size
    assert cached_model(NAME) is None
    hub.slow = False
    download(ask_hub(NAME), silent)
    assert hub.ranges == [str(here)]
    require_whole(hub)


@pytest.mark.parametrize("drops", [1, TRIES + 1])
def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: HubServer, drops: int) -> None:
    hub.drops = drops
    reports: list[Progress] = []
    download(ask_hub(NAME), reports.append)
    assert hub.drops == 0
    assert len(hub.ranges) == drops
    assert hub.sent_bytes == weights(hub).stat().st_size
    assert max(report.done_bytes for report in reports) == hub.size_bytes(NAME)
    require_whole(hub)


def test_a_hub_that_knows_no_ranges_sends_the_file_from_its_beginning(hub: HubServer) -> None:
    hub.drops, hub.knows_ranges = 1, False
    download(ask_hub(NAME), silent)
    assert len(hub.ranges) == 1
    require_whole(hub)


def test_a_connection_that_falls_silent_is_given_up_and_taken_up_again(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_files, "SILENCE_SECONDS", 0.3)
    hub.stalls = 1
    began = time.monotonic()
    download(ask_hub(NAME), silent)
    assert 0.3 < time.monotonic() - began < 3
    require_whole(hub)


def test_a_hub_that_stays_silent_is_given_up_after_a_few_tries(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_files, "SILENCE_SECONDS", 0.1)
    model = ask_hub(NAME)
    hub.silent = True
    with pytest.raises(
        lt.ModelError, match=r"could not be reached for .* What has arrived is kept: start the download"
    ):
        download(model, silent)
    assert len(hub.requests) == 1 + TRIES


@pytest.mark.parametrize("breakdowns", [1, TRIES - 1])
def test_errors_of_the_hubs_own_that_pass_are_sat_out(hub: HubServer, breakdowns: int) -> None:
    hub.breakdowns = breakdowns
    model = ask_hub(NAME)
    hub.breakdowns = breakdowns
    download(model, silent)
    require_whole(hub)


def test_a_hub_that_stays_broken_is_named_after_a_few_tries(hub: HubServer) -> None:
    model = ask_hub(NAME)
    hub.refuse_files = BROKEN
    with pytest.raises(lt.ModelError, match=r"answered with an error for .*500.*What has arrived is kept"):
        download(model, silent)
    assert len(hub.requests) == 1 + TRIES


def test_stop_acts_while_a_broken_hub_is_waited_for(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_failures, "PAUSES_SECONDS", (30.0,))
    hub.refuse_files = BROKEN

    def stop(progress: Progress) -> None:
        if progress.stage == "Waiting for the model hub to go on":
            raise lt.Cancelled("Stopped.")

    began = time.monotonic()
    with pytest.raises(lt.Cancelled):
        download(ask_hub(NAME), stop)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_file_that_arrives_damaged_is_fetched_anew(hub: HubServer, name: str) -> None:
    hub.corruptions, hub.corruptible = DELIVERIES - 1, name
    assert lt.load_model(NAME).proof.ok
    assert sum(request.endswith(f"/{name}") for request in hub.requests) == DELIVERIES
    require_whole(hub)


def test_a_file_that_always_arrives_damaged_is_refused_and_nothing_of_it_kept(hub: HubServer) -> None:
    hub.corruptions = 1000
    assert failure().startswith(
        f"model.safetensors arrived damaged {DELIVERIES} times and was removed. Try again later"
    )
    assert weights_requests(hub) == DELIVERIES
    assert cached_model(NAME) is None
    assert parts() == []
    hub.corruptions = 0
    assert lt.load_model(NAME).proof.ok


def test_what_is_kept_and_was_damaged_meanwhile_is_not_built_upon(hub: HubServer) -> None:
    stop_in_the_middle(hub)
    (part,) = parts()
    part.write_bytes(bytes(part.stat().st_size))
    download(ask_hub(NAME), silent)
    require_whole(hub)


def test_what_is_kept_and_longer_than_the_file_is_fetched_anew(hub: HubServer) -> None:
    stop_in_the_middle(hub)
    (part,) = parts()
    part.write_bytes(bytes(weights(hub).stat().st_size + 1))
    download(ask_hub(NAME), silent)
    assert hub.ranges == []
    require_whole(hub)


def test_a_blob_that_was_cut_short_is_not_taken_for_the_file(hub: HubServer) -> None:
    snapshot = download(ask_hub(NAME), silent)
    os.truncate(snapshot / "model.safetensors", 1000)
    assert download(ask_hub(NAME), silent) == snapshot
    require_whole(hub)


def test_a_disk_without_room_is_told_with_both_figures_before_anything_is_fetched(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(10**9, 10**9, hub.size_bytes(NAME) - 1))
    said = failure()
    assert said.startswith(f"There is no room for “{NAME}”: 0 MB of it are to come, and 0 MB are free on the disk of ")
    assert len(hub.requests) == 1


def test_what_is_here_already_needs_no_room(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_in_the_middle(hub)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(10**9, 10**9, hub.size_bytes(NAME) // 2))
    download(ask_hub(NAME), silent)
    require_whole(hub)


def test_a_disk_that_fills_up_in_the_middle_is_told_and_what_has_arrived_is_kept(hub: HubServer) -> None:
    model = ask_hub(NAME)

    def fill_up(progress: Progress) -> None:
        if progress.done_bytes > model.size_bytes // 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(lt.ModelError, match=r"^The disk is full: .* Free some space\. What has arrived is kept"):
        download(model, fill_up)
    assert len(parts()) == 1
    download(model, silent)
    assert len(hub.ranges) == 1
    require_whole(hub)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_as_the_system_reports_it(hub: HubServer) -> None:
    cache = RepositoryCache(NAME)
    part = hub_files.part_of(cache.blob(digest(weights(hub))))
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    assert failure().startswith("The disk is full: ")
    assert cached_model(NAME) is None
