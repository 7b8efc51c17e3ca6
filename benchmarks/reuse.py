"""Time to the first token with what was read before, over the same from the beginning."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

import llm_tracker as lt
from benchmarks.overhead import Figures
from benchmarks.pairs import summary
from benchmarks.prompts import CORRECTION, questions
from llm_tracker.progress import ended
from llm_tracker.tracing.session import Decoding

if TYPE_CHECKING:
    from llm_tracker import LoadedModel, Session

FIRST = "What is the opposite of hot?"
DECODING = Decoding(max_new_tokens=4)


def reuse(model: LoadedModel, n: int) -> Figures:
    """A new question behind the kept recipe, and a correction behind its kept conversation; the one-word recipe."""
    firsts, corrections = list[float](), list[float]()
    for at, question in enumerate(islice(questions(), n + 1)):
        session = _begun(model)
        with_recipe, without = _pair(model, session, question, lambda: _ask(model, _begun(model), FIRST), at % 2 == 0)
        model.kv_caches.clear()
        asked = _ask(model, session, question)
        with_turn, from_scratch = _pair(
            model, asked, CORRECTION, lambda question=question: _ask(model, _begun(model), question), at % 2 == 0
        )
        if at:  # the first is the warm-up
            firsts.append(with_recipe / without)
            corrections.append(with_turn / from_scratch)
    yield "first_token", summary(firsts)
    yield "correction_reuse", summary(corrections)


def _pair(
    model: LoadedModel, session: Session, text: str, warm: Callable[[], object], warm_first: bool
) -> tuple[float, float]:
    """Seconds to the first token of a text, with what `warm` reads kept, and with nothing."""
    found = {}
    for is_warm in (warm_first, not warm_first):
        model.kv_caches.clear()
        if is_warm:
            warm()
        turn = lt.stream_turn(model, session, text)
        begun = time.perf_counter()
        next(turn)
        found[is_warm] = time.perf_counter() - begun
        turn.close()
    return found[True], found[False]


def _begun(model: LoadedModel) -> Session:
    return lt.begin_session(model, "one-word", DECODING)


def _ask(model: LoadedModel, session: Session, question: str) -> Session:
    return ended(lt.stream_turn(model, session, question))
