"""Two models' answers side by side: what each says, and where each looked. Nothing is corrected between two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from llm_tracker.analysis.compare import Side, WordChange, same_answer
from llm_tracker.analysis.heads import Head
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Turn
from llm_tracker.wording.answers import named_answer
from llm_tracker.wording.attention import attention_clause
from llm_tracker.wording.formats import capitalised, listed, percent, quoted
from llm_tracker.wording.headline import likelihood
from llm_tracker.wording.labels import side_clause


def models_verdict(sides: Sequence[Side]) -> str:
    """What each model says, with the probability of the token that is looked at, and whether they agree."""
    one, other = sides[0], sides[1]
    said = ", ".join(_says(side) for side in (one, other))
    if not (one.turn.has_answer and other.turn.has_answer):
        return f"{said}. {say('Whether they agree cannot be said.')}"
    same = same_answer(one.turn, other.turn)
    if same is None:
        return f"{said}. {say('One was cut short: whether they agree cannot be said.')}"
    return f"{said}. {say('They give the same answer.') if same else say('They give different answers.')}"


def _says(side: Side) -> str:
    turn = side.turn
    if not turn.has_answer:
        return say("{model} has no answer behind its thought", model=side.model)
    likely = percent(answer_prob(turn) if side.step == turn.first_step else float(turn.trace.token_probs[side.step]))
    if not turn.answer:
        return say("{model} says nothing ({share})", model=side.model, share=likely)
    return say("{model} says {answer} ({share})", model=side.model, answer=named_answer(turn).strip(), share=likely)


def answer_prob(turn: Turn) -> float:
    """The probability of an answer as it was written, behind its thought, in [0, 1]: of all tokens and its end."""
    return float(np.exp(np.log(turn.trace.token_probs[turn.first_step :].astype(float)).sum()))


def shares_of(change: WordChange) -> tuple[str, str]:
    """A watch word, and its probability in each model."""
    told = likelihood(change)
    return quoted(change.word), listed([told(change.before), told(change.after)])


def models_attention_sentence(sides: Sequence[Side], heads: Mapping[str, Head]) -> str:
    """The attention of each model in its own layer, and where its own head was chosen, in that."""
    told = []
    for side in sides:
        layer, head = heads[side.name]
        place = {"layer": number(layer), "all": number(side.turn.trace.n_layers)}
        if head:
            where = say("layer {layer} of {all}, head {head}", head=number(head), **place)
        else:
            where = say("layer {layer} of {all}", **place)
        clause = attention_clause(side, layer, head, first=True)
        told.append(say("{side}, {place}, {told}", side=side_clause(side), place=where, told=clause))
    return f"{capitalised('; '.join(told))}."
