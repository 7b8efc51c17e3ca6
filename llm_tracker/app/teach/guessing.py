"""The class guesses before an answer is uncovered: a field, the counted guesses, and how many were right."""

from __future__ import annotations

from html import escape

import streamlit as st

from llm_tracker.app.parts.html import failure, paragraph, plain_label
from llm_tracker.app.work.teaching.classroom import MOST_CHARS, Classroom, Guessed, is_same_guess
from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say, say_n


def guess_form(classroom: Classroom, answer: Guessed) -> None:
    """Count what is guessed; each guess so far can be raised by one, or taken back."""
    field, refused = f"guess {answer}", f"guess refused {answer}"

    def count() -> None:
        try:
            classroom.guess(answer, str(st.session_state[field]))
        except InputError as error:
            st.session_state[refused] = str(error)
            return
        st.session_state[field] = ""

    with st.form(f"guess form {answer}", border=False):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        left.text_input(say("A guess"), key=field, max_chars=MOST_CHARS)
        right.form_submit_button(say("Count"), on_click=count, width="stretch")
    if said := st.session_state.pop(refused, ""):  # of the last press, and of no other
        failure(said)
    with st.container(horizontal=True, key=f"guesses {answer}"):
        for word, n in classroom.guesses[answer].most_common():
            name = plain_label(word)
            st.button(
                f"{name} · {n}",
                key=f"one more {answer} {word}",
                help=say("One more guesses {word}", word=name),
                on_click=classroom.guess,
                args=(answer, word),
            )
            st.button(
                "−",
                key=f"one less {answer} {word}",
                help=say("One less guesses {word}", word=name),
                on_click=classroom.guess,
                args=(answer, word, -1),
            )


def guesses_shown(classroom: Classroom, answer: Guessed, said: str) -> None:
    """Who was right, once the answer is uncovered: bars of the guesses, the model's own answer marked."""
    n = classroom.n_guesses(answer)
    if not n:
        return
    right = classroom.n_right(answer, said)
    paragraph(say_n("{right} of {n} guess was right.", "{right} of {n} guesses were right.", n, right=right))
    rows = "".join(
        f"<tr><td>{escape(word)}{_mark(word, said)}</td><td class='number'>{count}</td>"
        f'<td class="bar"><div style="width:{100 * count / n:.1f}%"></div></td></tr>'
        for word, count in classroom.guesses[answer].most_common()
    )
    head = f'<th scope="col">{say("guess")}</th><th scope="col" class="number">{say("how many")}</th><td></td>'
    st.html(f'<table class="lt-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>')


def _mark(word: str, said: str) -> str:
    return f' <span class="lt-quiet">{escape(say("said by the model"))}</span>' if is_same_guess(word, said) else ""
