"""One model twice, whole and split between memory and disk, and every quantity that can be read of both by its name."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from small_cases import tiny
from tiny_models import tiny_tokenizer

import llm_tracker as lt
from llm_tracker.errors import InputError, ModelError
from llm_tracker.experiments.edited_answers import stream_edited
from llm_tracker.experiments.passes.rows import begin
from llm_tracker.experiments.passes.sharing_trial import keeps_keys_apart
from llm_tracker.experiments.values.findings import Heads, Unavailable
from llm_tracker.models.kernels.matrix_products import plain_kernels
from llm_tracker.models.memory.split_weights import weights_once
from llm_tracker.progress import ended
from llm_tracker.tracing.edit import Edit
from llm_tracker.tracing.rereading.head_patterns import head_pattern
from llm_tracker.tracing.rereading.value_weights import value_weights

QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. The correct answer is London."

FAMILIES = ("llama", "gpt2", "gemma2", "gpt_oss", "cohere")
"""Plain; biases, and projections that are no linear layers; soft caps, on eager attention; learned sinks and experts;
one whose parts are found by probing, and work side by side."""

BOUND = 1e-4
"""Largest difference, relative where a number is over 1: the same products of weights that lie elsewhere in memory."""

SWAPPED = 1e-3
"""Of whole numbers, such as ranks and tokens: the share that may be others, where two are equal but for rounding."""


def spread(paths: list[str]) -> dict[str, str]:
    """All layers in memory but the first, the last and one between; all else on the disk, as these are.

    Embeddings, the final norm and the output matrix, that is: weights that are read without their layers running.
    """
    on_disk = {paths[0], paths[len(paths) // 2], paths[-1]} if len(paths) > 3 else {paths[0], paths[-1]}
    return {"": "disk"} | {path: "cpu" for path in paths if path not in on_disk}


def write_tiny(family: str, folder: Path, **changes: Any) -> Path:
    """A random model of a family as files; embeddings and output matrix are one weight where the family has it so."""
    network = tiny(family, **changes).model
    network.tie_weights()
    network.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def layer_paths(model: lt.LoadedModel) -> list[str]:
    """The paths of a model's layers."""
    paths = {id(module): path for path, module in model.model.named_modules()}
    return [paths[id(layer)] for layer in model.layers]


@dataclass(frozen=True, eq=False)
class Twice:
    """A model whole and split, and what both are asked."""

    whole: lt.LoadedModel
    split: lt.LoadedModel
    words: tuple[str, str]
    recipe: Any
    sessions: dict[lt.LoadedModel, lt.Session] = field(default_factory=dict)

    def both(self, name: str) -> tuple[Any, Any]:
        """A quantity of the whole model and of the split one: what it is, or why it cannot be had (`Refused`)."""
        with plain_kernels(self.whole.model):  # a split model has no other
            return _read(QUANTITIES[name], self.whole, self), _read(QUANTITIES[name], self.split, self)

    def session(self, model: lt.LoadedModel) -> lt.Session:
        """The conversation, corrected and controlled."""
        if model not in self.sessions:
            self.sessions[model] = lt.track(
                model, QUESTION, [CORRECTION], self.recipe, max_new_tokens=3, watch_words=self.words, control=True
            )
        return self.sessions[model]


Quantity = Callable[[lt.LoadedModel, Twice], Any]


@dataclass(frozen=True)
class Refused:
    """Why a quantity cannot be had."""

    why: str


def _read(quantity: Quantity, model: lt.LoadedModel, twice: Twice) -> Any:
    try:
        found = quantity(model, twice)
    except (InputError, ModelError) as error:
        return Refused(str(error))
    return Refused(found.why_not) if isinstance(found, Unavailable) else found


def of_trace(*names: str) -> Quantity:
    """Fields of the traces of all turns and their controls."""

    def read(model: lt.LoadedModel, twice: Twice) -> Any:
        session = twice.session(model)
        turns = (*session.turns, *session.controls.values())
        return [[getattr(turn.trace, name) for name in names] for turn in turns]

    return read


def of_experiment(field_name: str, *parts: str) -> Quantity:
    """What is found by parts of an experiment, and whether its checks hold."""

    def read(model: lt.LoadedModel, twice: Twice) -> Any:
        session = twice.session(model)
        case = lt.Case(QUESTION, *twice.words, CORRECTION, session.turns[0].answer)
        asked = replace(session, turns=session.turns[:1], controls={})
        n_wordings = 2 if "paraphrases" in parts else 1
        found = ended(lt.stream_experiment(model, asked, 1, case, parts, n_wordings))
        value = getattr(found, field_name)
        if isinstance(value, Heads):  # in the order of their shares, of which two may be equal but for their signs
            value = replace(value, shares=tuple(sorted(value.shares, key=lambda share: (share.layer, share.head))))
        return value if isinstance(value, Unavailable) else (value, [check.ok for check in found.checks])

    return read


def proof(model: lt.LoadedModel, _: Twice) -> Any:
    """What was found and proved when it was loaded, its gaps aside: these are the rounding of each."""
    checks = [(check.name, check.ok, check.bound) for check in (*model.proof.checks, *model.proof.sites)]
    return checks, model.architecture, dict(model.sites.missing), model.sites.read_only, model.way.attention


def sampled(model: lt.LoadedModel, twice: Twice) -> Any:
    answers = lt.sample_answers(model, twice.session(model), 1, 6, seed=3)
    return [each.answer for each in answers.answers]


def other_answer(model: lt.LoadedModel, twice: Twice) -> Any:
    """The answer with the second best token in its first one's place."""
    session = twice.session(model)
    branch = lt.what_if(model, session, 1, 0, int(session.turns[1].trace.top_token_ids[0, 1]))
    return branch.turns[-1].text, branch.turns[-1].trace.top_logits


def edited(model: lt.LoadedModel, twice: Twice) -> Any:
    """The answer without the second layer's feed-forward part."""
    turn = ended(stream_edited(model, twice.session(model), 1, Edit("mlp", (2, 2), factor=0.0))).turns[-1]
    return turn.text, turn.trace.top_logits


def kept_texts(model: lt.LoadedModel, twice: Twice) -> Any:
    """How many texts are kept, and what an answer is that goes on from them and one that does not."""
    session = twice.session(model)
    n_kept = len(model.kv_caches)
    assert n_kept
    again = lt.track(model, QUESTION, [CORRECTION], twice.recipe, max_new_tokens=3).turns[1].trace.top_logits
    model.kv_caches.clear()
    anew = lt.track(model, QUESTION, [CORRECTION], twice.recipe, max_new_tokens=3).turns[1].trace.top_logits
    return n_kept, again, anew, session.turns[1].trace.top_logits


def shared(model: lt.LoadedModel, twice: Twice) -> Any:
    """Whether texts that begin alike are read behind their beginning, and its keys multiplied once for all."""
    beginning = begin(model, twice.session(model).turns[0].prompt.token_ids, 1)
    return beginning.cache is None, keeps_keys_apart(model)


def weights(model: lt.LoadedModel, _: Twice) -> Any:
    """Their bytes, and how many there are, after all passes so far."""
    return model.weights_bytes, model.architecture.n_parameters, sum(w.numel() for _, w in weights_once(model.model))


def position_map(model: lt.LoadedModel, twice: Twice) -> Any:
    return [lt.position_lens(model, twice.session(model).turns[1], site=site) for site in ("resid_post", "resid_mid")]


QUANTITIES: dict[str, Quantity] = {
    "proof at load": proof,
    "number and size of weights": weights,
    "answers": of_trace("token_ids", "top_token_ids"),
    "probabilities of candidates": of_trace("top_logits", "top_probs", "entropies", "token_ranks"),
    "attention": of_trace("attention"),
    "residual stream": of_trace("resid"),
    "logit lens": of_trace("lens"),
    "whole words": lambda model, twice: [(turn.scores, turn.partings) for turn in twice.session(model).turns],
    "sampled answers": sampled,
    "another token in the answer": other_answer,
    "answer with a part changed": edited,
    "kept texts (KV caches)": kept_texts,
    "shared beginnings": shared,
    "map of positions and layers": position_map,
    "pattern of a head": lambda model, twice: [
        head_pattern(model, twice.session(model).turns[1], layer, 2) for layer in (1, 2, 3)
    ],
    "attention weighed by values": lambda model, twice: value_weights(model, twice.session(model).turns[1]),
    "experiment: hand_over": of_experiment("hand_over", "hand_over"),
    "experiment: conditions": of_experiment("conditions", "conditions"),
    "experiment: knock_out": of_experiment("knock_outs", "knock_out"),
    "experiment: heads": of_experiment("heads", "heads"),
    "experiment: lens": of_experiment("lens", "lens"),
    "experiment: attribution": of_experiment("attributions", "attribution"),
    "experiment: frozen_route": of_experiment("frozen_route", "frozen_route"),
    "experiment: verdict": of_experiment("verdict", "verdict"),
    "experiment: paraphrases": of_experiment("conditions", "paraphrases"),
    "experiment: grid": of_experiment("hand_over", "hand_over", "grid"),
}
"""By the name that docs/models-over-devices.md has for it."""


def gap(one: Any, other: Any) -> float:
    """The largest difference of two nests of values, relative where they are over 1; infinite where they are unlike."""
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        return gap(_fields(one), _fields(other))
    if isinstance(one, (np.ndarray, torch.Tensor)):
        return _array_gap(np.asarray(one), np.asarray(other))
    if isinstance(one, float) and isinstance(other, float):
        return _array_gap(np.asarray(one), np.asarray(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return gap(list(one.items()), list(other.items()))
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and len(one) == len(other):
        return max((gap(*pair) for pair in zip(one, other, strict=True)), default=0.0)
    return 0.0 if one == other else math.inf


def _fields(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}


def _array_gap(one: Any, other: Any) -> float:
    if one.shape != other.shape:
        return math.inf
    if not np.issubdtype(one.dtype, np.floating):
        are_others = np.abs(one - other) > SWAPPED * np.abs(one)
        return 0.0 if are_others.mean() <= SWAPPED else math.inf
    if not np.array_equal(np.isnan(one), np.isnan(other)):
        return math.inf
    return float(np.nanmax(np.abs(one - other) / np.maximum(1, np.abs(one)), initial=0.0))
