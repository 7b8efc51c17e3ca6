"""What is pasted from a browser, or leads to a file of a model, means its model."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_tracker.models.loading.resolve import find_entry
from llm_tracker.models.loading.typed_names import meant_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  owner/model ", "owner/model"),
        ("owner/model/", "owner/model"),
        ("https://hub.example.co/owner/model", "owner/model"),
        ("https://hub.example.co/owner/model/", "owner/model"),
        ("https://hub.example.co/owner/model/tree/main", "owner/model"),
        ("https://hub.example.co/owner/model/tree/v1.0", "owner/model@v1.0"),
        ("https://hub.example.co/owner/model/blob/main/config.json?download=true", "owner/model"),
        ("hub.example.co/owner/Model-1.5B", "owner/Model-1.5B"),
        ("owner/model/tree/main", "owner/model"),
        ("owner/model@v1.0", "owner/model@v1.0"),
        ("owner/model.v2", "owner/model.v2"),
        ("embedded", "embedded"),
        ("", ""),
        ("no model at all", "no model at all"),
        ("https://hub.example.co/datasets/owner/data", "https://hub.example.co/datasets/owner/data"),
    ],
)
def test_an_address_means_its_model(typed: str, name: str) -> None:
    assert meant_name(typed) == name


def test_a_file_of_a_model_means_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "weights.gguf"):
        (folder / name).touch()
    assert meant_name(str(folder / "config.json")) == meant_name(f" {folder / 'model.safetensors'} ") == str(folder)
    assert meant_name(f"file://{str(folder).replace(' ', '%20')}") == str(folder)
    assert meant_name(str(folder / "weights.gguf")) == str(folder / "weights.gguf")
    monkeypatch.setenv("HOME", str(tmp_path))
    entry = find_entry("~/my model/config.json")
    assert (entry.source, entry.location) == ("directory", str(folder.resolve()))
    assert find_entry("https://hub.example.co/owner/model/tree/v1").revision == "v1"
