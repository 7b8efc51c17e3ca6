"""The Ask page: question -> answer -> correction -> answer; before | after."""

import streamlit as st

from llm_tracker.app.ask import (
    answer_cards,
    answered_by,
    chosen_sides,
    compared_turns,
    correction_form,
    headline_panel,
    question_form,
    watch_reading,
)
from llm_tracker.app.cards import exact_text, read_text
from llm_tracker.app.frame import PRODUCT, open_page
from llm_tracker.app.views import attention_view, candidates_view, layers_view

engine, workspace = open_page("Ask")
workspace.collect()

st.title(PRODUCT, anchor=False)
st.caption("Ask a one-word question. Correct the answer. See what changed inside the model.")
question_form(engine, workspace)
session = workspace.session
turns = compared_turns(session) if session else []
answer_cards(engine, workspace, turns)
correction_form(engine, workspace)
if session is None or (workspace.job is not None and workspace.job.kind == "ask"):
    st.stop()

answered_by(workspace, session)
for notice in dict.fromkeys(notice for _, turn in turns for notice in turn.prompt.notices):
    exact_text(notice)
sides = chosen_sides(session, turns)
headline_panel(session, sides)
unread = next((side for side in sides if side.step not in side.turn.trace.lens), None)
if workspace.read_error:
    st.error(workspace.read_error)
elif unread is not None and workspace.job is None:
    engine.read_step(workspace, session.turns.index(unread.turn), unread.step)
if workspace.job is not None and workspace.job.kind == "lens":
    watch_reading(workspace.job)
candidates_view(sides, session.watch_words)
if unread is None:
    layers_view(session, sides)
attention_view(sides)
with st.expander("What the model read"):
    for name, turn in turns:
        st.caption(f"{name.capitalize()}: the exact text. Grey: the template's marks and the worked examples.")
        read_text(turn)
