"""Which of the words did it: three named views of the same words, the causal one first."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from llm_tracker.app.correction.shown import Shown, how_to_read
from llm_tracker.app.selection.segments import segments
from llm_tracker.app.selection.selection import Cause
from llm_tracker.charts.palette import AFTER, BEFORE
from llm_tracker.experiments.values.experiment import available
from llm_tracker.experiments.values.findings import KnockOuts, WordEffect
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.words import Role
from llm_tracker.wording.formats import percent, signed_nats, visible
from llm_tracker.wording.labels import SPEAKERS

THREE = later("Three answers to one question, and they need not agree. Only the first takes a word away and looks.")

VIEW_LABELS: dict[Cause, str] = {
    "hidden": later("Changed the lead when hidden"),
    "carried": later("Carried the lead"),
    "looked_at": later("Looked at"),
}

SHADE = 0.5


def words_view(shown: Shown) -> None:
    """The three views, the shaded text above the bars."""
    st.header(say("Which words did it"), anchor=False)
    labels = {name: say(label) for name, label in VIEW_LABELS.items()}
    view = segments("cause", say("What a word is measured by"), labels, help=say(THREE))
    if view == "hidden":
        _window(shown)
    _text(shown, view)
    shown.draw(view)
    if view == "hidden" and available(shown.found.knock_outs) is not None:
        with st.expander(say("By message"), key="hidden by message"):
            shown.draw("hidden_segments")
    how_to_read("words", HOW_TO_READ)


def _window(shown: Shown) -> None:
    """In which layers a word is hidden: asked for with a button, since it is computed anew."""
    found = available(shown.found.knock_outs)
    n_layers = shown.session.model.n_layers
    if found is None or n_layers < 2:
        return
    first, last = st.slider(
        say("Hidden in the layers"), 1, n_layers, found.layers, key=f"window of {shown.turn} {found.layers}"
    )
    if (first, last) != tuple(found.layers):
        shown.more_button(
            say("Hide in layers {first} to {last}", first=first, last=last),
            "hide in layers",
            "knock_out",
            (first, last),
        )


def _text(shown: Shown, view: Cause) -> None:
    """The running text, each word shaded by what the view says of it: blue for the right word, orange against it."""
    found, carried = available(shown.found.knock_outs), available(shown.found.frozen_route)
    words: list[tuple[str, Role, float, str]]
    if view == "carried" and carried is not None:
        words = [(w.text, w.role, w.contribution, signed_nats(w.contribution)) for w in carried.words]
    elif view == "looked_at" and found is not None:
        words = [(w.text, w.role, w.share, percent(w.share)) for w in _single(found)]
    elif view == "hidden" and found is not None:
        words = [(w.text, w.role, w.delta, signed_nats(w.delta)) for w in _single(found)]
    else:
        return
    st.html(_shaded([word for word in words if word[1] in SPEAKERS]))


def _single(found: KnockOuts) -> list[WordEffect]:
    return [word for word in found.words if not word.is_segment]


def _shaded(words: Sequence[tuple[str, Role, float, str]]) -> str:
    """A line a speaker, as HTML."""
    largest = max((abs(value) for _, _, value, _ in words), default=0.0) or 1.0
    lines: list[str] = []
    last: Role | None = None
    for text, role, value, said in words:
        if role != last:
            lines.append(f'<span class="who">{say(SPEAKERS[role])}</span>')
            last = role
        colour = BEFORE if value >= 0 else AFTER
        shade = f"{colour}{round(255 * SHADE * abs(value) / largest):02x}"
        own = escape(visible(text))
        space = len(own) - len(own.lstrip(" "))
        lines.append(f'{own[:space]}<span class="word" style="background:{shade}" title="{said}">{own[space:]}</span>')
    group = f'class="lt-words causes" tabindex="0" role="group" aria-label="{escape(say("The words, shaded"))}"'
    return f"<div {group}><div>{''.join(lines)}</div></div>"


HOW_TO_READ = later(
    "**Changed the lead when hidden** is the causal one: the position that writes the answer cannot look at this "
    "word, in any layer (attention knock-out; Geva et al., 2023), and the lead is measured again. What other words "
    "have taken over from it earlier stays. Hiding the text's first token or the template's marks, where attention is "
    "parked, is unlike anything that the model has seen: those bars are grey. **Carried the lead** holds attention, "
    "norm scales and gates as they were; the rest is then a sum over the words, which is the lead exactly. **Looked "
    "at** is attention, mean over all heads and layers, the parked part shown: a head may look at a word and take "
    "nothing from it."
)
