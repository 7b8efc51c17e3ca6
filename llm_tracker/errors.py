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
