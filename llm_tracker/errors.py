"""What can go wrong for a user, each with a sentence that says what to do next.

A caller tells the kinds apart by class:

    InputError              what was typed or asked for cannot be used as it is; of its kind:
      OtherWeightsError       answers are to be read with other weights than those that gave them
    ModelError              a model cannot be used; its kinds:
      ModelNotFoundError      no model, file, revision or package of this name
      HubUnreachableError     the model hub is silent, fails, or may not be asked
      ModelTooLargeError      memory or disk have no room for it
      ModelRefusedError       not read exactly, would run code that is not trusted, or not handed out by the hub
      ModelDamagedError       its files are incomplete, or not what they should be
    StoreError              the store of sessions cannot be opened, read or written; of its kind:
      DamagedError            what it has of one session is not what was written
    Cancelled               the user stopped a load, a download or an answer
"""

from __future__ import annotations

from collections.abc import Iterable

from llm_tracker.languages.texts import say


class TrackerError(Exception):
    """A failure whose message is meant for the user: what was given, what was needed, what to do next.

    `parameters` are the parameters of `load_model` that the message speaks of, such as `dtype` or `trust.pickle`. Who
    spells them in another way, as the command line does, can add that spelling.
    """

    def __init__(self, message: str, parameters: str | Iterable[str] = ()) -> None:
        super().__init__(message)
        self.parameters = (parameters,) if isinstance(parameters, str) else tuple(parameters)


class InputError(TrackerError):
    """What the user typed or asked for cannot be used as it is."""


class OtherWeightsError(InputError):
    """A session's answers are to be looked into, or corrected, with other weights than those that gave them."""


class ModelError(TrackerError):
    """A model cannot be used: one of the kinds below, or its plug-in's own failure."""


class ModelNotFoundError(ModelError):
    """There is no model, file, revision or package of this name."""


class HubUnreachableError(ModelError):
    """The model hub is silent, answers with an error of its own, or may not be asked (offline)."""


class ModelTooLargeError(ModelError):
    """There is no room for the model, in memory or on the disk; the message has the figures."""


class ModelRefusedError(ModelError):
    """The model is not read exactly, or would run code that is not trusted; or the hub does not hand it out."""


class ModelDamagedError(ModelError):
    """The model's files are incomplete, or are not what they should be."""


class StoreError(TrackerError):
    """The store of sessions cannot be opened, read or written; what was in it stays as it is."""


class DamagedError(StoreError):
    """What the store has of one session is not what was written; all others can be read."""


class Cancelled(TrackerError):
    """The user stopped a load or a download."""


def one_line(error: BaseException) -> str:
    """What another library's exception says, in one line; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def unforeseen(error: BaseException) -> str:
    """A sentence for the user on an exception that nobody foresaw: that memory ran out, or what kind it is."""
    if is_lack_of_memory(error):
        return say(
            "The memory ran out ({error}). Let other models go, or take a smaller model or a dtype of fewer bits; a "
            "shorter text takes less, too.",
            error=one_line(error),
        )
    return say("Something unexpected happened ({kind}: {error}).", kind=type(error).__name__, error=one_line(error))


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether Python, or torch on any device, found no room. By its words: torch has several kinds of errors for it."""
    said = str(error)
    return isinstance(error, MemoryError) or any(words in said for words in _LACK_OF_MEMORY)


_LACK_OF_MEMORY = ("out of memory", "DefaultCPUAllocator", "ALLOC_FAILED")
"""What torch says on a GPU, on a CPU, and where one of its libraries finds none."""
