"""A piece of a page that follows a job: drawn again and again, seldom while the job has long to wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import count
from typing import ParamSpec

import streamlit as st

from llm_tracker.app.work.jobs import Job

Given = ParamSpec("Given")

_numbers = count()


def polled(draw: Callable[Given, object], seconds: float) -> Callable[Given, object]:
    """A fragment that the browser asks for again and again, under a name of its own.

    Streamlit knows a fragment by its function's name and its place. Where one run's timer asked for what the next run
    had just registered under the same name, it would begin a new run, and drop what that one had yet to send: its
    elements and its timer. A page would stand still for good.
    """

    @wraps(draw)
    def own(*args: Given.args, **kwargs: Given.kwargs) -> object:
        return draw(*args, **kwargs)

    own.__qualname__ = f"{draw.__qualname__} {next(_numbers)}"
    return st.fragment(own, run_every=seconds)


def follow_job(job: Job, draw: Callable[[], object], at_least: float = 0.0) -> None:
    """Draw something until a job has ended, and then the page anew; with `at_least` so many seconds between two looks.

    Each drawing takes the interpreter from the model that all are waiting for, and a core from it where the browser
    runs on the same machine: a job whose turn comes late is looked at seldom, and more often as it comes near.
    """
    _followed(job, draw, max(at_least, job.look_again_seconds()))


def _followed(job: Job, draw: Callable[[], object], seconds: float) -> None:
    polled(_drawn, seconds)(job, draw, seconds)


def _drawn(job: Job, draw: Callable[[], object], seconds: float) -> None:
    if not job.active:
        draw()  # a job that ended while the page was being drawn: until the next run this would be an empty place
        st.rerun()
    nearer = job.look_again_seconds()
    if nearer < seconds / 2:  # a fragment within this one, which is drawn more often
        _followed(job, draw, nearer)
    else:
        draw()
