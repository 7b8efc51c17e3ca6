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


def page_of_an_ended_job() -> None:
    import streamlit as st

    from llm_tracker.app.parts.polling import follow_job
    from llm_tracker.app.work.jobs import Job

    n_runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    if n_runs == 1:
        follow_job(Job("answer", status="done"), lambda: st.session_state.update(drawn=n_runs))
    else:
        st.write("what came of it")


def test_a_job_that_ends_while_its_page_is_drawn_leaves_no_empty_place_until_the_next_run() -> None:
    at = AppTest.from_function(page_of_an_ended_job).run()
    assert at.session_state["drawn"] == 1
    assert [each.value for each in at.markdown] == ["what came of it"]
