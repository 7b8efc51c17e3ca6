"""The Compare page: the same conversation on several models, and on one model in several number formats."""

from llm_tracker.app.compare.page import compare_page
from llm_tracker.app.frame.page import open_page

engine, workspace = open_page("Compare")
compare_page(engine, workspace)
