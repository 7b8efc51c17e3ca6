"""Who carried it: heads swapped one by one, and what each layer and head adds directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from llm_tracker.app.correction.shown import Shown, how_to_read
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.selection.address import select, selected
from llm_tracker.app.selection.segments import segments
from llm_tracker.app.selection.selection import Added, to_address
from llm_tracker.experiments.values.experiment import available
from llm_tracker.experiments.values.findings import Heads
from llm_tracker.figures.correction.causes import N_HEADS, attribution_figure
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.correction.causes import knocked_out_label, together_sentence
from llm_tracker.wording.formats import percent, signed_nats

CLICKED = "head clicked"
N_OPENED = 4
ATTENTION_PAGE = "pages/3_Attention.py"

ATTRIBUTIONS: dict[Added, str] = {
    "after": later("after the correction"),
    "asked_again": later("merely asked again"),
    "before": later("before"),
    "difference": later("after minus asked again"),
}


def heads_view(shown: Shown) -> None:
    """The heads that bring most, beside heads by chance; one can be opened on the Attention page."""
    st.header(say("Which heads carried it"), anchor=False)
    drawn = shown.draw("head_patches", pick=_clicked)
    found = available(shown.found.heads)
    if drawn is None or found is None:
        return
    if together := together_sentence(found):
        paragraph(together)
    _open(shown, found)
    _tables(found)
    how_to_read("heads", HEADS)


def _clicked(bar: Mapping[str, Any]) -> None:
    """Note the head whose bar was clicked: a page can be left only while it is drawn."""
    st.session_state[CLICKED] = (int(bar["layer"]), int(bar["head"]))


def _open(shown: Shown, found: Heads) -> None:
    """The Attention page with a head whose bar was clicked, or whose button was: the first ones have one."""
    with st.container(horizontal=True, key="open heads"):
        pressed = [
            (each.layer, each.head)
            for each in found.shares[:N_OPENED]
            if st.button(
                say("Look at layer {layer} head {head}", layer=each.layer, head=each.head),
                key=f"open head {each.layer} {each.head}",
            )
        ]
    if CLICKED in st.session_state:
        pressed.append(st.session_state.pop(CLICKED))
    for layer, head in pressed:
        select(layers=(layer, None), heads=(head, None), query=None)
        # All of the address at once: what the page said of it later would be a step more on the way back.
        st.switch_page(ATTENTION_PAGE, query_params={"s": shown.workspace.key, **to_address(selected())})


def _tables(found: Heads) -> None:
    """The heads with their attention, and what several at once do."""
    with st.expander(say("Table: heads"), key="table of heads"):
        rows = [
            [str(each.layer), str(each.head), number(each.share, "+.1%"), _looked(each.attention_to_word), chance]
            for several, chance in ((found.shares[:N_HEADS], ""), (found.random, say("by chance")))
            for each in several
        ]
        columns = [
            say("layer"),
            say("head"),
            say("share of the effect"),
            say("attention to the word"),
            say("chosen"),
        ]
        st.html(table_html(say("One head swapped at the answer position"), columns, rows, columns[:4]))
        rows = [
            [str(len(each.heads)), knocked_out_label(each), signed_nats(each.delta), chance]
            for several, chance in ((found.knocked_out, ""), (found.knocked_out_random, say("by chance")))
            for each in several
        ]
        columns = [say("heads"), say("layer.head"), say("change of the lead"), say("chosen")]
        st.html(
            table_html(say("Several heads set to zero at the answer position"), columns, rows, (columns[0], columns[2]))
        )


def _looked(share: float | None) -> str:
    return "" if share is None else percent(share)


def layers_view(shown: Shown) -> None:
    """What each layer adds directly, of each answer; and what the strongest heads bring from which word."""
    st.header(say("What each layer adds"), anchor=False)
    name = segments("added", say("Of which answer"), {name: say(label) for name, label in ATTRIBUTIONS.items()})
    shown.draw("attribution", name, lambda: attribution_figure(shown.found, name))
    st.header(say("What the strongest heads bring, from which word"), anchor=False)
    shown.draw("head_words")
    how_to_read("added", ADDED)


HEADS = later(
    "One **head** at a time, and only at the position that writes the answer, gives what it gives when the model "
    "reads the other word of the pair; all else stays (activation patching). What it brings back of the difference is "
    "its share: blue bars bring it back, orange ones push the other way, and grey are as many other heads, chosen by "
    "chance. Behind its name stands how much of its attention is on the word; a click on its bar opens it. Shares "
    "need not add up to 100 %: heads build on each other. Below: the strongest set to zero together, beside as many "
    "by chance; that is a state the model never has, so read it with care."
)

ADDED = later(
    "**Direct logit attribution** (Elhage et al., 2021): the residual stream is a sum of what each part wrote into "
    "it. With the final norm's scale held as it was, each part's share of the lead can be read off; all of them, with "
    "a remainder of the model's own biases, sum to the lead of the two tokens. It is the direct path alone: a layer "
    "that works through later ones shows little here, and one that undoes what others wrote shows much. In the last "
    "chart, which is of the corrected answer always, the colour says which of the two words a head adds to."
)
