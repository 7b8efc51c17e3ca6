"""Which quantities of an experiment hold for a family: tried on its small network, and held against plain passes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeVar, get_args

import torch
from torch import Tensor

import llm_tracker as lt
from llm_tracker.errors import one_line
from llm_tracker.experiments.attribution import attribution
from llm_tracker.experiments.frozen_route import frozen_route
from llm_tracker.experiments.hand_over import Patching, stream_hand_over
from llm_tracker.experiments.head_patches import heads_of
from llm_tracker.experiments.knock_out import knock_outs
from llm_tracker.experiments.minimal_pairs import ReadPair
from llm_tracker.experiments.passes.forced_choice import score_batch
from llm_tracker.experiments.passes.rows import Row, begin, common_beginning, read_rows
from llm_tracker.experiments.probe import Probe
from llm_tracker.experiments.values.findings import ExactCheck, Pair, Unavailable
from llm_tracker.models.proof.checks import largest
from llm_tracker.progress import ended
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.words import Role
from llm_tracker.tracing.word_scoring import end_token_ids_of
from sweep.plain_passes import PlainPasses
from sweep.tiny_configs import VOCAB_SIZE

Quantity = Literal["scores in batches", "patching", "knock-out", "head patches", "attribution", "frozen routes"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)

BOUND = 1e-4
"""Largest gap to the plain pass, in standard deviations of its logits."""

TARGET = tuple(int(each) for each in torch.randint(5, VOCAB_SIZE, (22,), generator=torch.Generator().manual_seed(2)))
NAMED = (16, 18)
"""The positions at which the source has other tokens; those in front are as many as a cache is kept for."""
SOURCE = (*TARGET[: NAMED[0]], 11, 7, *TARGET[NAMED[1] :])

UNLIKE = tuple(TARGET[:length] + TARGET[1:3] for length in (17, 20, 13))
"""Texts of unlike length."""
WORDS: tuple[frozenset[tuple[int, ...]], ...] = (frozenset({(9,), (21, 33)}), frozenset({(21, 34, 8)}))
"""Two words, each in its spellings."""


@dataclass(frozen=True)
class Tried:
    """What came of one quantity: how far it is from plain transformers, or why the view would not show it."""

    gap: float = 0.0
    why_not: str = ""
    crash: str = ""
    """What was raised that is no refusal."""

    @property
    def holds(self) -> bool:
        """Whether numbers are shown, and they are those of plain transformers."""
        return self.gap <= BOUND and not self.why_not and not self.crash

    @property
    def is_wrong(self) -> bool:
        """Whether numbers are shown that are others, or nothing is said at all."""
        return not self.holds and not self.why_not


def tried_experiments(model: lt.LoadedModel) -> dict[Quantity, Tried]:
    """Each quantity on a model with a word-less tokenizer. Whatever happens is its outcome; nothing is raised."""
    case = _Case(model)
    model.tokenizer.eos_token = "w2"  # some configurations name none, and what never ends has no probability
    return {name: _tried(_TRIALS[name], case) for name in QUANTITIES}


def _tried(trial: Callable[[_Case], float], case: _Case) -> Tried:
    try:
        return Tried(gap=trial(case))
    except lt.TrackerError as refused:
        return Tried(why_not=one_line(refused))
    except Exception as error:
        return Tried(crash=f"{type(error).__name__}: {one_line(error)}")


Part = TypeVar("Part")


class _NotShownError(lt.TrackerError):
    """The view would say why it shows no numbers."""


@dataclass(eq=False)
class _Case:
    """A minimal pair on one model, and the plain passes that what is found is held against."""

    model: lt.LoadedModel
    plain: PlainPasses = field(init=False)

    def __post_init__(self) -> None:
        self.plain = PlainPasses(self.model)

    @cached_property
    def target(self) -> Tensor:
        """The plain logits behind the target: (vocab_size)."""
        return self.plain.logits(TARGET)[-1]

    @cached_property
    def probe(self) -> Probe:
        """The two tokens whose logits the named word moves most."""
        moved = self.plain.logits(SOURCE)[-1] - self.target
        return Probe(int(moved.argmax()), int(moved.argmin()))

    @cached_property
    def patching(self) -> Patching:
        """The pair, read with the model as it is run here. Raises _NotShownError where it has no effect."""
        named = Pair("source", "target", "one", "other")
        patching = Patching(self.model, ReadPair(named, _prompt(TARGET), SOURCE, TARGET, *NAMED, self.probe))
        too_small = patching.too_small()
        if too_small:
            raise _NotShownError(too_small.why_not)
        return patching

    def gap(self, margin: float, expected: Tensor) -> float:
        """How far a margin is from that of plain logits (vocab_size), in their standard deviations."""
        return abs(margin - float(self.probe.margins(expected))) / float(expected.std())


def _prompt(token_ids: tuple[int, ...]) -> Prompt:
    """A text of a word for each token; the first is the template's, some in the middle are an answer."""
    words = [f"w{each}" for each in token_ids]
    starts = [sum(len(word) + 1 for word in words[:at]) for at in range(len(words))]
    spans = tuple((start, start + len(word)) for start, word in zip(starts, words, strict=True))
    roles: tuple[Role, ...] = ("template", *("user",) * 9, *("assistant",) * 4, *("user",) * (len(words) - 14))
    return Prompt((), " ".join(words), token_ids, spans, roles)


def _shown(part: tuple[Part, tuple[ExactCheck, ...]] | Unavailable) -> Part:
    """A part. Raises _NotShownError where the view would not show it."""
    if isinstance(part, Unavailable):
        raise _NotShownError(part.why_not)
    failed = [check for check in part[1] if not check.ok]
    if failed:
        raise _NotShownError(f"{failed[0].name}: off by {failed[0].gap:.2g}")
    return part[0]


def _scores(case: _Case) -> float:
    """Texts of unlike length in one batch, and words of unlike length behind each, against whole texts one by one."""
    shared = common_beginning(UNLIKE)
    beginning = begin(case.model, shared, max(map(len, UNLIKE)) - len(shared) + 4)
    choices = [WORDS] * len(UNLIKE)
    batches = list(read_rows(beginning, [Row(text) for text in UNLIKE]))
    several = [score_batch(batch, UNLIKE[batch.rows], choices[batch.rows], "word") for batch in batches]
    found = torch.tensor([scores for of_batch in several for scores in of_batch])
    plain = [case.plain.logits(text) for text in UNLIKE]
    read = [logits for batch in batches for logits in batch.logits]
    gaps = [float((logits - own[-1]).abs().max() / own[-1].std()) for logits, own in zip(read, plain, strict=True)]
    expected = torch.tensor([[_plain_score(case, text, word) for word in WORDS] for text in UNLIKE])
    return largest([*gaps, float((found - expected).abs().max()) / float(case.target.std())])


def _plain_score(case: _Case, text: tuple[int, ...], word: frozenset[tuple[int, ...]]) -> float:
    """log p of a word and its end behind a text, over all its spellings."""
    ends = end_token_ids_of(case.model, "word")
    several = []
    for ids in word:
        log_probs = case.plain.logits((*text, *ids)).log_softmax(-1)[len(text) - 1 :]
        written = [float(log_probs[at, each]) for at, each in enumerate(ids)]
        several.append(math.fsum([*written, float(log_probs[-1, ends].logsumexp(-1))]))
    return float(torch.tensor(several, dtype=torch.float64).logsumexp(0))


def _patching(case: _Case) -> float:
    """The three curves, depth by depth, against one-row passes with the source's states written into them."""
    found = _shown(ended(stream_hand_over(case.patching)))
    states = case.plain.states(SOURCE)
    slot = (len(TARGET) - 1, len(TARGET))
    curves = {NAMED: found.named_word, (NAMED[1], slot[0]): found.between, slot: found.answer_slot}
    return largest(
        case.gap(found.margins[1] + share * found.effect, case.plain.with_states(TARGET, depth, span, states[depth]))
        for span, curve in curves.items()
        for depth, share in enumerate(curve)
    )


def _knock_out(case: _Case) -> float:
    """Each word and message hidden, against a pass whose softmax is closed there."""
    found = _shown(knock_outs(case.model, _prompt(TARGET), case.probe))
    gaps = [case.gap(found.margin, case.target)]
    for word in found.words:
        expected = case.plain.without(TARGET, (word.tokens[0], min(word.tokens[1], len(TARGET) - 1)))
        if expected is None:
            raise _NotShownError("no softmax to compare with")
        gaps.append(case.gap(found.margin + word.delta, expected))
    return largest(gaps)


def _head_patches(case: _Case) -> float:
    """Each head's patch, against a pass whose output projection takes the source's columns."""
    model = case.model
    found = _shown(heads_of(model, case.patching))
    margin = case.patching.margins[1]
    paths = {id(module): path for path, module in model.model.named_modules()}
    places = [None if place is None else paths[id(place.module)] for place in model.sites.at("z")]
    gaps = []
    for each in found.shares:
        path = places[each.layer - 1]
        assert path is not None
        turn = places[: each.layer - 1].count(path)
        taken = case.plain.taken(path, turn, SOURCE)
        width = taken.shape[-1] // model.architecture.heads[each.layer - 1]
        columns = slice((each.head - 1) * width, each.head * width)
        expected = case.plain.with_taken(path, turn, TARGET, columns, taken)
        gaps.append(case.gap(margin + each.share * found.effect, expected))
    return largest(gaps)


def _attribution(case: _Case) -> float:
    """The sum of all parts against the plain logits; of the heads' words against the heads."""
    found = _shown(attribution(case.model, "after", _prompt(TARGET), case.probe, with_words=True))
    gap = abs(found.sum - _uncapped(case)) / float(case.target.std())
    if found.heads is None or not found.words:
        return gap
    heads = [share for layer in found.heads for share in layer]
    of_words = sum(word.contribution for word in found.words)
    return largest([gap, abs(of_words - sum(heads)) / max(1.0, *map(abs, heads))])


def _frozen_routes(case: _Case) -> float:
    """The sum over words and biases against the plain logits."""
    found = _shown(frozen_route(case.model, _prompt(TARGET), case.probe))
    return abs(found.sum - _uncapped(case)) / float(case.target.std())


def _uncapped(case: _Case) -> float:
    """The plain margin in front of the soft cap, where there is one."""
    cap = getattr(case.model.config, "final_logit_softcapping", None)
    logits = case.target.double()
    return float(case.probe.margins(logits if cap is None else cap * torch.atanh(logits / cap)))


_TRIALS: dict[Quantity, Callable[[_Case], float]] = {
    "scores in batches": _scores,
    "patching": _patching,
    "knock-out": _knock_out,
    "head patches": _head_patches,
    "attribution": _attribution,
    "frozen routes": _frozen_routes,
}
