"""The Models page: what there is, what is here, what reads it, and what failed."""

from llm_tracker.app.catalogue_panels import adapters_panel, models_panel, plugins_panel
from llm_tracker.app.frame import open_page

engine, workspace = open_page("Models")
models_panel(engine, workspace)
adapters_panel()
plugins_panel()
