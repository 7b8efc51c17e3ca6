"""What a token of the strip says of itself, to the pointer and to a screen reader."""

from __future__ import annotations

from dataclasses import replace

import llm_tracker as lt
from llm_tracker.app.parts.example import EXAMPLE_DIR
from llm_tracker.app.parts.token_strip import said


def test_a_token_says_its_place_its_text_how_likely_it_was_and_what_it_is() -> None:
    turn = lt.load_session(EXAMPLE_DIR).turns[0]
    assert said(turn, 0) == "Token 1, “Paris”, 95 % likely, the answer"
    assert said(turn, 1).endswith("% likely: the model's own mark that the answer ends here")
    assert said(replace(turn, ended="limit"), 1).endswith("% likely")
