"""The Ask page: question -> answer -> correction -> answer; before | after."""

import streamlit as st

from llm_tracker.app.ask.answers import answer_cards, answered_by, headline_panel
from llm_tracker.app.ask.forms import correction_form, offer_same_question, question_form
from llm_tracker.app.ask.take_along import take_along
from llm_tracker.app.ask.tour import tour
from llm_tracker.app.ask.unanswered import offer_unanswered
from llm_tracker.app.frame.page import PRODUCT, open_page
from llm_tracker.app.parts.example import offer_example
from llm_tracker.app.selection.answer_pickers import answer_pickers
from llm_tracker.app.selection.arrangement import arrangement, drawn_with_control
from llm_tracker.app.selection.comparison import compare_at, shown_comparison
from llm_tracker.app.views.attention import attention_view
from llm_tracker.app.views.candidates import candidates_view
from llm_tracker.app.views.layers import layers_view
from llm_tracker.app.views.missing_work import background_status, start_missing
from llm_tracker.app.views.prompt_text import read_view
from llm_tracker.app.views.saving import saving_status
from llm_tracker.app.views.watch_words import words_choice
from llm_tracker.app.views.whole_words import whole_words_view
from llm_tracker.languages.texts import say

engine, workspace = open_page("Ask")
workspace.collect()
drawn = workspace.version
offer_example(workspace)

st.title(PRODUCT, anchor=False)
st.caption(say("Ask a one-word question. Correct the answer. See what changed inside the model."))
comparison = shown_comparison(workspace)
with st.container():
    tour(workspace, comparison)
saving_status(workspace)
offer_unanswered(engine, workspace)
question_form(engine, workspace, comparison)
answered_by(workspace, comparison)
with st.container(key="same_question"):
    offer_same_question(engine, workspace, comparison)
answer_cards(engine, workspace, comparison)
correction_form(engine, workspace, comparison)

# Containers keep the place of what comes and goes: without them all that follows would be drawn anew, and jump.
with st.container(key="shown"):
    headline, pickers = st.container(), st.container()
    with pickers:
        answer_pickers(workspace, comparison)
    words = words_choice(workspace, comparison)
    start_missing(engine, workspace, comparison, words)
    with headline:
        headline_panel(workspace, comparison, words)
    with st.container():
        background_status(engine, workspace, comparison)
    whole_words_view(list(comparison.headline_sides), words)
    with st.container():
        compare_at(comparison)
    read_view(comparison.sides)
    shown = arrangement(comparison)
    sides, difference = drawn_with_control(comparison, shown), shown == "difference"
    candidates_view(comparison, sides, words, difference)
    layers_view(comparison, sides, words, difference)
    attention_view(comparison, sides, difference)
    take_along(engine, workspace, comparison)

if workspace.is_newer(drawn):  # a job that ended while the page was being drawn would else be seen at the next click
    st.rerun()
