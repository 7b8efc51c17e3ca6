"""Two real models, switched to and fro: every number of each stays what it was, and is plain transformers' own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from gemma import gemma_gguf
from recompute import largest_gaps

import llm_tracker as lt
from llm_tracker.models import kernels
from llm_tracker.models.pool import ModelPool

pytestmark = pytest.mark.real

QUESTION = "What is the capital of France?"
CORRECTION = "That is wrong. The correct answer is London."
BOUND = 1e-3


@pytest.fixture(scope="module")
def names() -> tuple[str, str]:
    return "embedded", str(gemma_gguf())


@pytest.fixture
def torchs_own_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are chosen by timing, and another choice rounds in another way: here torch multiplies."""
    monkeypatch.setattr(kernels, "choose_kernels", lambda _model: None)


def asked(model: lt.LoadedModel) -> lt.Session:
    return lt.track(model, QUESTION, [CORRECTION], max_new_tokens=4, watch_words=["Paris", "London"], control=True)


def numbers(session: lt.Session) -> Iterator[tuple[str, np.ndarray]]:
    """Every array of a session with its place."""
    turns = {f"turn {at}": turn for at, turn in enumerate(session.turns)}
    turns |= {f"control {at}": turn for at, turn in session.controls.items()}
    for place, turn in turns.items():
        trace = turn.trace
        yield f"{place}: prompt", np.array(turn.prompt.token_ids)
        for name in ("token_ids", "token_probs", "token_logits", "token_ranks", "top_token_ids", "top_logits"):
            yield f"{place}: {name}", getattr(trace, name)
        for name in ("top_probs", "attention", "resid"):
            yield f"{place}: {name}", getattr(trace, name)
        for step, table in trace.lens.items():
            for name in ("token_prob", "token_rank", "top_token_ids", "top_probs"):
                yield f"{place}, step {step}: {name}", getattr(table, name)
            for word, lens in table.watched.items():
                for name in ("logit", "prob", "rank"):
                    yield f"{place}, step {step}, {word}: {name}", getattr(lens, name)


def test_switching_to_another_model_and_back_changes_no_number(
    names: tuple[str, str], torchs_own_products: None
) -> None:
    """The pool has room for one of the two: each switch lets the other one go, and loads this one again."""
    pool = ModelPool(1)
    first = {name: asked(pool.model(name)) for name in names}
    assert [pool.peek(name) is not None for name in names] == [False, True]
    again = {name: asked(pool.model(name)) for name in names}
    for name in names:
        was, now = dict(numbers(first[name])), dict(numbers(again[name]))
        assert was.keys() == now.keys()
        assert [place for place in was if not np.array_equal(was[place], now[place])] == []


def test_two_models_in_memory_at_once_leave_each_other_alone(names: tuple[str, str], torchs_own_products: None) -> None:
    pool, alone = ModelPool(10**12), ModelPool(1)
    together = {name: pool.model(name) for name in names}
    assert len(pool.held()) == 2
    for name in names:
        was, now = dict(numbers(asked(alone.model(name)))), dict(numbers(asked(together[name])))
        assert [place for place in was if not np.array_equal(was[place], now[place])] == []


@pytest.fixture(scope="module")
def gemma(names: tuple[str, str]) -> lt.LoadedModel:
    return lt.load_model(names[1])


def test_gemma_is_read_exactly(gemma: lt.LoadedModel) -> None:
    session = asked(gemma)
    assert {name: gap for name, gap in largest_gaps(gemma, session).items() if gap > BOUND} == {}


def test_gemma_answers_in_question_and_answer_form(gemma: lt.LoadedModel) -> None:
    """It is a base model without a chat template."""
    session = asked(gemma)
    first = session.turns[0]
    assert first.prompt.text.endswith(f"Q: {QUESTION}\nA:")
    assert first.prompt.token_ids[0] == gemma.tokenizer.bos_token_id
    assert first.answer == "Paris"
    assert first.trace.tokens[0] == " Paris"


def test_gemmas_figures_are_those_that_were_measured_elsewhere(gemma: lt.LoadedModel) -> None:
    text = "Q: What is the capital of Spain?\nA: Madrid\nQ: What is the capital of France?\nA:"
    trace = lt.track(gemma, text, recipe="raw", max_new_tokens=1, watch_words=["Paris"]).turns[0].trace
    assert (trace.n_layers, trace.n_heads) == (18, 4)
    assert trace.tokens[0] == " Paris"
    assert trace.token_probs[0] == pytest.approx(0.853, abs=0.005)
    ranks = trace.lens[0].watched["Paris"].rank
    assert ranks[11] > 1
    assert (ranks[12:] == 1).all(), "from layer 13 of 18 on"


@pytest.mark.parametrize("text", ["Year 2024 costs 12,345", "  two  spaces  ", "tabs\tand\n\nlines", "Zürich 東京 🍎"])
def test_gemmas_tokenizer_gives_the_text_back(gemma: lt.LoadedModel, text: str) -> None:
    ids = gemma.tokenizer.encode(text, add_special_tokens=False)
    assert gemma.tokenizer.decode(ids) == text
    spans = lt.track(gemma, text, recipe="raw", max_new_tokens=1).turns[0].prompt.spans
    assert spans[-1][1] == len(text)
