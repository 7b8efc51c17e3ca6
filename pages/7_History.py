"""The History page: every conversation that is kept."""

from llm_tracker.app.frame.page import open_page
from llm_tracker.app.history.page import history_page

engine, workspace = open_page("History")
history_page(engine, workspace)
