"""The Models page: what there is, what is here, what reads it, and what failed."""

from llm_tracker.app.catalogue_panels import models_page
from llm_tracker.app.frame import open_page

engine, workspace = open_page("Models")
models_page(engine, workspace)
