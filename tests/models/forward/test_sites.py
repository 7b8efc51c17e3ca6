"""What is read or replaced in a forward pass is where its name says, in every family: computed another way here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import FAMILIES, loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models.forward.attention_rows import put_on_attention
from llm_tracker.models.forward.forward_pass import forward
from llm_tracker.models.forward.hooks import put_on
from llm_tracker.models.forward.pattern_edits import edited_patterns
from llm_tracker.models.forward.sites import SITE_NAMES, SiteName, output_of, read_hooks, replace_hooks
from llm_tracker.models.forward.way import ASKED
from llm_tracker.models.proof.prove import prove
from sweep import trial

IDS = torch.tensor([[7, 30, 12, 99, 41, 250, 18, 3]])
OTHER = torch.tensor([[7, 30, 12, 100, 41, 250, 18, 3]])
ROWS: tuple[SiteName, ...] = tuple(name for name in SITE_NAMES if name != "pattern")


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest) -> Iterator[lt.LoadedModel]:
    """A model of each family on eager attention, where patterns can be compared with."""
    model = tiny_model(request.param)
    put_on_attention(model.model, ASKED)
    with torch.inference_mode():
        yield model


def rows_at(model: lt.LoadedModel, name: SiteName, ids: torch.Tensor = IDS) -> list[torch.Tensor]:
    """A site's rows, (layer) of (position, width)."""
    seen: list[torch.Tensor] = []
    with put_on(read_hooks(model.sites.at(name), lambda _layer, rows: seen.append(rows[0].clone()))):
        forward(model.model, ids)
    return seen


def logits(model: lt.LoadedModel, ids: torch.Tensor = IDS) -> torch.Tensor:
    found: torch.Tensor = forward(model.model, ids, last_only=False).logits[0]
    return found


def test_every_family_has_every_site_that_its_layers_have(model: lt.LoadedModel) -> None:
    lacking = {"resid_mid"} if model.config.model_type == "gpt_neox" else set()  # both parts read what enters the layer
    assert model.sites.missing.keys() == lacking
    assert all(check.ok for check in model.proof.sites)
    assert {check.name for check in model.proof.sites} >= set(ROWS) - lacking
    assert {f"{name}, replaced" for name in set(ROWS) - lacking} <= {check.name for check in model.proof.sites}


def test_what_leaves_a_layer_enters_the_next_and_is_what_transformers_hands_out(model: lt.LoadedModel) -> None:
    entering, leaving = rows_at(model, "resid_pre"), rows_at(model, "resid_post")
    handed_out = model.model(IDS, output_hidden_states=True).hidden_states
    for layer in range(len(leaving) - 1):  # the last one is handed out behind the final norm
        torch.testing.assert_close(leaving[layer], handed_out[layer + 1][0], rtol=0, atol=0)
        torch.testing.assert_close(leaving[layer], entering[layer + 1], rtol=0, atol=0)


def test_the_stream_is_what_entered_and_what_the_parts_add(model: lt.LoadedModel) -> None:
    entering, leaving = rows_at(model, "resid_pre"), rows_at(model, "resid_post")
    attended, fed = rows_at(model, "attn_out"), rows_at(model, "mlp_out")
    for before, one, other, after in zip(entering, attended, fed, leaving, strict=True):
        torch.testing.assert_close(before + one + other, after, rtol=1e-5, atol=1e-5)


def test_between_the_parts_the_stream_has_what_attention_added(model: lt.LoadedModel) -> None:
    if "resid_mid" in model.sites.missing:
        with pytest.raises(lt.ModelError, match="“resid_mid” cannot be read or replaced"):
            model.sites.at("resid_mid")
        return
    for before, added, mid in zip(
        *(rows_at(model, name) for name in ("resid_pre", "attn_out", "resid_mid")), strict=True
    ):
        torch.testing.assert_close(before + added, mid, rtol=1e-5, atol=1e-5)


def test_z_is_the_values_weighed_by_transformers_own_patterns(model: lt.LoadedModel) -> None:
    patterns = model.model(IDS, output_attentions=True).attentions
    for pattern, v, z in zip(patterns, rows_at(model, "v"), rows_at(model, "z"), strict=True):
        n_heads, length = pattern.shape[1:3]
        d_head = z.shape[-1] // n_heads
        values = v.view(length, -1, d_head)
        for head in range(n_heads):
            own = values[:, head // (n_heads // values.shape[1])]
            expected = pattern[0, head] @ own
            torch.testing.assert_close(z[:, head * d_head : (head + 1) * d_head], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_a_site_put_in_its_own_place_changes_nothing_and_another_value_does(
    model: lt.LoadedModel, name: SiteName
) -> None:
    if name in model.sites.missing:
        return
    plain = logits(model)
    with put_on(replace_hooks(model.sites.to_replace(name), lambda _layer, rows: rows.clone())):
        torch.testing.assert_close(logits(model), plain, rtol=0, atol=1e-5)
    with put_on(replace_hooks(model.sites.to_replace(name), lambda _layer, rows: rows.roll(1, -1))):
        assert (logits(model) - plain).abs().max() > 1e-2


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_stream_of_another_text_gives_that_texts_prediction(model: lt.LoadedModel, layer: int) -> None:
    """Patching all positions at any layer is the other run from there on (science.md, section 4, number 8)."""
    other, expected = rows_at(model, "resid_post", OTHER)[layer], logits(model, OTHER)

    def patched(at: int, _rows: torch.Tensor) -> torch.Tensor | None:
        return other[None] if at == layer else None

    with put_on(replace_hooks(model.sites.to_replace("resid_post"), patched)):
        torch.testing.assert_close(logits(model), expected, rtol=0, atol=1e-6)


def test_what_adds_to_the_stream_can_be_taken_away_whole() -> None:
    """Without what attention adds, resid_mid is resid_pre."""
    model = tiny_model("granite")  # scales what it adds
    with (
        torch.inference_mode(),
        put_on(replace_hooks(model.sites.to_replace("attn_out"), lambda _layer, rows: rows * 0)),
    ):
        for before, mid in zip(rows_at(model, "resid_pre"), rows_at(model, "resid_mid"), strict=True):
            torch.testing.assert_close(mid, before, rtol=0, atol=0)


def hiding(key: int) -> Any:
    """An edit that hides a position from the last query, its share going to the others in proportion."""

    def edit(_layer: int, pattern: torch.Tensor) -> torch.Tensor:
        edited = pattern.clone()
        edited[..., -1, key] = 0
        edited[..., -1, :] /= edited[..., -1, :].sum(-1, keepdim=True)
        return edited

    return edit


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen3", "granite", "mistral"])
def test_an_edited_pattern_is_a_mask_where_that_can_say_the_same(family: str) -> None:
    """Hiding a word from the last position equals transformers' own 4D mask in every layer."""
    model, hidden = loaded(tiny_network(family)), 4
    length = IDS.shape[1]
    mask = torch.zeros(1, 1, length, length).masked_fill(torch.ones(length, length).triu(1).bool(), -torch.inf)
    if family == "mistral":  # looks back over six tokens
        mask = mask.masked_fill(torch.ones(length, length).tril(-6).bool(), -torch.inf)
    mask[..., -1, hidden] = -torch.inf
    with torch.inference_mode():
        with edited_patterns(model.attentions, hiding(hidden)):
            found = logits(model)
        plain = logits(model)
        put_on_attention(model.model, ASKED)
        expected = model.model(IDS, attention_mask=mask, position_ids=torch.arange(length)[None]).logits[0]
    torch.testing.assert_close(found[-1], expected[-1], rtol=0, atol=1e-4)
    assert (found[-1] - plain[-1]).abs().max() > 1e-3


def test_an_edit_ends_with_its_context() -> None:
    model = loaded(tiny_network("llama"))
    with torch.inference_mode():
        plain = logits(model)
        with pytest.raises(ZeroDivisionError), edited_patterns(model.attentions, lambda _layer, _pattern: 1 / 0):  # type: ignore[arg-type, return-value]
            logits(model)
        torch.testing.assert_close(logits(model), plain, rtol=0, atol=0)


def test_a_pattern_is_no_modules_rows_and_cannot_be_replaced_in_eager_code() -> None:
    llama, gemma = tiny_model("llama"), tiny_model("gemma2")
    with pytest.raises(ValueError, match="edited_patterns"):
        list(read_hooks(llama.sites.at("pattern"), lambda _layer, _rows: None))
    assert llama.sites.read_only == frozenset()
    assert gemma.sites.read_only == {"pattern"}
    assert gemma.sites.at("pattern")
    with pytest.raises(lt.ModelError, match="“pattern” can be read in this model, and not replaced"):
        gemma.sites.to_replace("pattern")


@pytest.mark.parametrize(("family", "v"), [("falcon", "query_key_value"), ("phi", "v_proj")])
def test_values_are_found_by_probing_where_no_table_names_them(family: str, v: str) -> None:
    model = trial.loaded(trial.tiny_network(family))
    assert {"v", "z", "attn_out", "mlp_out"}.isdisjoint(model.sites.missing), model.sites.missing
    location = model.sites.at("v")[0]
    assert location is not None
    assert location.module is model.attentions[0].get_submodule(v)  # type: ignore[union-attr]


def test_what_a_family_without_attention_lacks_is_said() -> None:
    model = trial.loaded(trial.tiny_network("mamba"))
    assert model.sites.missing["pattern"] == "no layer has an attention pattern."
    assert {"resid_pre", "resid_post"}.isdisjoint(model.sites.missing)


def test_a_site_that_cannot_be_put_in_its_own_place_can_be_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody had kept a sum of what came in, beside the rows."""
    network = tiny_network("llama")
    layer, forward_of = network.model.layers[1], network.model.layers[1].forward

    def kept(hidden_states: torch.Tensor, **others: Any) -> Any:
        given = forward_of(hidden_states, **others)
        return given * 1.01 if hidden_states is not layer.entered else given

    entered = network.model.layers[0].register_forward_hook(lambda _m, _a, out: setattr(layer, "entered", out))
    monkeypatch.setattr(layer, "forward", kept)
    sites = prove(network, lt.ModelAdapter()).sites
    entered.remove()
    assert "resid_pre" in sites.read_only
    assert sites.at("resid_pre")


def test_a_path_of_a_table_that_leads_nowhere_costs_that_site_and_not_the_model() -> None:
    class Misspelt(lt.ModelAdapter):
        v_path = "value"

    examination = prove(tiny_network("llama"), Misspelt())
    assert examination.proof.ok
    assert "has no part “value”" in examination.sites.missing["v"]


def test_a_table_that_names_the_wrong_projection_loses_that_site() -> None:
    class Swapped(lt.ModelAdapter):
        v_path = "k_proj"

    examination = prove(tiny_network("llama"), Swapped())
    assert examination.proof.ok
    assert examination.sites.missing["v"].startswith("the pattern does not weigh")


def test_reading_all_rows_of_a_module_that_gives_several_takes_the_first(tiny_llama: lt.LoadedModel) -> None:
    seen: list[torch.Tensor] = []
    with (
        torch.inference_mode(),
        put_on(read_hooks([output_of(tiny_llama.layers[0].self_attn)], lambda _l, rows: seen.append(rows))),
    ):  # type: ignore[arg-type]
        forward(tiny_llama.model, IDS)
    assert seen[0].shape == (1, IDS.shape[1], 32)


def test_what_was_read_while_something_was_replaced_serves_no_later_answer() -> None:
    """Nor does what was read before serve an answer while something is replaced."""
    model, question = tiny_model("llama"), "What is the capital of France, and what is it not?"
    plain = lt.track(model, question)
    with put_on(replace_hooks(model.sites.to_replace("resid_pre"), lambda _layer, rows: rows.roll(1, -1))):
        replaced = lt.track(model, question)
        again = lt.track(model, question)
    np.testing.assert_allclose(again.turns[0].trace.resid, replaced.turns[0].trace.resid, atol=1e-4)
    assert np.abs(replaced.turns[0].trace.resid[0] - plain.turns[0].trace.resid[0]).max() > 0.1
    afterwards = lt.track(model, question)
    np.testing.assert_allclose(afterwards.turns[0].trace.resid, plain.turns[0].trace.resid, atol=1e-4)


def test_an_answer_under_an_edit_is_traced_with_the_edited_patterns() -> None:
    model, hidden = tiny_model("llama"), 3

    def edit(_layer: int, pattern: torch.Tensor) -> torch.Tensor:
        edited = pattern.clone()
        edited[..., hidden] = 0
        return edited

    plain = lt.track(model, "What is it?").turns[0].trace
    with edited_patterns(model.attentions, edit):
        traced = lt.track(model, "What is it?").turns[0].trace
    assert all((layer[:, hidden] == 0).all() for layer in traced.attention[0])
    assert any((layer[:, hidden] > 0).any() for layer in plain.attention[0])
