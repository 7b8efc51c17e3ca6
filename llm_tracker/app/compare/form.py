"""Which models, in which number formats, and which two words are followed; and the button that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from llm_tracker.app.compare.conversation import Conversation
from llm_tracker.app.compare.offered import offered, own_choice
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.selection import chosen, unless_default
from llm_tracker.app.views.on_demand import begin_or_say, waiting
from llm_tracker.app.work.comparing.running import begin_comparing, compared
from llm_tracker.app.work.comparing.variants import MOST, Comparing, Variant
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import shown

HELP = later(
    "At most {most}. Models that are on this machine can be picked, and any can be typed: a hub id, a directory or a "
    ".gguf file. One that is to be downloaded first is chosen in the sidebar. A number format such as bfloat16 "
    "computes with fewer digits: smaller, and a little different."
)

HELP_OF_A_HOST = later("At most {most} of the models that this host offers.")


@dataclass(frozen=True)
class Asked:
    """What is chosen."""

    variants: tuple[Variant, ...]
    word: str
    over: str
    labels: dict[str, str]
    """What each choice is called, by its text."""

    @property
    def words(self) -> list[str]:
        """The two words, as far as they are chosen."""
        return [word for word in (self.word, self.over) if word]

    def label(self, variant: Variant) -> str:
        """What a model is called; what was typed as it was."""
        return self.labels.get(str(variant), str(variant))


def models_form(engine: Engine, workspace: Workspace, conversation: Conversation) -> Asked:
    """The models, the two words, and the button."""
    comparing = compared(workspace, conversation.subject)
    key = f"models of {conversation.subject}"
    options = offered(engine, workspace, conversation, comparing, st.session_state.get(key) or ())
    default = [str(each) for each in comparing.wanted] or own_choice(engine, conversation)
    picked = st.multiselect(
        say("Models"),
        options,
        default=[each for each in default if each in options],
        format_func=lambda each: options.get(each, each),
        key=key,
        max_selections=MOST,
        accept_new_options=engine.models.offered is None,
        placeholder=say("Pick a model, or type a name and press Enter"),
        help=say(HELP, most=MOST) if engine.models.offered is None else say(HELP_OF_A_HOST, most=MOST),
        persist_state="session",
    )
    first, second = st.columns(2)
    _word_box(first, say("Lead of"), conversation, comparing, "word")
    _word_box(second, say("over"), conversation, comparing, "over")
    asked = Asked(_variants(picked), *_two_words(conversation, comparing), options)
    _button(engine, workspace, conversation, asked, key)
    return asked


def _variants(picked: Sequence[str]) -> tuple[Variant, ...]:
    return tuple(dict.fromkeys(Variant.of(each) for each in picked if each.strip()))


def _two_words(conversation: Conversation, comparing: Comparing) -> tuple[str, str]:
    """The word whose lead is shown, and the one over which it leads: those that are selected, where they are known.

    A word that was selected of another conversation says nothing of this one.
    """
    words, (word, over) = _words(conversation, comparing), conversation.two_words
    return chosen(selected().word or None, words, word), chosen(selected().over, words, over)


def _words(conversation: Conversation, comparing: Comparing) -> list[str]:
    """The words that can be picked: those of the conversation and of its models, and what was typed here."""
    followed = [each for run in comparing.runs.values() for each in run.session.watch_words]
    typed: list[str] = st.session_state.get(f"typed words of {conversation.subject}", [])
    known = (*conversation.two_words, *conversation.session.watch_words, *followed, *typed)
    return list(dict.fromkeys(filter(None, known)))


def _word_box(
    column: DeltaGenerator, label: str, conversation: Conversation, comparing: Comparing, field: Literal["word", "over"]
) -> None:
    """A word to be chosen or typed."""
    words = _words(conversation, comparing)
    at = 0 if field == "word" else 1
    word = _two_words(conversation, comparing)[at]
    key = f"compare {field} of {conversation.subject}"

    def take(picked: str | None) -> None:
        st.session_state[f"typed words of {conversation.subject}"] = [*words, (picked or "").strip()]
        select(**{field: unless_default((picked or "").strip(), conversation.two_words[at])})

    column.selectbox(
        label,
        words,
        words.index(word) if word else None,
        format_func=shown,
        key=key,
        on_change=show_choice(key, word or None, take),
        accept_new_options=True,
        placeholder=say("Type a word"),
    )


def _button(engine: Engine, workspace: Workspace, conversation: Conversation, asked: Asked, key: str) -> None:
    """Runs what is missing; it waits where something else is being computed."""
    subject, comparing = conversation.subject, compared(workspace, conversation.subject)

    def begin() -> None:
        wanted = _variants(st.session_state[key])
        words = _two_words(conversation, compared(workspace, subject))
        begin_comparing(engine, workspace, subject, wanted, [word for word in words if word])

    missing = comparing.missing(asked.variants, asked.words)
    st.button(
        f"{say('Run it on these models')}{'' if workspace.is_at_work_on(subject) else waiting(workspace)}",
        key=f"run {subject}",
        type="primary",
        on_click=partial(begin_or_say, workspace, subject, begin),
        disabled=workspace.job is not None or not missing,
    )
    if asked.variants and not missing:
        paragraph(say("All of these have been run. Add another model, and it is run beside them."), quiet=True)
