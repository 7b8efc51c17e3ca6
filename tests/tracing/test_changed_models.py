"""A model that is no longer what it was when it was proved, or when it answered, is told so: never read wrongly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import loaded, tiny_model, tiny_network

import llm_tracker as lt
from llm_tracker.models.proof import prove as proof
from llm_tracker.progress import ended

IDS = tuple(range(5, 20))


def other_weights(session: lt.Session) -> lt.Session:
    return replace(session, model=replace(session.model, weights_sha256="0" * 64))


def test_attention_that_somebody_switched_is_refused_and_not_drawn_as_zeros() -> None:
    model = loaded(tiny_network("llama"))
    model.model.set_attn_implementation("eager")
    with pytest.raises(lt.ModelError, match="0 of 3 layers gave their attention pattern"):
        lt.track(model, IDS, recipe="raw", max_new_tokens=2)


def writes_over_its_input(layer: Any) -> None:
    """What a layer reads is gone once it is done, as in code that adds in place."""
    forward = layer.forward

    def then_write(hidden_states: torch.Tensor, **others: Any) -> Any:
        given = forward(hidden_states, **others)
        hidden_states.zero_()
        return given

    layer.forward = then_write


def test_code_that_writes_over_what_a_layer_gave_is_seen_and_changes_nothing() -> None:
    plain = loaded(tiny_network("llama"))
    expected = lt.track(plain, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    network = tiny_network("llama")
    writes_over_its_input(network.model.layers[1])
    model = loaded(network)
    trace = lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    np.testing.assert_array_equal(trace.resid, expected.resid)
    assert np.abs(trace.resid).min(-1).max() > 0


def test_code_that_writes_over_it_since_the_model_was_proved_changes_nothing_either() -> None:
    model = loaded(tiny_network("llama"))
    expected = lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    model.kv_caches.clear()
    writes_over_its_input(model.layers[1])
    trace = lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    np.testing.assert_array_equal(trace.resid, expected.resid)


def test_a_hook_that_writes_over_what_a_layer_gave_changes_nothing_of_what_was_seen_before_it() -> None:
    model = loaded(tiny_network("llama"))

    def seen() -> np.ndarray[Any, Any]:
        return lt.track(model, IDS[:1], recipe="raw", max_new_tokens=1).turns[0].trace.resid[0]

    expected = seen()
    norm = model.layers[2].input_layernorm
    hook = norm.register_forward_pre_hook(lambda _norm, args: (args[0].clone(), args[0].zero_())[:1])
    resid = seen()
    hook.remove()
    np.testing.assert_array_equal(resid[:3], expected[:3])
    assert np.abs(resid[3] - expected[3]).max() > 0.1, "the last layer adds to what was written over"


def test_code_of_a_class_or_of_all_modules_that_writes_over_it_changes_nothing_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = loaded(tiny_network("llama"))
    expected = lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    second, layer_class = model.layers[1], type(model.layers[1])

    def write(module: Any, args: tuple[torch.Tensor], _output: Any) -> None:
        if module is second:
            args[0].zero_()

    hook = torch.nn.modules.module.register_module_forward_hook(write)
    model.kv_caches.clear()
    by_hook = lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    hook.remove()
    own = layer_class.forward

    def then_write(layer: Any, hidden_states: torch.Tensor, *others: Any, **more: Any) -> Any:
        given = own(layer, hidden_states, *others, **more)
        hidden_states.zero_()
        return given

    monkeypatch.setattr(layer_class, "forward", then_write)
    model.kv_caches.clear()
    by_class = lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    np.testing.assert_array_equal(by_hook.resid, expected.resid)
    np.testing.assert_array_equal(by_class.resid, expected.resid)


def test_a_layer_that_somebody_skips_is_refused() -> None:
    model = loaded(tiny_network("llama"))
    model.layers[1].forward = lambda hidden_states, **_: hidden_states
    with pytest.raises(lt.ModelError, match="2 of 3 layers gave their attention pattern"):
        lt.track(model, IDS, recipe="raw", max_new_tokens=2)


@pytest.mark.parametrize(
    "read",
    [
        lambda model, session: ended(lt.stream_turn(model, session, "No.")),
        lambda model, session: ended(lt.stream_control(model, session, 1)),
        lambda model, session: lt.with_step_lens(model, session, 0, 1),
        lambda model, session: lt.with_watch_word(model, session, "London"),
        lt.with_all_lenses,
    ],
)
def test_an_answer_is_not_read_with_other_weights_than_gave_it(read: Callable[[Any, Any], Any]) -> None:
    model = tiny_model("llama")
    session = lt.track(model, "What?", ["No."], max_new_tokens=3)
    read(model, session)
    with pytest.raises(lt.InputError, match="given by other weights"):
        read(model, other_weights(session))


def test_a_model_is_not_proved_while_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded(tiny_network("llama"))
    expected = lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace
    begun = threading.Event()
    real = proof.eager_run

    def announced(*args: Any) -> Any:
        begun.set()
        return real(*args)

    monkeypatch.setattr(proof, "eager_run", announced)
    with model.running:
        checking = threading.Thread(target=lt.check, args=(model,))
        checking.start()
        assert not begun.wait(0.3)
    checking.join()
    assert begun.is_set()
    assert (lt.track(model, IDS, recipe="raw", max_new_tokens=4).turns[0].trace.attention == expected.attention).all()


def test_a_check_that_is_interrupted_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    model = loaded(tiny_network("llama"))
    monkeypatch.setattr(proof, "live_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lt.check(model)
    assert lt.track(model, IDS, recipe="raw", max_new_tokens=2).turns[0].trace.attention.max() > 0
