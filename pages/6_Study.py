"""The Study page: many questions, each answered and corrected in several ways, on one model or two."""

from llm_tracker.app.frame.page import open_page
from llm_tracker.app.study.page import study_page

engine, workspace = open_page("Study")
study_page(engine, workspace)
