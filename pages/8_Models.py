"""The Models page: what there is, what is here, what reads it, and what failed."""

from llm_tracker.app.frame.page import open_page
from llm_tracker.app.models.page import models_page

engine, workspace = open_page("Models")
models_page(engine, workspace)
