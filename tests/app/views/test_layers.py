"""Which words the view of the layers opens with, and which it turns to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest
from visitor import asked, corrected, opened, settled, shown_html, visitor

from llm_tracker.app.views import missing_work
from llm_tracker.app.work import engine as engines

UNREAD = "layers have not been read yet"


def leads(at: AppTest) -> tuple[str, str]:
    """The word that leads, and the one over which."""
    boxes = {box.label: box.value for box in at.selectbox}
    return boxes["Lead of"], boxes["over"]


def look_at_token(at: AppTest, after: int) -> AppTest:
    """As a press on the strip does, whose component a test without a browser cannot press."""
    kept = at.session_state["selection"]
    at.session_state["selection"] = replace(kept, selection=replace(kept.selection, steps=(None, after)))
    return at.run()


def test_a_word_that_is_followed_just_now_leads_over_what_led_before(engine: engines.Engine) -> None:
    at = corrected(asked(opened("dashboard.py")))
    _, over = leads(at)
    at = settled(at.multiselect[0].set_value([*at.multiselect[0].value, "zebra"]).run())
    assert leads(at) == ("zebra", over)
    assert at.query_params["of"] == "zebra"


def test_the_pair_stays_while_another_tokens_layers_are_yet_to_be_read(
    engine: engines.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = corrected(asked(opened("dashboard.py")))
    pair = leads(at)
    turn = visitor(engine).sessions[1].turns[1]
    unread = next(step for step in range(turn.trace.n_steps) if step not in turn.trace.lens)
    with monkeypatch.context() as slow:
        slow.setattr(missing_work, "read_step", lambda *_: None)
        at = look_at_token(at, unread)
        assert UNREAD in shown_html(at)
    at = settled(at.run())
    assert UNREAD not in shown_html(at)
    assert leads(look_at_token(at, 0)) == pair
