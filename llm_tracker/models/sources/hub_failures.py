"""What goes wrong with a hub, as one sentence or two that say what to do."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llm_tracker.errors import (
    HubUnreachableError,
    ModelError,
    ModelNotFoundError,
    ModelRefusedError,
    ModelTooLargeError,
    TrackerError,
    one_line,
)
from llm_tracker.languages.texts import later, say
from llm_tracker.models.catalogue import meant

ASKING = later("Models on this machine still work; try again when there is a network.")
FETCHING = later("What has arrived is kept: start the download again to go on from there.")

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def told_plainly(repository: str, hint: str = ASKING) -> Iterator[None]:
    """Turns what a hub, its client or the disk raises into a kind of ModelError.

    `hint` ends the sentences of failures that may pass.
    """
    try:
        yield
    except TrackerError:
        raise
    except Exception as error:
        raise _failure(repository, error, hint) from error


def _failure(repository: str, error: Exception, hint: str) -> ModelError:
    from huggingface_hub import errors

    # the order matters: a gated repository is a RepositoryNotFoundError, and the hub's errors are OSErrors
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubUnreachableError(
            say(
                "“{repository}” is not on this machine, and nothing may be downloaded: HF_HUB_OFFLINE is set. "
                "Unset it, or choose a model that is here.",
                repository=repository,
            )
        )
    if isinstance(error, errors.GatedRepoError):
        return ModelRefusedError(
            say(
                "“{repository}” is gated: ask for access on {page}, then log in with: hf auth login",
                repository=repository,
                page=_page(repository),
            )
        )
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return ModelNotFoundError(_unknown(repository))
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelNotFoundError(
            say(
                "“{repository}” has no such revision. Leave it out, or copy it from {page}",
                repository=repository,
                page=_page(repository),
            )
        )
    if isinstance(error, errors.HfHubHTTPError):
        return _refusal(repository, error, hint)
    if isinstance(error, OSError):
        return _disk(repository, error)
    return HubUnreachableError(
        say(
            "The model hub could not be reached for “{repository}” ({kind}). {hint}",
            repository=repository,
            kind=type(error).__name__,
            hint=say(hint),
        )
    )


def _page(repository: str) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{repository}"


def _unknown(repository: str) -> str:
    from llm_tracker.models.plugins.manager import installed_plugins

    return say(
        "The hub has no model “{repository}”.{meant} Check its name: owner/model, as its page shows it. A private one "
        "is found once you log in with: hf auth login",
        repository=repository,
        meant=meant(repository, installed_plugins().models),
    )


def _refusal(repository: str, error: Exception, hint: str) -> ModelError:
    """Of an answer with an error status that the hub's client has no class of its own for."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0)
    if status in (401, 403):
        return ModelRefusedError(
            say(
                "The hub does not hand out “{repository}” with the access token of this machine, or without "
                "one. Look at {page}, then log in with: hf auth login",
                repository=repository,
                page=_page(repository),
            )
        )
    if status == 429:
        seconds = getattr(response, "headers", {}).get("Retry-After", "")
        wait = say("in {n} seconds", n=seconds) if seconds.isdigit() else say("in some minutes")
        return HubUnreachableError(
            say(
                "The model hub was asked too often from here; try “{repository}” again {wait}. {hint}",
                repository=repository,
                wait=wait,
                hint=say(hint),
            )
        )
    return HubUnreachableError(
        say(
            "The model hub answered with an error for “{repository}”: {error}. {hint}",
            repository=repository,
            error=one_line(error),
            hint=say(hint),
        )
    )


def _disk(repository: str, error: OSError) -> ModelError:
    if error.errno in _NO_ROOM:
        said = say("The disk is full: no room for the rest of “{repository}”. Free some space.", repository=repository)
        return ModelTooLargeError(f"{said} {say(FETCHING)}")
    return ModelError(
        say(
            "“{repository}” could not be kept on the disk: {error}. Set HF_HOME to another folder.",
            repository=repository,
            error=one_line(error),
        )
    )


PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Before the second try, the third, and so on; after the last one the failure stands."""


class Retries:
    """Bears failures that may pass by themselves: broken connections, silence, and errors of the hub's own."""

    def __init__(self, waiting: Callable[[], None]) -> None:
        self._waiting = waiting
        """Is called often during a pause; what it raises ends the pause."""
        self._pauses = list(PAUSES_SECONDS)

    def reset(self) -> None:
        """Begin to count anew: something has arrived."""
        self._pauses = list(PAUSES_SECONDS)

    def wait_or_raise(self, error: Exception) -> None:
        """Return after a pause, for another try; raises the error where it will not pass, or after the last try."""
        if not self._pauses or not _may_pass(error):
            raise error
        until = time.monotonic() + self._pauses.pop(0)
        while (left := until - time.monotonic()) > 0:
            self._waiting()
            time.sleep(min(left, 0.1))


def _may_pass(error: Exception) -> bool:
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # it hands them out lazily

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in (408, 500, 502, 503, 504)
    return isinstance(error, (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError))
