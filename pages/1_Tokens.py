"""The Tokens page: how an answer was written, token by token, and what it might have said."""

from llm_tracker.app.frame.page import open_page
from llm_tracker.app.tokens.page import tokens_page

engine, workspace = open_page("Tokens")
tokens_page(engine, workspace)
