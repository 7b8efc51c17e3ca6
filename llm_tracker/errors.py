"""What can go wrong for a user, each with a sentence that says what to do next."""


class TrackerError(Exception):
    """A failure whose message is meant for the user: what was given, what was needed, what to do next."""


class InputError(TrackerError):
    """What the user typed or asked for cannot be used as it is."""


class ModelError(TrackerError):
    """A model is unknown, incomplete, unreachable, or cannot be read exactly."""


class Cancelled(TrackerError):
    """The user stopped a load or a download."""


def one_line(error: BaseException) -> str:
    """What another library's exception says, in one line; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def unforeseen(error: BaseException) -> str:
    """A sentence for the user on an exception that nobody foresaw: that memory ran out, or what kind it is."""
    if is_lack_of_memory(error):
        return (
            f"The memory ran out ({one_line(error)}). Let other models go, or take a smaller model or a format of "
            "fewer bits (--dtype); a shorter text takes less, too."
        )
    return f"Something unexpected happened ({type(error).__name__}: {one_line(error)})."


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether Python, or torch on any device, found no room. By its words: torch has several kinds of errors for it."""
    said = str(error)
    return isinstance(error, MemoryError) or any(words in said for words in _LACK_OF_MEMORY)


_LACK_OF_MEMORY = ("out of memory", "DefaultCPUAllocator", "ALLOC_FAILED")
"""What torch says on a GPU, on a CPU, and where one of its libraries finds none."""
