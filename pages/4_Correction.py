"""The Correction page: what the correction did, against its controls, and where in the model."""

from llm_tracker.app.correction.page import correction_page
from llm_tracker.app.frame.page import open_page

engine, workspace = open_page("Correction")
correction_page(engine, workspace)
