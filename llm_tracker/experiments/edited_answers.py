"""Ask again with one thing changed: a word left out or hidden, a head or a layer scaled, or put as when asked again.

What comes is a branch of the conversation, its answer marked with what was changed while it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from llm_tracker.conversation.lenses import with_lenses
from llm_tracker.conversation.turns import next_prompt
from llm_tracker.errors import InputError, ModelError
from llm_tracker.experiments.attribution import rows_at
from llm_tracker.experiments.passes.interventions import Change, Intervention, KnockOut, applied_throughout
from llm_tracker.experiments.values.parts import require_layers
from llm_tracker.languages.texts import say
from llm_tracker.models.forward.sites import SiteName
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import CONTROL_TEXT
from llm_tracker.tracing.edit import Edit
from llm_tracker.tracing.provenance import model_info, require_same_weights, versions
from llm_tracker.tracing.run import TokenEvent, run_turn
from llm_tracker.tracing.session import Parent, Session

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel

SITES: dict[str, SiteName] = {"head": "z", "attention": "attn_out", "mlp": "mlp_out"}

WITHOUT_END = 1 << 40
"""Past the last position of any text."""


def stream_edited(
    model: LoadedModel,
    session: Session,
    turn: int,
    edit: Edit | None = None,
    said: str | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[TokenEvent, None, Session]:
    """Answer the correction of a turn again with one thing changed, yielding tokens; the session as a branch.

    With an `edit` something in the model is changed, from the position on that writes the answer. With `said` another
    text stands in the correction's place. Raises InputError for a turn that is no correction, a layer, head or word
    that is not there; ModelError where this model does not let it be changed; Cancelled where `stop` says so.
    """
    require_same_weights(model, session)
    if not 0 < turn < len(session.turns):
        raise InputError(say("Turn {turn} corrects nothing: corrections begin with turn 1.", turn=turn))
    own = session.turns[turn]
    earlier = replace(session, turns=session.turns[:turn])
    prompt = own.prompt if said is None else next_prompt(model, earlier, said)
    text, question = own.said if said is None else said, session.turns[0].said
    answering = run_turn(model, prompt, session.decoding, text, question, session.watch_words, stop)
    if edit is None:
        answered = yield from answering
    else:
        changes = _changes(model, earlier, prompt, edit)
        with model.running, applied_throughout(model, changes):
            answered = yield from answering
    begun = replace(
        session,
        turns=(*session.turns[:turn], replace(answered, edit=edit)),
        controls={at: control for at, control in session.controls.items() if at < turn},
        experiments={at: record for at, record in session.experiments.items() if at < turn},
        parent=Parent(turn, 0),
        model=model_info(model),
        versions=versions(),
    )
    return with_lenses(model, begun, "compared", session.watch_words)


def _changes(model: LoadedModel, earlier: Session, prompt: Prompt, edit: Edit) -> list[Change]:
    """What is done to the model. Raises InputError for what is not there."""
    slot = len(prompt.token_ids) - 1
    require_layers(len(model.layers), edit.layers)
    if edit.kind == "hidden":
        if not 0 <= edit.tokens[0] < edit.tokens[1] <= slot:
            raise InputError(say("There is no such word in front of the answer."))
        return [KnockOut((edit.tokens,), (slot, WITHOUT_END), edit.layers)]
    layer = edit.layers[0]
    n_heads = model.architecture.heads[layer - 1]
    if edit.kind == "head" and not 1 <= (edit.head or 0) <= n_heads:
        raise InputError(
            say(
                "There is no head {head} in layer {layer}: it has {n_heads}.",
                head=edit.head,
                layer=layer,
                n_heads=n_heads,
            )
        )
    site, head = SITES[edit.kind], edit.head if edit.kind == "head" else None
    if not edit.is_replaced:
        return [Intervention(site, layer, (slot, WITHOUT_END), edit.factor, head)]
    put = _asked_again(model, earlier, site, layer)
    width = len(put) // max(1, n_heads)
    own: Any = put if head is None else put[(head - 1) * width : head * width]
    return [Intervention(site, layer, (slot, slot + 1), own, head)]


def _asked_again(model: LoadedModel, earlier: Session, site: SiteName, layer: int) -> Tensor:
    """What a site of a layer holds at the answer slot when the model is merely asked again: (width)."""
    prompt = next_prompt(model, earlier, CONTROL_TEXT)
    found = rows_at(model, prompt.token_ids, {site: model.sites.at(site)}, dtype=None)[site]
    if layer - 1 not in found:
        raise ModelError(say("Layer {layer} of this model has no “{site}”.", layer=layer, site=site))
    return torch.clone(found[layer - 1])
