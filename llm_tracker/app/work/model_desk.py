"""The models of this process: what is in memory, what is on its way, and the thread that owns each."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_tracker.app.work.jobs import Job, Worker
from llm_tracker.errors import ModelRefusedError
from llm_tracker.languages.texts import say
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.catalogue import EMBEDDED, ModelEntry
from llm_tracker.models.loading.listing import is_local
from llm_tracker.models.loading.load import load
from llm_tracker.models.loading.pool import Load, ModelPool
from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.models.memory.device_memory import limit_bytes
from llm_tracker.models.plugins.manager import installed_plugins
from llm_tracker.models.sources.model_size import Room
from llm_tracker.progress import silent
from llm_tracker.settings import Settings

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel
    from llm_tracker.models.sources.hub import HubModel
    from llm_tracker.progress import Report

logger = logging.getLogger(__name__)

MEMORY_SHARE = 0.6
"""Of the memory that this process may use, the part that models may take."""

MAX_LOOKUPS = 64
"""Answers of the model hub that are kept."""

LOOKUP_SECONDS = 600.0
"""How long an answer of the model hub counts: a branch moves on, a gate opens."""

MAX_ENTRIES = 256
"""Names that were found and are kept."""


class ModelDesk:
    """Loads models, lets them go, and asks the hub about others, each on a thread that is not the page's."""

    def __init__(self, settings: Settings, load: Load = load) -> None:
        self.pool = ModelPool(int(limit_bytes() * MEMORY_SHARE), load)
        self._lock = threading.Lock()
        self._workers: dict[str, Worker] = {}
        self._loads: dict[str, Job] = {}
        self._hub = Worker("hub")
        self._lookups: OrderedDict[str, Job] = OrderedDict()
        self._entries: OrderedDict[str, ModelEntry] = OrderedDict()
        self._was_ready: set[str] = set()
        self.offered = self._offered(settings)
        """The models that may be used, where the app is shared with strangers; None: any."""
        self.settings = replace(settings, model=self.entry(settings.model).id) if settings.model else settings

    def _offered(self, settings: Settings) -> tuple[str, ...] | None:
        """Of a shared app: what it was told to offer, or what it was started with and the built-in model."""
        if not settings.public:
            return None
        names = [*filter(None, [settings.model]), *(settings.models or [EMBEDDED.id])]
        return tuple(dict.fromkeys(find_entry(name).id for name in names))

    def entry(self, name: str) -> ModelEntry:
        """What a name stands for, under the id that the model is known by already: else it would be held twice.

        One that was found is kept: a directory may go while its model is in memory. Raises ModelError, with near
        names, for a name that is no model, and on a shared host for one that is not offered: whatever is typed there,
        no path of the machine is looked at.
        """
        if self.offered is not None and name not in self.offered:
            raise ModelRefusedError(
                say(
                    "This host is shared, and offers these models only: {models}. On a machine of your own any can be "
                    "used.",
                    models=", ".join(self.offered),
                )
            )
        with self._lock:
            kept = self._entries.get(name)
        found = kept or find_entry(name)
        with self._lock:
            found = self._known(found)
            self._entries[name] = found
            self._entries.move_to_end(name)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
        return found

    def _known(self, found: ModelEntry) -> ModelEntry:
        """The entry of the same model that came first: one of the catalogue, else one that was named before."""
        catalogue = installed_plugins().models
        if found.id in catalogue:
            return found
        known = [*catalogue.values(), *self._entries.values()]
        return next((entry for entry in known if entry.is_of_the_same_model(found)), found)

    def is_here(self, name: str) -> bool:
        """Whether a model can be loaded without a download. Raises ModelError as `entry` does."""
        return is_local(self.entry(name))

    def worker(self, model_id: str) -> Worker:
        """The thread that owns a model."""
        with self._lock:
            if model_id not in self._workers:
                self._workers[model_id] = Worker(model_id)
            return self._workers[model_id]

    def loaded(self, model_id: str) -> LoadedModel | None:
        """The model if it is in memory."""
        return self.pool.peek(model_id, self.settings.options)

    def model(self, model_id: str, report: Report = silent, dtype: str = "") -> LoadedModel:
        """The model, loaded now unless it is here, on the device and in the format that the app was started with.

        With a `dtype` in that number format, beside the one that all else uses. For the model's own worker. Raises what
        `load_model` raises, and ModelRefusedError for one that is not offered here.
        """
        self.entry(model_id)
        model = self.pool.model(model_id, self._options(model_id, dtype), report)
        if not dtype:
            self._was_ready.add(model_id)
        return model

    def _options(self, model_id: str, dtype: str) -> LoadOptions:
        """How a model is loaded, where that is in a number format of its own."""
        options = self.settings.options_for(model_id)
        return replace(options, dtype=dtype) if dtype else options

    def let_go(self, model_id: str, dtype: str) -> None:
        """Let a model go that was loaded in a number format of its own."""
        self.pool.unload(model_id, self._options(model_id, dtype))

    def load(self, model_id: str) -> Job:
        """Begin to load a model (and to download it, if it is not here), unless that is already under way."""
        worker = self.worker(model_id)
        with self._lock:
            under_way = self._loads.get(model_id)
            if under_way is not None and under_way.active and not under_way.stopping():
                return under_way
            job = Job("load", model_id)
            self._loads[model_id] = job

        def work(job: Job) -> None:  # the pool keeps the model; a job that did too would keep it for ever
            self.model(model_id, job.report)

        return worker.submit(job, work)

    def load_job(self, model_id: str) -> Job | None:
        """The last load of a model, running or ended."""
        return self._loads.get(model_id)

    def must_load(self, model_id: str) -> bool:
        """Whether a model that is wanted is to be loaded unasked: it never was, and no load of it was begun.

        One that was let go, by hand or to make room for another, is loaded again by the work that needs it. If looking
        at a page were enough, two visitors whose models don't fit together would take them from each other for ever.
        """
        return self.load_job(model_id) is None and model_id not in self._was_ready

    def unload(self, model_id: str) -> bool:
        """Let a model go; False while work with it runs or waits, which it is kept for.

        The next question to it loads it again.
        """
        with self._lock:
            worker = self._workers.get(model_id)
            if worker is not None and worker.busy:
                return False
        self.pool.unload(model_id, self.settings.options)
        return True

    def look_up(self, model_id: str) -> Job:
        """Ask the hub what a model of it weighs, unless that is known or being asked. The job's result: HubModel."""
        entry = self.entry(model_id)
        with self._lock:
            last = self.lookup_job(model_id)
            if last is not None and (last.active or last.status == "done"):
                return last
            job = self._lookups[model_id] = Job("lookup", model_id)
            self._lookups.move_to_end(model_id)
            while len(self._lookups) > MAX_LOOKUPS:
                self._lookups.popitem(last=False)

        def work(job: Job) -> HubModel:
            from llm_tracker.models.sources.hub import ask_hub

            return ask_hub(entry.location, entry.revision, job.report, self.settings.options_for(model_id).trust)

        return self._hub.submit(job, work)

    def lookup_job(self, model_id: str) -> Job | None:
        """The last question to the hub about a model, running or ended no longer than `LOOKUP_SECONDS` ago."""
        job = self._lookups.get(model_id)
        is_old = job is not None and 0 < job.ended_at < time.monotonic() - LOOKUP_SECONDS
        return None if is_old else job

    def room(self) -> Room | None:
        """The memory for models on the device that they are on; None before one has been loaded on a GPU.

        Before any is loaded, "auto" is taken for this machine's own memory: asking for a GPU takes torch.
        """
        held = self.pool.held()
        if held:
            return Room.of(held[-1].device)
        return Room.of("cpu") if self.settings.options.device in ("auto", "cpu") else None
