"""What the sentences speak of: a question, its correction, and the control."""

from __future__ import annotations

import pytest
from tiny_models import tiny_model

import llm_tracker as lt


@pytest.fixture(scope="session")
def session() -> lt.Session:
    model = tiny_model("llama")
    return lt.track(model, "What is it?", ["No, London."], recipe="chat", max_new_tokens=2, control=True)
