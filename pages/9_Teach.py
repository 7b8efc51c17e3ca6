"""The Teach page: ready lessons, and a projector that hides the answer until the class has guessed."""

from llm_tracker.app.frame.page import open_page
from llm_tracker.app.teach.page import teach_page

engine, workspace = open_page("Teach")
teach_page(engine, workspace)
