"""What a failed proof means: what to mend where a check failed, and whose failure it is where something was raised."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import PreTrainedModel

from llm_tracker.errors import ModelError, ModelRefusedError, TrackerError, is_lack_of_memory, one_line
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.forward.forward_pass import forward, probe_tokens, put_on_eager
from llm_tracker.models.memory.split_weights import input_device, is_split
from llm_tracker.models.plugins.plugin_failures import Home, told
from llm_tracker.models.proof.checks import Examination


class NotExactError(ModelRefusedError):
    """The adapter does not read this model exactly; `examination` says where it fails."""

    def __init__(
        self, message: str, adapter: ModelAdapter, examination: Examination, parameters: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, parameters)
        self.adapter = adapter
        self.examination = examination


def require_exact(adapter: ModelAdapter, examination: Examination) -> None:
    """Raise NotExactError, with the gap and what to override, unless every check of the proof held."""
    failed = [check for check in examination.proof.checks if not check.ok]
    if failed:
        worst = failed[0]
        raise NotExactError(
            say(
                "{adapter} does not read “{kind}” exactly: {check} is off by {gap} (bound {bound}; {note}). {advice}",
                adapter=adapter.name,
                kind=examination.architecture.model_type,
                check=say(worst.name),
                gap=number(worst.gap, ".2g"),
                bound=number(worst.bound, ".2g"),
                note=worst.note,
                advice=say(ADVICE[worst.name]),
            ),
            adapter,
            examination,
            PARAMETERS.get(worst.name, ()),
        )


ADVICE = {
    "layers": later("Set layers_path to the list of all decoder layers."),
    "tail": later("Override unembed() with the whole tail: scale, soft cap, bias; or set final_norm_path."),
    "every layer": later("Override unembed(): a cap or a scale bites only where earlier layers' rows go."),
    "norms": later("Set attention_norm_path and mlp_norm_path to the norms before attention and feed-forward."),
    "patterns": later(
        "Set attention_path to the module that returns the pattern; or return None for layers without one."
    ),
    "row sums": later("This family's attention is no plain softmax: it cannot be drawn as shares."),
    "nothing ahead": later("This model sees the words after each position: it is no causal language model."),
    "causal": later("This model sees the words after each position: it is no causal language model."),
    "kernels": later("Another routine than the model's own computes wrongly on this CPU; report it."),
    "live logits": later("Its attention cannot be read on SDPA; report this family."),
    "live attention rows": later("Set attention_path to the module that computes the softmax; or report this family."),
    "first live row": later("Set attention_path to the module that computes the softmax; or report this family."),
    "all live rows": later("Load it with dtype “float32”, where rows can be compared exactly; or report this family."),
    "rows made together": later("Load it with device “cpu”, where each row is made alone; and report this family."),
    "one row a layer": later("Set attention_path to the module that calls the attention function, once a layer."),
}
"""By check: what to do about it."""

PARAMETERS = {"all live rows": ("dtype",), "rows made together": ("device",)}
"""By check: the parameters of `load_model` that its advice speaks of."""


@contextmanager
def adapter_blamed(adapter: ModelAdapter) -> Iterator[None]:
    """Turns what an adapter's method (or a module that it calls) raises into a ModelError that names the method.

    An adapter that was found by probing has no author, so that nobody is told to mend it.
    """
    try:
        yield
    except TrackerError:
        raise
    except Exception as error:
        method = _method_that_raised(adapter, error)
        if method is None or not adapter.model_types or is_lack_of_memory(error):
            raise
        raise ModelError(
            say(
                "{adapter}.{method}() raises {error}{where}. Compare it with what the model's own code does "
                "there: a step may be missing, or a part be None in this model.",
                adapter=adapter.name,
                method=method,
                error=told(error),
                where=_where(adapter, error),
            )
        ) from error


def _where(adapter: ModelAdapter, error: Exception) -> str:
    """The line of the adapter's own file, or that file alone, in brackets; nothing of a class typed at a prompt."""
    file = getattr(inspect.getmodule(type(adapter)), "__file__", None)
    return f" ({Home(Path(file)).where(error)})" if file else ""


def _method_that_raised(adapter: ModelAdapter, error: Exception) -> str | None:
    """The adapter's innermost method among the calls that led to the error."""
    names = [
        frame.f_code.co_name
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_locals.get("self") is adapter
    ]
    return names[-1] if names else None


@contextmanager
def own_failure_told(model: PreTrainedModel) -> Iterator[None]:
    """If another library's exception stopped the proof, says whether the model raises one without tracing too."""
    try:
        yield
    except ModelError as error:
        own = None if error.__cause__ is None else _own_failure(model)
        if own is None:
            raise
        kind = model.config.get_text_config().model_type
        if is_split(model):
            raise ModelError(
                say(
                    "Split over devices this model does not run: the forward pass of “{kind}” raises {error_kind} "
                    "({error}). Load it on one device, such as “cpu”, or choose a smaller model.",
                    kind=kind,
                    error_kind=type(own).__name__,
                    error=one_line(own),
                ),
                ("device",),
            ) from own
        raise ModelError(
            say(
                "This model does not run in transformers itself, without any tracing: the forward pass of "
                "“{kind}” raises {error_kind} ({error}). Check that the sizes in its config.json fit together; if they "
                "do, this version of transformers cannot run it.",
                kind=kind,
                error_kind=type(own).__name__,
                error=one_line(own),
            )
        ) from own


def _own_failure(model: PreTrainedModel) -> Exception | None:
    """What plain transformers raises as it reads a few tokens; None where it reads them, or memory is all it lacks."""
    try:
        put_on_eager(model)
        with torch.inference_mode():
            forward(model, probe_tokens(model.config.get_text_config().vocab_size).to(input_device(model)))
    except Exception as error:  # whatever a foreign model raises
        return None if is_lack_of_memory(error) else error
    return None
