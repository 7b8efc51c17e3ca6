"""What can be said of a model before it is loaded, and while it is: sizes, and whether it fits into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_tracker.errors import ModelError
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, within_a_sentence
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.sources.model_size import Room, Weight, weigh, weigh_download
from llm_tracker.settings import with_flags

if TYPE_CHECKING:
    from llm_tracker.app.work.jobs import Job
    from llm_tracker.app.work.model_desk import ModelDesk
    from llm_tracker.models.loading.loaded_model import LoadedModel


def gigabytes(n_bytes: int) -> str:
    """A size as people read it: 2.2 GB, 269 MB."""
    return f"{number(n_bytes / 1e9, '.1f')} GB" if n_bytes >= 0.95e9 else f"{n_bytes / 1e6:.0f} MB"


def fit_sentence(memory_bytes: int | None, room: Room | None, is_estimate: bool = False) -> str:
    """Whether weights fit into memory, with both figures; "" where one of them is not known."""
    if memory_bytes is None or room is None:
        return ""
    takes = gigabytes(memory_bytes)
    takes = say("about {size}", size=takes) if is_estimate else takes
    return say(
        FITS[room.fit(memory_bytes)], takes=takes, free=gigabytes(room.free_bytes), limit=gigabytes(room.limit_bytes)
    )


FITS = {
    "now": later("Takes {takes} in memory and fits: {free} of {limit} are free."),
    "alone": later("Takes {takes} in memory: {free} of {limit} are free, so other models are let go for it."),
    "never": later("Does not fit: it takes {takes} in memory, and this app may use {limit}."),
}


def entry_sentence(models: ModelDesk, entry: ModelEntry, room: Room | None) -> str:
    """The size of a model that is not in memory, and whether it fits; why, where its files cannot be read."""
    try:
        weight = known_weight(models, entry)
    except ModelError as error:
        return with_flags(error)
    except Exception as error:  # whatever a foreign file makes its reader raise: it costs this line, not the page
        return say("Its files cannot be read ({kind}).", kind=type(error).__name__)
    is_here = models.is_here(entry.id)
    where = ""
    if weight.disk_bytes is not None:
        size = gigabytes(weight.disk_bytes)
        where = say("{size} on the disk.", size=size) if is_here else say("A download of {size}.", size=size)
    fits = fit_sentence(weight.memory_bytes, room, is_estimate=not is_here)
    return " ".join(filter(None, [where, fits]))


def known_weight(models: ModelDesk, entry: ModelEntry) -> Weight:
    """What a model takes: by its files, or as the hub said when it was asked, or by the catalogue.

    Raises ModelError for a damaged file.
    """
    lookup = models.lookup_job(entry.id)
    if lookup is not None and lookup.status == "done" and not models.is_here(entry.id):
        return weigh_download(lookup.result)
    return weigh(entry, models.settings.options.dtype)


def held_sentence(model: LoadedModel) -> str:
    """What a model in memory takes."""
    return say(
        "In memory: {weights} of {dtype} on {device}, and {read} of texts it has read.",
        weights=gigabytes(model.weights_bytes),
        dtype=model.dtype,
        device=model.device,
        read=gigabytes(model.kv_caches.n_bytes),
    )


def stage_text(job: Job) -> str:
    """What a job does with its model before it uses it: waits, loads, so many bytes of how many; "" once it does."""
    if job.status == "queued":
        return say("waiting for the model")
    progress = job.progress
    if progress is None:
        return ""
    stage = within_a_sentence(progress.stage)
    if not progress.total_bytes:
        return stage
    done, whole = gigabytes(progress.done_bytes), gigabytes(progress.total_bytes)
    return say("{stage}, {done} of {whole}", stage=stage, done=done, whole=whole)
