"""The Attention page: which heads looked where, when the answer was written."""

from llm_tracker.app.attention.page import attention_page
from llm_tracker.app.frame.page import open_page

engine, workspace = open_page("Attention")
attention_page(engine, workspace)
