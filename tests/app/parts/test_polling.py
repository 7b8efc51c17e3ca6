"""What is drawn again and again: a browser's late request for it starts nothing else."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from llm_tracker.app.parts.polling import polled

    polled(lambda: st.write("drawn"), 3.0)()
    context = get_script_run_ctx()
    assert context is not None
    st.session_state["fragments"] = context.shared.new_fragment_ids.snapshot()


def test_each_run_of_a_page_registers_what_is_polled_under_a_name_of_its_own() -> None:
    at = AppTest.from_function(page).run()
    first = at.session_state["fragments"]
    at.run()
    assert len(first) == len(at.session_state["fragments"]) == 1
    assert first.isdisjoint(at.session_state["fragments"])
    assert [each.value for each in at.markdown] == ["drawn"]
