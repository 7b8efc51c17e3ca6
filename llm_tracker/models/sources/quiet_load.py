"""Loads in which transformers says nothing of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_loads: list[int] = []
"""What transformers' verbosity was when each of the loads that are under way began."""


@contextmanager
def quiet_load() -> Iterator[None]:
    """Within this context transformers logs errors only and draws no bars: loads report their stages."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with _lock:
        _loads.append(_loads[0] if _loads else logging.get_verbosity())
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        with _lock:
            before = _loads.pop()
            if not _loads:
                logging.set_verbosity(before)
