"""The models in memory: loaded once, shared, and let go by size when there are too many."""

from __future__ import annotations

import gc
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from llm_tracker.models.loading import LoadedModel, load_model
from llm_tracker.models.progress import Report, silent

Key = tuple[str, str, str]
"""Name, device, dtype."""


class ModelPool:
    """Keeps loaded models up to a budget in bytes; past it, the one that was used longest ago goes first.

    Safe to use from several threads: a model that two ask for is loaded once, and others can be asked for meanwhile.
    """

    def __init__(self, budget_bytes: int, load: Callable[[str, str, str, Report], LoadedModel] = load_model) -> None:
        self.budget_bytes = budget_bytes
        self._load = load
        self._lock = threading.Lock()
        self._loading: dict[Key, threading.Lock] = {}
        self._models: OrderedDict[Key, LoadedModel] = OrderedDict()

    def model(self, name: str, device: str = "auto", dtype: str = "auto", report: Report = silent) -> LoadedModel:
        """The model, loaded now unless it is here. Raises what `load_model` raises."""
        key = (name, device, dtype)
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            kept = self.peek(*key)
            return kept if kept is not None else self._keep(key, self._load(name, device, dtype, report))

    def peek(self, name: str, device: str = "auto", dtype: str = "auto") -> LoadedModel | None:
        """The model if it is in memory; never loads."""
        key = (name, device, dtype)
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def _keep(self, key: Key, model: LoadedModel) -> LoadedModel:
        with self._lock:
            self._models[key] = model
            while len(self._models) > 1 and self._held_bytes() > self.budget_bytes:
                self._models.popitem(last=False)
        gc.collect()
        return model

    def _held_bytes(self) -> int:
        return sum(model.weights_bytes for model in self._models.values())


def memory_limit_bytes() -> int:
    """What this process may use: the host's memory, or its control group's limit where that is lower."""
    host = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    files = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
    texts = [path.read_text().strip() for path in files if path.is_file()]
    return min([host, *(int(text) for text in texts if text.isdigit())])
