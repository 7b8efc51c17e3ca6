"""What the model read: the exact text with its roles, and every token of it."""

from __future__ import annotations

from html import escape
from itertools import groupby

import pandas as pd
import streamlit as st

from llm_tracker.analysis.compare import Side
from llm_tracker.app.parts.html import LINE_END, paragraph, plain_label
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.parts.side_labels import side_labels
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.selection import chosen, unless_default
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.words import Word
from llm_tracker.wording.formats import shown, visible
from llm_tracker.wording.labels import ROLE_LABELS


@st.fragment
def read_view(sides: list[Side]) -> None:
    """All of the panel, for one side at a time."""
    with st.expander(say("What the model read")):
        names, labels = {side.name: side for side in sides}, side_labels(sides)
        key = labelled_key(f"read of {len(names)}")
        opens_at = "after" if "after" in names else list(names)[-1]
        name = chosen(selected().text, list(names), opens_at)
        choose = show_choice(key, name, lambda picked: select(text=unless_default(picked, opens_at)))
        st.segmented_control(
            say("Of which answer"),
            list(names),
            default=name,
            format_func=lambda each: plain_label(labels[each]),
            key=key,
            on_change=choose,
            required=True,
            label_visibility="collapsed",
        )
        turn = names[name].turn
        prompt, n_thought = turn.prompt, turn.answer_steps.start
        paragraph(" ".join(_which_text(len(prompt.token_ids), n_thought)), quiet=True)
        thought = [word for word in turn.words_before(n_thought) if word.role == "thought"]
        _legend({word.role for word in (*prompt.words, *thought)})
        _text(prompt, thought)
        st.markdown(f"**{say('Token by token')}**")
        tokens, first = _token_frame(prompt), _first_said(prompt)
        if first and not st.toggle(say("With the worked examples"), key="read examples"):
            tokens = tokens[first:]
        st.dataframe(tokens, hide_index=True, height=300)
        paragraph(say("A special token is a control token: the template writes it, and no typed text can."), quiet=True)


def _which_text(n_tokens: int, n_thought: int) -> list[str]:
    """What text it is, how its marks are to be read, and what stands behind it."""
    n, of_thought = number(n_tokens, ","), number(n_thought, ",")
    marks = say(
        "What was said in this conversation is underlined; what the template and the worked examples wrote is grey."
    )
    if not n_thought:
        return [say("The exact text in front of the answer, {n} tokens.", n=n), marks]
    return [
        say("The exact text in front of its thought and the answer, {n} tokens.", n=n),
        marks,
        say("The thought, {n} tokens, stands behind it.", n=of_thought),
    ]


def _first_said(prompt: Prompt) -> int:
    """The position behind the last worked example; 0 where there are none."""
    return max((word.tokens[1] for word in prompt.words if word.role == "recipe"), default=0)


def _legend(roles: set[str]) -> None:
    entries = "".join(
        f'<span class="entry {role}">{escape(say(text))}</span>' for role, text in ROLE_LABELS.items() if role in roles
    )
    st.html(f'<div class="lt-legend lt-read">{entries}</div>')


def _text(prompt: Prompt, thought: list[Word]) -> None:
    first = _first_said(prompt)
    examples = [word for word in prompt.words if word.tokens[0] < first]
    said = [word for word in prompt.words if word.tokens[0] >= first] + thought
    told = escape(say("{whose}, {n} tokens", whose=say(ROLE_LABELS["recipe"]), n=first))
    folded = f"<details><summary>{told}</summary>{_runs(examples)}</details>" if first else ""
    label = escape(say("What the model read"))
    st.html(f'<pre class="lt-read" tabindex="0" aria-label="{label}">{folded}{_runs(said)}</pre>')


def _runs(words: list[Word]) -> str:
    """Words as HTML, a run a role."""
    return "".join(
        f'<span class="{role}" title="{escape(_whose(role))}">'
        f"{escape(visible(''.join(word.text for word in own), but=LINE_END))}</span>"
        for role, own in groupby(words, key=lambda word: word.role)
    )


def _whose(role: str) -> str:
    return say(ROLE_LABELS.get(role, role))


def _token_frame(prompt: Prompt) -> pd.DataFrame:
    """A row a token: place, id, text, bytes, whose, special or not."""
    texts = [shown(prompt.text[start:end]) for start, end in prompt.spans]
    held = prompt.token_bytes or (None,) * len(texts)
    return pd.DataFrame(
        {
            say("place"): range(1, len(texts) + 1),
            say("id"): prompt.token_ids,
            say("text"): texts,
            say("bytes"): ["" if each is None else each.hex(" ").upper() for each in held],
            say("whose"): [_whose(role) for role in prompt.roles],
            say("special"): [say("special") if at in prompt.control_positions else "" for at in range(len(texts))],
        }
    )
