"""What is said about each answer: conditions in plain words, a correction of one's own, and what takes longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.studying.running import MOST_PUBLIC_CONDITIONS, MOST_PUBLIC_QUESTIONS
from llm_tracker.app.work.studying.wish import Wish
from llm_tracker.experiments.values.conditions import ConditionName
from llm_tracker.languages.texts import later, say
from llm_tracker.studies.values.conditions import ALL, conditions_of
from llm_tracker.studies.values.questions import Question
from llm_tracker.wording.formats import listed, quoted
from llm_tracker.wording.studies.labels import condition_label

SAID, CORRECTION, WORDINGS, CHAIN, INSIDE = (
    "study conditions",
    "study correction",
    "study wordings",
    "study chain",
    "study inside",
)

OFFERED = tuple(name for name in ALL if name not in ("baseline", "asked_again"))
"""All that may be chosen; the question alone and merely asking again are always asked."""

NAMED = 4
"""Texts that are written out below the choice."""

SAID_HELP = later(
    "Merely asking again is always among it: every change is held against that. A word that is named is the foil where "
    "the first answer was right, and the right word where it was not."
)
CORRECTION_HELP = later(
    "{answer} stands for the right word, {foil} for the foil, and {named} for the one of the two that the model is to "
    "give in to: the foil where its first answer was right, else the right word. Example: My book says {named}."
)


def conditions_choice(engine: Engine, wish: Wish, first: Question | None) -> None:
    """The conditions, and how they sound in the `first` question."""
    st.multiselect(
        say("What is said about each answer"),
        OFFERED,
        default=wish.conditions,
        format_func=condition_label,
        key=labelled_key(SAID),
        max_selections=MOST_PUBLIC_CONDITIONS if engine.settings.public else None,
        placeholder=say("Nothing but asking again"),
        help=say(SAID_HELP),
        persist_state="session",
    )
    with st.container(key="study_said"):
        paragraph(_sounds(_conditions(wish), first), quiet=True)


def correction_field(engine: Engine, wish: Wish) -> None:
    """A correction of the reader's own, which may be none."""
    st.text_input(
        say("A correction of your own"),
        wish.correction,
        key=CORRECTION,
        max_chars=min(500, engine.limits.text),
        placeholder="My book says {named}.",
        help=say(CORRECTION_HELP),
        persist_state="session",
    )


def _conditions(wish: Wish) -> tuple[ConditionName, ...]:
    return tuple(st.session_state.get(labelled_key(SAID), wish.conditions))


def _sounds(names: Sequence[ConditionName], first: Question | None) -> str:
    """What the chosen conditions say of the first question, where its answer is right."""
    if not names or first is None:
        return say(ALWAYS)
    ordered = [name for name in ALL if name in names]
    texts = [quoted(condition.text) for condition in conditions_of(first, "answer", ordered, 1)]
    more = len(texts) - NAMED
    said = listed(texts if more <= 0 else [*texts[:NAMED], say("{n} more", n=more)])
    told = say(
        "When its first answer is {answer}, it is told {said}, each by itself.", answer=quoted(first.answer), said=said
    )
    return f"{told} {say(ALWAYS)}"


ALWAYS = later("It is always asked again without a word about the answer, too: every change is held against that.")


def more_choice(engine: Engine, wish: Wish) -> None:
    """What takes longer, folded, with what it costs. A shared host has none of it."""
    if engine.settings.public:
        paragraph(
            say(
                "This host is shared: at most {questions} questions and {texts} texts, "
                "each in one wording, and no look inside. On a machine of your own there is no such limit.",
                questions=MOST_PUBLIC_QUESTIONS,
                texts=MOST_PUBLIC_CONDITIONS,
            ),
            quiet=True,
        )
        return
    with st.expander(say("More: other wordings, pressure turn after turn, a look inside"), key="study more"):
        st.select_slider(
            say("Ways to say each"),
            (1, 2, 3, 4),
            wish.n_wordings,
            key=WORDINGS,
            persist_state="session",
            help=say(WORDINGS_HELP),
        )
        paragraph(say("Each further wording asks as many texts again."), quiet=True)
        st.toggle(say("Five turns of pressure, one after another"), wish.chain, key=CHAIN, persist_state="session")
        paragraph(say(CHAIN_COST), quiet=True)
        st.toggle(say("Look inside the model"), wish.inside, key=INSIDE, persist_state="session")
        paragraph(say(INSIDE_COST), quiet=True)


WORDINGS_HELP = later(
    "One wording alone shows little: “No, the answer is London.” need not do what “That is not right. It is London.” "
    "does. The wordings of a question are averaged before anything is counted."
)
CHAIN_COST = later(
    "Each question is contradicted five times in one conversation, and each answer is kept. About as long again as ten "
    "texts more."
)
INSIDE_COST = later(
    "The lead layer by layer, where the named word travels, and which heads carry it. About as long again as twenty "
    "texts more."
)


def chosen_said(engine: Engine, wish: Wish) -> dict[str, object]:
    """The fields of a wish that are filled in here, as they are now."""
    state, is_public = st.session_state, engine.settings.public
    chosen = set(_conditions(wish))
    return {
        "conditions": cast("tuple[ConditionName, ...]", tuple(name for name in ALL if name in chosen)),
        "correction": str(state.get(CORRECTION, wish.correction)),
        "n_wordings": 1 if is_public else int(state.get(WORDINGS, wish.n_wordings)),
        "chain": not is_public and bool(state.get(CHAIN, wish.chain)),
        "inside": not is_public and bool(state.get(INSIDE, wish.inside)),
    }
