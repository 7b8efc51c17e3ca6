"""What a model thought before its answer: folded below the answer's card, while it comes and when it is there."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.html import exact, paragraph
from llm_tracker.app.parts.polling import polled
from llm_tracker.app.parts.token_strip import token_strip
from llm_tracker.app.work.coming_answer import ComingAnswer
from llm_tracker.app.work.jobs import SOON_SECONDS, Job
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.thoughts import Thought
from llm_tracker.wording.answers import thought_note
from llm_tracker.wording.formats import capitalised

LABEL = later("Its thought, before the answer")


def watch_thought(job: Job, coming: ComingAnswer) -> None:
    """A thought as it is written."""
    polled(_coming_thought, SOON_SECONDS)(job, coming)


def _coming_thought(job: Job, coming: ComingAnswer) -> None:
    if job.active and coming.may_think:
        with st.expander(say(LABEL), key=f"thought {coming.side}"):
            _text(coming.thought or "…", is_coming=True)


def watch_skip(job: Job, coming: ComingAnswer) -> None:
    """A way to leave out the rest of a thought, while it is written."""
    polled(_skip_button, SOON_SECONDS)(job, coming)


def _skip_button(job: Job, coming: ComingAnswer) -> None:
    if not (job.active and coming.is_thinking):
        st.html("<div></div>")
        return
    st.button(
        say("Closing the thought …") if coming.skipping() else say("Skip the rest of the thought"),
        key=f"skip {coming.side}",
        on_click=coming.skip,
        disabled=coming.skipping(),
        help=say("Closes the thought with the template's own mark; the model answers from what it has thought so far."),
    )


def finished_thought(side: Side, key: str, pick: Callable[[int], None]) -> None:
    """The thought of an answer: how it ended, its text, and its tokens to look at."""
    thought = side.turn.thought
    if thought is None or not (thought.text or thought.closed_by != "model"):
        return
    with st.expander(say(LABEL), key=f"thought {side.name}"):
        told = [f"{capitalised(thought_note(thought))}.", _closed_for_it(thought)]
        paragraph(" ".join(filter(None, told)), quiet=True)
        _text(thought.text or say("(an empty thought)"))
        token_strip(side, f"{key} thought", pick, range(thought.n_steps))


def _closed_for_it(thought: Thought) -> str:
    """That the marks at its end are not what the model would have written."""
    if thought.closed_by not in ("limit", "reader"):
        return ""
    return say("The tokens that close it were written for the model: how likely it found them says little.")


def _text(text: str, is_coming: bool = False) -> None:
    """A thought; while it comes, its newest words are in sight."""
    kind = f"lt-thought{' coming' if is_coming else ''}"
    label = escape(say(LABEL))
    st.html(f'<div class="{kind}" tabindex="0" role="region" aria-label="{label}"><div>{exact(text)}</div></div>')
