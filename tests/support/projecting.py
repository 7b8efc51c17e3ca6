"""What a teacher does with the projector."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest
from visitor import opened, settled

PAGE = "pages/9_Teach.py"


def pressed(at: AppTest, label: str) -> AppTest:
    """Press the button of this name."""
    return settled(next(button for button in at.button if button.label == label).click().run())


def on(at: AppTest) -> AppTest:
    """Go on, or uncover."""
    return settled(at.button(key="on").click().run())


def begun(lesson: str) -> AppTest:
    """A lesson in the projector, its question asked."""
    at = settled(opened(PAGE).button(key=f"open {lesson}").click().run())
    return pressed(settled(at.button(key="begin").click().run()), "Ask")
