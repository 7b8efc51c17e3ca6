"""How often, and after what pauses, a hub that fails is asked again."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Before the second try, the third, and so on; after the last one the failure stands."""


class Patience:
    """Bears failures that may pass by themselves: broken connections, silence, and errors of the hub's own."""

    def __init__(self, waiting: Callable[[], None]) -> None:
        self._waiting = waiting
        """Is called often during a pause; what it raises ends the pause."""
        self._pauses = list(PAUSES_SECONDS)

    def renew(self) -> None:
        """Begin to count anew: something has arrived."""
        self._pauses = list(PAUSES_SECONDS)

    def bear(self, error: Exception) -> None:
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
