"""Code that a model brings runs only where it is needed and was allowed, and nothing switches that on by itself."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import HubServer
from hub_steps import NAME, failure
from huggingface_hub import constants
from transformers import dynamic_module_utils

import llm_tracker as lt
from llm_tracker.load_options import NOTHING, Trust
from llm_tracker.models.sources.hub import cached_model
from llm_tracker.models.sources.remote_code import require_trusted

CODE = Trust(remote_code=True)
CONFIGURATION = (
    "from transformers import LlamaConfig\n\n\nclass OwnConfig(LlamaConfig):\n    model_type = 'own-llama'\n"
)
MODELING = """\
from pathlib import Path

from transformers import LlamaForCausalLM

from .configuration_own import OwnConfig

Path({marker!r}).touch()


class OwnForCausalLM(LlamaForCausalLM):
    config_class = OwnConfig
"""
AUTO_MAP = {"AutoConfig": "configuration_own.OwnConfig", "AutoModelForCausalLM": "modeling_own.OwnForCausalLM"}


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """Is there once the model's own code has run."""
    return tmp_path / "it ran"


@pytest.fixture(autouse=True)
def own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """transformers copies code that it runs to a folder of its own, and keeps what it imported from there."""
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "transformers_modules"]:
        del sys.modules[name]


def change(file: Path, **changes: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def give_own_code(directory: Path, marker: Path) -> Path:
    """Make the model in a directory one that transformers does not know, with code that says what it is."""
    (directory / "configuration_own.py").write_text(CONFIGURATION)
    (directory / "modeling_own.py").write_text(MODELING.format(marker=str(marker)))
    change(directory / "config.json", model_type="own-llama", architectures=["OwnForCausalLM"], auto_map=AUTO_MAP)
    return directory


@pytest.fixture
def directory(checkpoint: Path, tmp_path: Path, marker: Path) -> Path:
    return give_own_code(Path(shutil.copytree(checkpoint, tmp_path / "model")), marker)


def test_a_model_with_code_of_its_own_is_refused_before_its_weights_are_downloaded(
    hub: HubServer, marker: Path
) -> None:
    give_own_code(hub.root / NAME, marker)
    said = failure()
    assert said.startswith(f"“{NAME}” needs code of its own (configuration_own.py, modeling_own.py), which is not run")
    assert said.endswith("allow it for this model: trust=Trust(remote_code=True).")
    assert hub.sent_bytes == 0
    assert cached_model(NAME) is None
    assert not marker.exists()


def test_where_it_is_trusted_its_code_is_downloaded_and_run(hub: HubServer, marker: Path) -> None:
    give_own_code(hub.root / NAME, marker)
    model = lt.load_model(NAME, trust=CODE)
    assert type(model.model).__name__ == "OwnForCausalLM"
    assert model.proof.ok
    assert marker.exists()
    assert model.directory is not None
    assert {path.name for path in model.directory.glob("*.py")} == {"configuration_own.py", "modeling_own.py"}


def test_weights_in_the_cache_without_their_code_get_it_once_it_is_trusted(hub: HubServer, marker: Path) -> None:
    give_own_code(hub.root / NAME, marker)
    snapshot = lt.load_model(NAME, trust=CODE).directory
    assert snapshot is not None
    (snapshot / "modeling_own.py").unlink()
    sent = hub.sent_bytes
    assert lt.load_model(NAME, trust=CODE).proof.ok
    assert hub.sent_bytes == sent


def test_trust_lasts_for_one_load_and_does_not_stay_with_the_cache(hub: HubServer, marker: Path) -> None:
    give_own_code(hub.root / NAME, marker)
    lt.load_model(NAME, trust=CODE)
    marker.unlink()
    assert "needs code of its own" in failure()
    assert not marker.exists()


def test_a_directory_with_code_is_refused_and_runs_where_it_is_trusted(directory: Path, marker: Path) -> None:
    assert "needs code of its own" in failure(str(directory))
    assert not marker.exists()
    assert lt.load_model(str(directory), trust=CODE).proof.ok
    assert marker.exists()


@pytest.mark.parametrize("trust", [NOTHING, CODE])
def test_the_code_of_a_model_that_transformers_knows_is_not_run_trusted_or_not(
    trust: Trust, directory: Path, marker: Path
) -> None:
    change(directory / "config.json", model_type="llama")
    model = lt.load_model(str(directory), trust=trust)
    assert type(model.model).__name__ == "LlamaForCausalLM"
    assert not marker.exists()


def test_a_tokenizer_with_code_of_its_own_is_refused_unless_transformers_knows_it(directory: Path) -> None:
    change(directory / "config.json", model_type="llama", auto_map={})
    file = directory / "tokenizer_config.json"
    change(file, auto_map={"AutoTokenizer": ["tokenization_own.OwnTokenizer", None]})
    assert lt.load_model(str(directory)).proof.ok
    change(file, tokenizer_class="OwnTokenizer")
    assert "needs code of its own (tokenization_own.py)" in failure(str(directory))


TOKENIZATION = """\
from pathlib import Path

from transformers import PreTrainedTokenizerFast

Path({marker!r}).touch()


class OwnTokenizer(PreTrainedTokenizerFast):
    pass
"""


@pytest.mark.parametrize("is_known", [True, False])
def test_a_tokenizers_code_runs_only_where_transformers_does_not_know_it_whatever_the_model_needs(
    is_known: bool, directory: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "the tokenizer's ran"
    (directory / "tokenization_own.py").write_text(TOKENIZATION.format(marker=str(marker)))
    auto_map = {"AutoTokenizer": [None, "tokenization_own.OwnTokenizer"]}
    known = {} if is_known else {"tokenizer_class": "OwnTokenizer"}
    change(directory / "tokenizer_config.json", auto_map=auto_map, **known)
    model = lt.load_model(str(directory), trust=CODE)
    assert type(model.model).__name__ == "OwnForCausalLM"
    assert marker.exists() is not is_known


def test_code_of_another_repository_is_never_fetched(directory: Path) -> None:
    change(
        directory / "config.json", auto_map={name: f"other/repo--{reference}" for name, reference in AUTO_MAP.items()}
    )
    assert "needs code of another repository (other/repo--configuration_own.py, " in failure(str(directory), CODE)


def test_a_damaged_config_is_told(hub: HubServer) -> None:
    (hub.root / NAME / "config.json").write_text("{")
    assert "is damaged: it is no JSON" in failure()
    assert hub.sent_bytes == 0
    assert not list(Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*"))


@pytest.mark.parametrize("auto_map", ["x.Y", {"AutoConfig": 3}, {"AutoConfig": [{"a": "b"}]}])
def test_a_map_that_names_no_code_is_told(auto_map: object, directory: Path) -> None:
    change(directory / "config.json", auto_map=auto_map)
    said = failure(str(directory), CODE)
    assert "config.json names no class of code in its auto_map: " in said
    assert said.endswith("Mend it, or get the model's files anew.")


def test_a_damaged_index_is_told_before_what_it_names_is_trusted(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    (directory / "model.safetensors.index.json").write_text("{")
    with pytest.raises(lt.ModelError, match="is damaged: it is no JSON"):
        require_trusted("x", directory, CODE)
