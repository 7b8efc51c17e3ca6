"""The Guide page: how to read each view, and which words to choose when speaking of it."""

from llm_tracker.app.frame.page import open_page
from llm_tracker.app.guide.page import guide

open_page("Guide")
guide()
