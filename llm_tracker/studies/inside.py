"""What a correction does inside the model, question by question: the lens, the path of the named word, its heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from llm_tracker.errors import InputError, ModelError, TrackerError
from llm_tracker.experiments.hand_over import Patching, stream_hand_over
from llm_tracker.experiments.head_patches import heads_of
from llm_tracker.experiments.knock_out import knock_outs
from llm_tracker.experiments.minimal_pairs import named_pair, read_pair, verdict_pair
from llm_tracker.experiments.probe import probe_of
from llm_tracker.experiments.scored_conditions import lens_curves
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.conditions import WORDINGS, Condition
from llm_tracker.experiments.values.findings import (
    ExactCheck,
    HandOver,
    Heads,
    LensCurve,
    Pair,
    Unavailable,
    WordEffect,
)
from llm_tracker.progress import ended
from llm_tracker.prompts.words import fold, word_spans
from llm_tracker.studies.asking import First
from llm_tracker.studies.values.conditions import named_word
from llm_tracker.studies.values.rows import Record, TableName

Stop = Callable[[], bool]
Part = TypeVar("Part")

LONGEST = 80
"""Characters of a word, or of a segment, that are written down: a segment may be all of the worked examples."""

N_HEADS = 8
"""Heads of each question that are written down, the largest shares first, and as many by chance."""


def inside_rows(first: First, stop: Stop = lambda: False) -> dict[TableName, list[Record]]:
    """The rows of one question. What it does not have has a row that says why (`why_not`)."""
    case = _case(first)
    rows: dict[TableName, list[Record]] = {name: [] for name in ("lens", "paths", "verdict_paths", "heads", "words")}
    rows["left_out"] = []
    for part, tables in _PARTS.items():
        try:
            for name, row in part(first, case, stop):
                rows[name].append(row)
        except (InputError, ModelError) as error:
            _leave_out(rows, next((name for name in tables if not rows[name]), tables[-1]), error)
    own = {"question_id": first.question.id, "held_out": first.question.held_out}
    return {name: [own | row for row in several] for name, several in rows.items()}


def _leave_out(rows: dict[TableName, list[Record]], name: TableName, error: TrackerError) -> None:
    """Say why a question has no rows in a table."""
    is_failed_check = isinstance(error, _CheckFailed)
    rows[name] = [{"why_not": str(error)}] if name in _TRACES else []
    if is_failed_check or name not in _TRACES:
        rows["left_out"].append({"part": name, "why_not": str(error), "is_failed_check": is_failed_check})


class _CheckFailed(ModelError):
    """An exact check did not hold: no number of that part is written down."""


def _case(first: First) -> Case:
    question = first.question
    text = WORDINGS["wrong_alternative"][0].format(named=named_word(question, first.grade))
    answer = first.setting.first_answer
    return Case(question.question, question.answer, question.foil, text, answer, question.aliases)


Rows = Iterator[tuple[TableName, Record]]


def _named_rows(first: First, case: Case, stop: Stop) -> Rows:
    """The path of the named word, and the heads that carry it."""
    patching = _patching(first, case, named_pair(case), stop)
    path = _sound(ended(stream_hand_over(patching)))
    yield from (("paths", row) for row in _path_rows(path))
    heads = _sound(heads_of(first.setting.model, patching, stop=stop))
    yield from (("heads", row) for row in _head_rows(heads, path.n_layers))


def _verdict_rows(first: First, case: Case, stop: Stop) -> Rows:
    """The path of the bare verdict."""
    path = _sound(ended(stream_hand_over(_patching(first, case, verdict_pair(), stop))))
    yield from (("verdict_paths", row) for row in _path_rows(path))


def _patching(first: First, case: Case, pair: Pair, stop: Stop) -> Patching:
    """A pair that can be traced. Raises InputError for one that does not line up, or has no effect."""
    patching = Patching(first.setting.model, read_pair(first.setting, case, pair), stop)
    if (too_small := patching.too_small()) is not None:
        raise InputError(too_small.why_not)
    return patching


def _lens_rows(first: First, case: Case, stop: Stop) -> Rows:
    """The logit lens at the answer slot under several conditions."""
    asked = [
        Condition("baseline", ""),
        Condition("asked_again", WORDINGS["asked_again"][0]),
        Condition("right", WORDINGS["right"][0]),
        Condition("wrong", WORDINGS["wrong"][0]),
        Condition("wrong_alternative", case.correction),
    ]
    for curve in lens_curves(first.setting, case, asked, stop):
        yield from (("lens", row) for row in _curve_rows(curve))


def _word_rows(first: First, case: Case, stop: Stop) -> Rows:
    """What is looked at, and what does it, word by word of the conversation."""
    prompt = first.setting.prompt(case.correction)
    found = _sound(knock_outs(first.setting.model, prompt, probe_of(first.setting.model, prompt, case), None, stop))
    named = _named_places(found.words, case.correction, named_word(first.question, first.grade))
    for word in found.words:
        yield (
            "words",
            {
                "place": word.tokens[0],
                "text": word.text[:LONGEST],
                "role": word.role,
                "is_named": not word.is_segment and word.tokens[0] in named,
                "is_segment": word.is_segment,
                "share": word.share,
                "delta": word.delta,
                "out_of_distribution": word.out_of_distribution,
            },
        )


def _named_places(words: Sequence[WordEffect], correction: str, name: str) -> set[int]:
    """First tokens of the words by which a correction, the last that the user said, names a word."""
    said = [word for word in words if word.role == "user" and not word.is_segment][-len(word_spans(correction)) :]
    texts, wanted = [fold(word.text) for word in said], [fold(name[start:end]) for start, end in word_spans(name)]
    places: set[int] = set()
    for at in range(len(said) - len(wanted) + 1):
        if texts[at : at + len(wanted)] == wanted:
            places |= {word.tokens[0] for word in said[at : at + len(wanted)]}
    return places


def _sound(found: Unavailable | tuple[Part, tuple[ExactCheck, ...]]) -> Part:
    """A part that has passed its checks. Raises ModelError for one that has not, or cannot be had."""
    if isinstance(found, Unavailable):
        raise ModelError(found.why_not)
    part, checks = found
    if failed := next((check for check in checks if not check.ok), None):
        raise _CheckFailed(f"{failed.name}: off by {failed.gap:.2g}, allowed {failed.bound:g}.")
    return part


def _curve_rows(curve: LensCurve) -> Iterator[Record]:
    for at, (lead, kl, jsd) in enumerate(zip(curve.lead, curve.kl_nats, curve.jsd_from_asked_again, strict=True), 1):
        yield {
            "condition": curve.condition.name,
            "layer": at,
            "n_layers": len(curve.lead),
            "lead": lead,
            "kl_nats": kl,
            "jsd_from_asked_again": jsd,
        }


def _path_rows(path: HandOver) -> Iterator[Record]:
    for depth in range(path.n_layers + 1):
        yield {
            "source_word": path.pair.source_word,
            "target_word": path.pair.target_word,
            "effect_nats": path.effect,
            "depth": depth,
            "n_layers": path.n_layers,
            "named_word": path.named_word[depth],
            "between": path.between[depth],
            "answer_slot": path.answer_slot[depth],
        }


def _head_rows(heads: Heads, n_layers: int) -> Iterator[Record]:
    for several, is_random in ((heads.shares[:N_HEADS], False), (heads.random[:N_HEADS], True)):
        for rank, each in enumerate(several, 1):
            yield {
                "rank": rank,
                "layer": each.layer,
                "head": each.head,
                "n_layers": n_layers,
                "share": each.share,
                "attention_to_named_word": each.attention_to_word,
                "is_random": is_random,
            }


_PARTS: Mapping[Callable[[First, Case, Stop], Rows], tuple[TableName, ...]] = {
    _named_rows: ("paths", "heads"),
    _verdict_rows: ("verdict_paths",),
    _lens_rows: ("lens",),
    _word_rows: ("words",),
}
"""What is looked for in each question, and the tables that it fills, one after another."""

_TRACES: tuple[TableName, ...] = ("paths", "verdict_paths")
"""Tables that say themselves why a question could not be traced: that is so of many, and no fault of the model."""
