"""The guide for adapter authors, followed to the letter: its code runs, its adapter is proved, its tables are whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

import llm_tracker as lt
from llm_tracker.models.plugins.manager import collect_plugins
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import require_exact

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "writing-an-adapter.md").read_text(encoding="utf-8")
TINY, LOOK, ADAPTER = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an author works: the guide's files, and the tiny model that the first of them writes."""
    folder = tmp_path_factory.mktemp("author")
    (folder / "adapters").mkdir()
    for name, code in (("tiny.py", TINY), ("look.py", LOOK), ("adapters/cohere.py", ADAPTER)):
        (folder / name).write_text(code, encoding="utf-8")
    printed(folder, "tiny.py")
    return folder


def printed(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tiny_model_is_read_without_an_adapter_too(folder: Path) -> None:
    assert lt.check(str(folder / "tiny-cohere"))["adapter"] == "AnyCausalLM"


def test_no_two_norms_of_the_tiny_model_are_alike_so_that_a_mix_up_shows(folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder / "tiny-cohere")
    norms = [weights for name, weights in model.named_parameters() if "norm" in name]
    assert len({tuple(weights.tolist()) for weights in norms}) == len(norms) == 4


def test_looking_at_the_model_shows_its_tree_and_every_class_from_the_layer_outwards(folder: Path) -> None:
    shown = printed(folder, "look.py", "tiny-cohere")
    for line in ("(0-2): 3 x CohereDecoderLayer(", "(input_layernorm): CohereLayerNorm()", "(norm): CohereLayerNorm()"):
        assert line in GUIDE
        assert line in shown
    code = ["class CohereDecoderLayer(", "class CohereModel(", "class CohereForCausalLM("]
    assert sorted(code, key=shown.index) == code
    for line in ("hidden_states = self.norm(hidden_states)", "logits = logits * self.logit_scale"):
        assert line in GUIDE
        assert line in shown


def test_the_guides_adapter_is_collected_and_proved(folder: Path) -> None:
    plugins = collect_plugins(folder / "adapters")
    assert plugins.failures == []
    model = AutoModelForCausalLM.from_pretrained(folder / "tiny-cohere").eval()
    adapter = plugins.adapters["cohere"]
    require_exact(adapter, prove(model, adapter))
    assert adapter.name == "CohereAdapter"


@pytest.mark.parametrize(
    ("line", "failing"),
    [
        ('mlp_norm_path = "input_layernorm"', "has no part “post_attention_layernorm”"),
        (" * model.config.logit_scale", "tail is off by"),
    ],
)
def test_each_line_of_the_guides_adapter_is_needed(folder: Path, tmp_path: Path, line: str, failing: str) -> None:
    shutil.copytree(folder / "adapters", tmp_path / "adapters", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "adapters" / "cohere.py").write_text(ADAPTER.replace(line, ""), encoding="utf-8")
    model = AutoModelForCausalLM.from_pretrained(folder / "tiny-cohere").eval()
    adapter = collect_plugins(tmp_path / "adapters").adapters["cohere"]
    with pytest.raises(lt.ModelError, match=failing):
        require_exact(adapter, prove(model, adapter))


def test_every_check_of_the_proof_is_explained(tiny_llama: lt.LoadedModel) -> None:
    explained = re.findall(
        r"^\| ([a-z ]+) \| .* \| .* \|$", GUIDE.split("## 4.")[1].split("## ")[0], flags=re.MULTILINE
    )
    assert explained[1:] == [check.name for check in tiny_llama.proof.checks]


def test_every_path_of_the_contract_stands_in_the_table_with_its_default() -> None:
    found = re.findall(r"^\| `(\w+_path)` \| `([\w.]+|\"\")` \|", GUIDE, flags=re.MULTILINE)
    rows = {name: default.strip('"') for name, default in found}
    assert rows == {name: getattr(lt.ModelAdapter, name) for name in vars(lt.ModelAdapter) if name.endswith("_path")}
