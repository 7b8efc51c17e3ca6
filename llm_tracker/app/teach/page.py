"""The Teach page: four lessons, and the projector that shows one thing at a time."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.frame.found_pages import found_pages
from llm_tracker.app.parts.html import paragraph
from llm_tracker.app.teach.lessons import LESSONS, Lesson, LessonText, lesson_named, text_of
from llm_tracker.app.teach.page_top import begin_at_the_top
from llm_tracker.app.teach.projector import projector
from llm_tracker.app.teach.sheet import sheet_html
from llm_tracker.app.teach.slides import TITLES
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.languages.spoken import in_this_language
from llm_tracker.languages.texts import say
from llm_tracker.models.catalogue import EMBEDDED
from llm_tracker.places import app_dir
from llm_tracker.wording.formats import listed

LESSON, PROJECTOR = "lesson", "projector"
"""What the address says of this page."""


def teach_page(engine: Engine, workspace: Workspace) -> None:
    """All of the page: the projector where the address asks for it, else a lesson, else all of them."""
    if st.query_params.get(PROJECTOR):
        projector(engine, workspace, _close_projector)
        return
    lesson = lesson_named(st.query_params.get(LESSON))
    if lesson is None:
        _lessons(workspace)
    else:
        _lesson(workspace, lesson, text_of(lesson))
    begin_at_the_top("" if lesson is None else lesson.name)  # last, as it takes a line of the page


def _open_projector(workspace: Workspace) -> None:
    """The projector on the conversation in hand, with the usual slides."""
    workspace.classroom.end_lesson()
    _go_on()


def _close_projector() -> None:
    st.query_params.pop(PROJECTOR, None)


def _go_on() -> None:
    st.query_params[PROJECTOR] = "on"


def _open_lesson(name: str) -> None:
    st.query_params[LESSON] = name


def _close_lesson() -> None:
    st.query_params.pop(LESSON, None)


def _lessons(workspace: Workspace) -> None:
    st.title(say("Teach"), anchor=False)
    st.caption(say("Four lessons of ten minutes, and a projector that hides the answer until the class has guessed."))
    st.button(say("Open the projector"), type="primary", on_click=_open_projector, args=(workspace,))
    paragraph(
        say(
            "It shows the conversation in hand in large type, one thing at a time: the question, the answer once you "
            "uncover it, the correction, and the three views. Guesses are counted. A presenter's keys work."
        ),
        quiet=True,
    )
    for lesson in LESSONS:
        text = text_of(lesson)
        st.subheader(text.title, anchor=False)
        st.markdown(text.goal)
        st.button(say("Open the lesson"), key=f"open {lesson.name}", on_click=_open_lesson, args=(lesson.name,))


def _lesson(workspace: Workspace, lesson: Lesson, text: LessonText) -> None:
    st.button(say("All lessons"), key="all lessons", on_click=_close_lesson, icon=":material/arrow_back:")
    st.title(text.title, anchor=False)
    goal, steps, to_say, not_to_say, sheet = text.headings
    st.markdown(f"**{goal}.** {text.goal}")
    with st.container(horizontal=True):
        st.button(say("Begin in the projector"), type="primary", key="begin", on_click=_begin, args=(workspace, lesson))
        if workspace.classroom.slides == lesson.slides and not workspace.classroom.question:
            st.button(say("Go on in the projector"), key="go on with lesson", on_click=_go_on)
        st.download_button(
            say("Sheet to print"),
            in_this_language(lambda: sheet_html(text, say("Name"), say("Date"))),
            file_name=f"{lesson.name}.html",
            mime="text/html",
            on_click="ignore",
        )
        st.page_link(lesson.page, label=_page_told(lesson), query_params={"s": workspace.key})
    slides = listed([say(TITLES[name]) for name in lesson.slides])
    told = say("Its slides in the projector: {slides}. It is given with {model}.", slides=slides, model=EMBEDDED.title)
    paragraph(told, quiet=True)
    for heading, content in ((steps, text.steps), (to_say, text.say), (not_to_say, text.do_not_say)):
        st.subheader(heading, anchor=False)
        st.markdown(content)
    with st.expander(sheet):
        st.markdown(text.sheet)


def _page_told(lesson: Lesson) -> str:
    return say("More of it on the page: {page}", page=say(found_pages(app_dir())[lesson.page]))


def _begin(workspace: Workspace, lesson: Lesson) -> None:
    """The projector at its first slide, with what the lesson asks typed already, of the built-in model."""
    workspace.choose(EMBEDDED.id)
    workspace.recipe, workspace.control = "one-word", True
    workspace.classroom.begin_lesson(lesson.slides, lesson.question, lesson.corrections, workspace.begun)
    _go_on()
