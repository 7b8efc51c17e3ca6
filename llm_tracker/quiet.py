"""Keeps the libraries below from writing to standard error: what a user has to know is said in this program's words."""

from __future__ import annotations

import logging
import os
import sys
import warnings


def quiet_process() -> None:
    """For a process of this program's own, the command line or the app, before any of these libraries is imported.

    What the environment or the interpreter was told otherwise stays.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")  # transformers draws a bar of its own while it reads a GGUF file
    # Streamlit tells of every timer of a browser that comes too late, which it rightly drops.
    logging.getLogger("streamlit.runtime.app_session").setLevel(logging.WARNING)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
