"""Where the questions come from: typed or pasted, a file, or some of our own."""

from __future__ import annotations

from typing import cast

import streamlit as st

from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.parts.pictures import remembered
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.limits import MEGABYTE
from llm_tracker.app.work.studying.running import most_questions
from llm_tracker.app.work.studying.wish import (
    MOST_FILE_BYTES,
    PARTS,
    Part,
    Source,
    Wish,
    handed_questions,
    questions_of,
)
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import later, say
from llm_tracker.studies.values.questions import QuestionSet

SOURCE, TYPED, FILE, PART = "study source", "study questions", "study file", "study part"
HANDED = "study handed over"
"""What was made of the file that was handed over last: its questions, or why it has none."""

SOURCES: dict[Source, str] = {
    "typed": later("Type or paste"),
    "file": later("A file"),
    "own": later("Our 120 questions"),
}

COLUMNS = later(
    "A question on each line, its right word behind it, then a foil: a wrong word of the same kind. Rows pasted from a "
    "spreadsheet work too, with a header or without."
)
FILE_COLUMNS = later(
    "CSV, JSON Lines or Parquet with the columns question, answer and foil; id, aliases, category, difficulty and "
    "held_out are read where they are there."
)
OWN = later(
    "Written for this project: capitals, animals, numbers, opposites and more. A third is held out, for what is to be "
    "confirmed on questions that nobody has looked at; the first 10 and 30 are of the others."
)


def questions_choice(engine: Engine, wish: Wish) -> None:
    """The choice of a source, and below it what that needs."""
    source = st.segmented_control(
        say("Questions"),
        list(SOURCES),
        default=wish.source,
        format_func=lambda name: say(SOURCES[name]),
        key=labelled_key(SOURCE),
        required=True,
        persist_state="session",
    )
    with st.container(key="study_questions"):
        if source == "file":
            _file(engine, wish)
        elif source == "own":
            _own(wish)
        else:
            _typed(wish)


def _typed(wish: Wish) -> None:
    st.text_area(
        say("One question a line"),
        wish.typed,
        height=120,
        key=TYPED,
        persist_state="session",
        placeholder=say("question, right word, foil"),
        label_visibility="collapsed",
    )
    paragraph(say(COLUMNS), quiet=True)


def _file(engine: Engine, wish: Wish) -> None:
    most = most_questions(engine)

    def keep() -> None:
        handed = st.session_state[FILE]
        if handed is None:
            st.session_state[HANDED] = None
            return
        try:
            st.session_state[HANDED] = handed_questions(handed.name, handed.getvalue(), most)
        except InputError as error:
            st.session_state[HANDED] = str(error)

    megabytes = min(engine.limits.upload_megabytes, MOST_FILE_BYTES // MEGABYTE)
    # Of any kind: a file of another one is refused in our words, with what to give instead.
    st.file_uploader(say("A file of questions"), key=FILE, on_change=keep, max_upload_size=megabytes)
    there = st.session_state.get(HANDED, wish.file)
    if isinstance(there, QuestionSet):
        paragraph(say("Taken: {name}.", name=there.name), quiet=True)
    paragraph(say(FILE_COLUMNS), quiet=True)


def _own(wish: Wish) -> None:
    st.segmented_control(
        say("How many of them"),
        list(PARTS),
        default=wish.part,
        format_func=lambda name: say(PARTS[name]),
        key=labelled_key(PART),
        required=True,
        persist_state="session",
    )
    paragraph(say(OWN), quiet=True)


def chosen_source(wish: Wish) -> dict[str, object]:
    """The fields of a wish that are filled in here, as they are now."""
    handed = st.session_state.get(HANDED, wish.file)
    return {
        "source": cast("Source", st.session_state.get(labelled_key(SOURCE)) or wish.source),
        "typed": str(st.session_state.get(TYPED, wish.typed)),
        "part": cast("Part", st.session_state.get(labelled_key(PART)) or wish.part),
        "file": handed if isinstance(handed, QuestionSet) else None,
    }


def chosen_questions(wish: Wish) -> QuestionSet:
    """The questions that are wished for. Raises InputError for what cannot be asked, or was handed over in vain."""
    handed = st.session_state.get(HANDED)
    if wish.source == "file" and isinstance(handed, str):
        raise InputError(handed)
    key = (wish.source, wish.typed, wish.part, wish.file)

    def read() -> QuestionSet | InputError:
        try:
            return questions_of(wish)
        except InputError as error:
            return error

    found = remembered("study questions", key, read)
    if isinstance(found, InputError):
        raise found
    return found
