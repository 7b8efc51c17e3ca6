"""A folder in which a reader of the pages works: a model of its own in it, and questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_models import tiny_network, tiny_tokenizer

import llm_tracker as lt
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.loading import load as loading

QUESTIONS = "question,answer,foil\nWhat is the capital of France?,Paris,London\nWhich is colder?,Ice,Steam\n"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, with the two layers that the pages' device map names."""
    folder = tmp_path_factory.mktemp("checkpoint")
    tiny_network("llama", num_hidden_layers=2).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def desk(tmp_path: Path, checkpoint: Path, tiny_llama: lt.LoadedModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, which is where commands run and keep what they keep.

    A tiny model takes the place of every model that is no folder here.
    """
    (tmp_path / "owner").mkdir()
    for name in ("owner/model", "tiny-cohere"):
        (tmp_path / name).symlink_to(checkpoint)
    (tmp_path / "my-questions.csv").write_text(QUESTIONS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_TRACKER_STORE", str(tmp_path / "store.sqlite"))
    load = loading.load

    def tiny(name: str, options: LoadOptions, *more: Any) -> lt.LoadedModel:
        return load(name, options, *more) if Path(name).is_dir() else tiny_llama

    monkeypatch.setattr(loading, "load", tiny)
    return tmp_path
