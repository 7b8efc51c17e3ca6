"""A Ray cluster: the one that RAY_ADDRESS names, or one of this machine alone; and how its workers share it."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llm_tracker.errors import InputError, ModelError, one_line
from llm_tracker.languages.texts import say, say_n

INSTALL = 'pip install "llm-inference-tracker[ray]" (in a checkout: pip install ".[ray]")'

OBJECT_STORE_BYTES = 256 * 2**20
"""Shared memory of a cluster of our own: blocks of rows are small, and are taken out at once."""

CONNECT_SECONDS = 5
"""How long the head of a cluster may take to answer."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")

Node = Mapping[str, Any]
"""A node as `ray.nodes()` has it."""


@dataclass(frozen=True)
class Share:
    """What one worker has of its node."""

    n_cores: int
    n_gpus: int

    def __str__(self) -> str:
        cores = say_n("{n} core", "{n} cores", self.n_cores)
        gpus = say_n("{n} GPU", "{n} GPUs", self.n_gpus)
        return say("{gpus} and {cores}", gpus=gpus, cores=cores) if self.n_gpus else cores

    def places(self, nodes: Sequence[Node]) -> int:
        """For how many workers the nodes that are alive have room, whatever else they do now."""
        return sum(self._places(node["Resources"]) for node in nodes if node["Alive"])

    def _places(self, has: Mapping[str, float]) -> int:
        by_cores = int(has.get("CPU", 0) // self.n_cores)
        return min(by_cores, int(has.get("GPU", 0))) if self.n_gpus else by_cores


def share_of(nodes: Sequence[Node], n_workers: int, device: str) -> Share:
    """How so many workers share a cluster: a GPU each where there are any, else all cores evenly.

    Raises InputError for more workers than there are GPUs, or cores; and for a device that Ray could not hand out.
    """
    if device == "split" or ":" in device:
        raise InputError(
            say(
                "The device is “{device}”. Ray gives each worker one device of its own: take auto, cuda or cpu; "
                "or take the engine “local”.",
                device=device,
            ),
            "device",
        )
    n_cores, n_gpus = _in_all(nodes, "CPU"), 0 if device == "cpu" else _in_all(nodes, "GPU")
    each = min(n_gpus, 1)
    for cores in range(max(1, n_cores // (n_gpus or n_workers)), 0, -1):
        share = Share(cores, each)
        if share.places(nodes) >= n_workers:
            return share
    raise InputError(
        say_n(
            "The Ray cluster has {share}; {n} worker cannot share that. Each needs {each} of one node: ask for fewer.",
            "The Ray cluster has {share}; {n} workers cannot share that. Each needs {each} of one node: ask for fewer.",
            n_workers,
            share=Share(n_cores, n_gpus),
            each=Share(1, each),
        ),
        "workers",
    )


def _in_all(nodes: Sequence[Node], kind: str) -> int:
    return int(sum(node["Resources"].get(kind, 0) for node in nodes if node["Alive"]))


def require_ray() -> Any:
    """The module `ray`, imported quietly. Raises InputError where it is missing, with the command to install it."""
    # Ray reads these when it is imported. What it says of lost workers and nodes is left out: a study goes on without
    # them, or says so itself. With the last one, Ray keeps to 127.0.0.1.
    told = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS_SKIP_REGEX": "^(A worker died or was killed|The node with node id)",
    }
    if _place()[0] in (None, *LOOPBACK):
        told["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    with _environment(told if "ray" not in sys.modules else {}):
        try:
            import ray
        except ImportError as error:
            raise InputError(
                say("The engine “ray” needs Ray, which is not installed. Run: {command}", command=INSTALL), "engine"
            ) from error
    return ray


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment that stand for a while, where they don't say anything already."""
    new = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def cluster() -> Iterator[Any]:
    """Ray, connected: to what this process is connected to already, to RAY_ADDRESS, or to a cluster of its own.

    One that was begun here ends with it; any other is left as it is. Raises InputError where Ray is missing or nobody
    answers.
    """
    ray = require_ray()
    begins = not ray.is_initialized()
    if begins:
        _connect(ray)
    try:
        yield ray
    finally:
        if begins:
            ray.shutdown()


def _connect(ray: Any) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    address, (host, port) = _address(), _place()
    try:
        if host and port:  # where nobody listens, Ray itself would try for half an hour
            socket.create_connection((host, port), CONNECT_SECONDS).close()
        if address:
            ray.init(address, **quiet)
        else:
            ray.init("local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **quiet)
    except Exception as error:
        why = one_line(error).rstrip(".:")
        if address:
            raise InputError(
                say(
                    "No Ray cluster can be used at RAY_ADDRESS={address}: {why}. Start one (ray start --head), "
                    "set RAY_AUTH_MODE=token where it asks for a token, or unset RAY_ADDRESS to take this "
                    "machine alone.",
                    address=address,
                    why=why,
                ),
                "engine",
            ) from error
        raise ModelError(say("Ray could not be started here: {why}. Take the engine “local”.", why=why)) from error


def _place() -> tuple[str | None, int | None]:
    """Host and port of RAY_ADDRESS, as far as it has any. Raises InputError for what is no address."""
    address = _address()
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return parts.hostname, parts.port
    except ValueError as error:
        raise InputError(
            say("RAY_ADDRESS={address} is no address. Write it as host:port.", address=address), "engine"
        ) from error


def _address() -> str:
    return os.environ.get("RAY_ADDRESS", "")
