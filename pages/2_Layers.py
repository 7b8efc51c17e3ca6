"""The Layers page: what every layer would write, at the answer and at every token of the text."""

from llm_tracker.app.frame.page import open_page
from llm_tracker.app.layers.page import layers_page

engine, workspace = open_page("Layers")
layers_page(engine, workspace)
