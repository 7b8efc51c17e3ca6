"""A piece of a page that follows a job: drawn again and again, seldom while the job has long to wait."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from llm_tracker.app.work.jobs import Job


def follow_job(job: Job, draw: Callable[[], object]) -> None:
    """Draw something until a job has ended, and then the page anew.

    Each drawing takes the interpreter from the model that all are waiting for: a job whose turn comes late is looked at
    seldom, and more often as it comes near.
    """
    _followed(job, draw, job.look_again_seconds())


def _followed(job: Job, draw: Callable[[], object], seconds: float) -> None:
    st.fragment(_drawn, run_every=seconds)(job, draw, seconds)


def _drawn(job: Job, draw: Callable[[], object], seconds: float) -> None:
    if not job.active:
        st.rerun()
    nearer = job.look_again_seconds()
    if nearer < seconds / 2:  # a fragment within this one, which is drawn more often
        _followed(job, draw, nearer)
    else:
        draw()
