"""The models in memory: loaded once, shared, and let go by size when there are too many."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial

from llm_tracker.load_options import AUTO, LoadOptions
from llm_tracker.models.loading.load import MakeRoom, load
from llm_tracker.models.loading.loaded_model import LoadedModel
from llm_tracker.models.memory.device_memory import has_room, private_bytes, require_possible, require_room
from llm_tracker.progress import Report, silent

Key = tuple[str, str | Mapping[str, str | int], str]
"""Name, device, dtype. Trust is no part of it: what was loaded once has run what it was allowed to."""


def _key(name: str, options: LoadOptions) -> Key:
    return name, options.device, options.dtype


Load = Callable[[str, LoadOptions, Report, MakeRoom], LoadedModel]
"""`load`, or what stands in its place in a test."""


class ModelPool:
    """Keeps loaded models up to a budget in bytes; the one that was used longest ago goes first.

    Room is made before a model is read, and one that cannot fit is refused with the figures, never tried.

    Safe to use from several threads: a model that two ask for is loaded once, and others can be asked for meanwhile.
    """

    def __init__(self, budget_bytes: int, load: Load = load) -> None:
        self.budget_bytes = budget_bytes
        self._load = load
        self._lock = threading.Lock()
        self._loading: dict[Key, threading.Lock] = {}
        self._models: OrderedDict[Key, LoadedModel] = OrderedDict()
        self._reserved: dict[Key, int] = {}
        self._private: dict[Key, int] = {}
        """For each loaded model, how much of this process's own memory its weights took; mapped weights take none."""

    def model(self, name: str, options: LoadOptions = AUTO, report: Report = silent) -> LoadedModel:
        """The model, loaded now unless it is here. Raises what `load_model` raises."""
        key = _key(name, options)
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            kept = self._used(key)
            if kept is not None:
                return kept
            before = private_bytes()
            try:
                model = self._load(name, options, report, partial(self._make_room, key))
                return self._keep(key, model, private_bytes() - before)
            finally:
                with self._lock:
                    self._reserved.pop(key, None)

    def peek(self, name: str, options: LoadOptions = AUTO) -> LoadedModel | None:
        """The model if it is in memory; never loads it. It does not count as use: the order of letting go stays."""
        with self._lock:
            return self._models.get(_key(name, options))

    def _used(self, key: Key) -> LoadedModel | None:
        """The model if it is in memory, and from now on the one that was used last."""
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def held(self) -> list[LoadedModel]:
        """The models in memory, the one that was used last at the end."""
        with self._lock:
            return list(self._models.values())

    def unload(self, name: str, options: LoadOptions = AUTO) -> bool:
        """Let a model go; False where it is not in memory. Work that is under way with it keeps it until its end."""
        with self._lock:
            was_held = self._models.pop(_key(name, options), None) is not None
        gc.collect()
        return was_held

    def _make_room(self, key: Key, needed_bytes: int, device: str) -> None:
        """Let models go until one of this size is within the budget; none where all of them would not make room.

        The room is reserved until the model has been loaded. Raises ModelError where it does not fit.
        """
        require_possible(needed_bytes, device)
        with self._lock:
            reserved = sum(self._reserved.values())
            needed = needed_bytes + reserved
            if not has_room(needed - self._freeable_bytes(), device):
                require_room(needed_bytes, device, reserved)
            while self._models and not (self._held_bytes() + needed <= self.budget_bytes and has_room(needed, device)):
                self._models.popitem(last=False)
                gc.collect()
            require_room(needed_bytes, device, reserved)
            self._reserved[key] = needed_bytes

    def _keep(self, key: Key, model: LoadedModel, private: int) -> LoadedModel:
        with self._lock:
            self._models[key] = model
            self._private[key] = min(max(0, private), model.memory_bytes)
            while len(self._models) > 1 and self._held_bytes() > self.budget_bytes:
                self._models.popitem(last=False)
        gc.collect()
        return model

    def _held_bytes(self) -> int:
        return sum(model.memory_bytes + model.kv_caches.n_bytes for model in self._models.values())

    def _freeable_bytes(self) -> int:
        """What letting all models go would give back: weights that are mapped from files are not in use."""
        kept = sum(model.kv_caches.n_bytes for model in self._models.values())
        return kept + sum(
            self._private[key] if model.input_device.type == "cpu" else model.memory_bytes
            for key, model in self._models.items()
        )
