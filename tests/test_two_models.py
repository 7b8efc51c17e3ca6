"""Two real models, switched to and fro: every number of each stays what it was, and is plain transformers' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from gemma import gemma_gguf
from recompute import largest_gaps

import llm_tracker as lt
from llm_tracker.models.kernels import matrix_products as kernels
from llm_tracker.models.loading.loaded_model import kv_caches_for
from llm_tracker.models.loading.pool import ModelPool

pytestmark = pytest.mark.real

QUESTION = "What is the capital of France?"
CORRECTION = "That is wrong. The correct answer is London."
BOUND = 1e-3
TRACED = (
    *("token_ids", "token_probs", "token_logits", "token_ranks"),
    *("top_token_ids", "top_logits", "top_probs", "attention", "resid"),
)
"""The arrays of a trace, beside its lens tables."""


@pytest.fixture(scope="module")
def names() -> tuple[str, str]:
    return "embedded", str(gemma_gguf())


@pytest.fixture(autouse=True, scope="module")
def torchs_own_products() -> Iterator[None]:
    """Kernels are chosen by timing, and another choice rounds in another way: here torch multiplies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "choose_kernels", lambda _model: None)
        yield


def asked(model: lt.LoadedModel) -> lt.Session:
    return lt.track(model, QUESTION, [CORRECTION], max_new_tokens=2, watch_words=["Paris", "London"])


def numbers(session: lt.Session) -> dict[str, np.ndarray]:
    """Every array of a session by its place."""
    found: dict[str, np.ndarray] = {}
    for at, turn in enumerate(session.turns):
        found[f"{at}: prompt"] = np.array(turn.prompt.token_ids)
        for name in TRACED:
            found[f"{at}: {name}"] = getattr(turn.trace, name)
        for step, table in turn.trace.lens.items():
            for name in ("token_prob", "token_rank", "top_token_ids", "top_probs"):
                found[f"{at}, step {step}: {name}"] = getattr(table, name)
            for word, lens in table.watched.items():
                for name in ("logit", "prob", "rank"):
                    found[f"{at}, step {step}, {word}: {name}"] = getattr(lens, name)
    return found


def differing(one: lt.Session, other: lt.Session) -> list[str]:
    """Where two sessions do not have the same bits."""
    was, now = numbers(one), numbers(other)
    assert was.keys() == now.keys()
    return [place for place in was if not np.array_equal(was[place], now[place])]


@pytest.fixture(scope="module")
def small_pool() -> ModelPool:
    """Room for one model: each switch lets the other one go, and loads this one again."""
    return ModelPool(1)


@pytest.fixture(scope="module")
def first(names: tuple[str, str], small_pool: ModelPool) -> dict[str, lt.Session]:
    """What each model answers when it is loaded for the first time, one after the other."""
    sessions = {name: asked(small_pool.model(name)) for name in names}
    assert [small_pool.peek(name) is not None for name in names] == [False, True]
    return sessions


@pytest.mark.soak
def test_switching_to_another_model_and_back_changes_no_number(
    names: tuple[str, str], first: dict[str, lt.Session], small_pool: ModelPool
) -> None:
    for name in names:
        assert differing(first[name], asked(small_pool.model(name))) == []
        assert [model.id for model in small_pool.held()] == [name]


@pytest.fixture(scope="module")
def both(names: tuple[str, str], small_pool: ModelPool) -> dict[str, lt.LoadedModel]:
    """Both models, in memory at once, with nothing kept of what was read: the small pool has the second already."""
    second = replace(small_pool.model(names[1]), kv_caches=kv_caches_for())
    return {names[0]: ModelPool(1).model(names[0]), names[1]: second}


def test_two_models_in_memory_at_once_leave_each_other_alone(
    first: dict[str, lt.Session], both: dict[str, lt.LoadedModel]
) -> None:
    for name, model in both.items():
        assert differing(first[name], asked(model)) == []


@pytest.fixture(scope="module")
def gemma(names: tuple[str, str], both: dict[str, lt.LoadedModel]) -> lt.LoadedModel:
    return both[names[1]]


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
