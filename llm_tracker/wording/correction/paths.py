"""What the curves of a minimal pair say: where its difference rests, and where it is handed over."""

from __future__ import annotations

import numpy as np

from llm_tracker.analysis.layers import parting_layer, settled_layer
from llm_tracker.experiments.values.findings import Floats, HandOver, LensCurve
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.correction.amounts import LEAST_NATS, signed_share
from llm_tracker.wording.formats import listed, nats, percent, quoted, signed_nats

HALF = 0.5
NEARLY_ALL = 0.9
JUMP = 0.3
"""A share of the effect that one layer has to bring to be named for it."""

RESTS = 0.2
"""A share of the effect that is worth a word."""

GROUP_LABELS = {
    "named_word": later("the word itself"),
    "between": later("words between"),
    "answer_slot": later("answer position"),
}


def path_sentence(path: HandOver) -> str:
    """How large the effect is, up to where the word keeps it, and which layer brings it to the answer position."""
    told = say(
        "{source} in place of {target} moves the lead by {effect}.",
        source=quoted(path.pair.source_word),
        target=quoted(path.pair.target_word),
        effect=signed_nats(path.effect),
    )
    carried = f"{_kept(path.named_word, path.n_layers)}; {_arrival(path.answer_slot)}."
    return " ".join(filter(None, (told, carried, _between(path))))


def _kept(curve: Floats, n_layers: int) -> str:
    """Up to where the word's own position keeps the difference, and how much of it."""
    kept = kept_until(curve)
    if kept is None:
        return say("The word's own position does not keep half of that difference at any depth")
    if kept == 0:
        return say("The word's own position keeps that difference in its embedding alone")
    layers = {"layer": str(kept), "n_layers": str(n_layers)}
    if min(curve[: kept + 1]) >= NEARLY_ALL:
        return say("Its own position keeps that difference up to layer {layer} of {n_layers}", **layers)
    return say("Its own position keeps more than half of that difference up to layer {layer} of {n_layers}", **layers)


def _arrival(curve: Floats) -> str:
    """From when on the difference is at the answer position; the layer that brings it, where one brings much."""
    arrived = arrives_at(curve)
    if arrived is None:
        return say("no layer brings half of it to the position that writes the answer")
    if arrived == 0:
        return say("the position that writes the answer has it from the beginning")
    before, after = curve[arrived - 1], curve[arrived]
    if after - before < JUMP:
        return say(
            "from layer {layer} on more than half of it is at the position that writes the answer", layer=arrived
        )
    least = signed_share(before)
    if after > 1.05:
        return say(
            "layer {layer} brings it to the position that writes the answer (from {least} of it to all)",
            layer=arrived,
            least=least,
        )
    return say(
        "layer {layer} brings it to the position that writes the answer (from {least} to {most} of it)",
        layer=arrived,
        least=least,
        most=signed_share(after),
    )


def kept_until(curve: Floats) -> int | None:
    """The last depth up to which a curve stays over half; None where it does not begin there."""
    over = [share >= HALF for share in curve]
    if not over or not over[0]:
        return None
    return next((depth - 1 for depth, is_over in enumerate(over) if not is_over), len(over) - 1)


def arrives_at(curve: Floats) -> int | None:
    """The depth from which on a curve stays over half; None where it does not end there."""
    layer = settled_layer(np.array(curve) >= HALF) if curve else None
    return None if layer is None else layer - 1  # a curve begins with the embeddings, at depth 0


def _between(path: HandOver) -> str:
    """Whether anything rests on the words between."""
    if not path.between:
        return ""
    most = max(range(len(path.between)), key=lambda depth: abs(path.between[depth]))
    share = path.between[most]
    if abs(share) < RESTS:
        return say("Nothing much rests on the words between.")
    if share < 0:
        return say(
            "In between, the words that follow move the lead the other way, by up to {share} of it (after layer "
            "{layer}).",
            share=percent(-share),
            layer=most,
        )
    return say(
        "In between, the words that follow hold up to {share} of it (after layer {layer}).",
        share=percent(share),
        layer=most,
    )


def grid_sentence(path: HandOver) -> str:
    """Which single position holds most of the difference in the middle of the model."""
    if path.grid is None:
        return ""
    shares = [(share, depth, at) for depth, row in enumerate(path.grid) for at, share in enumerate(row)]
    strong = {at for share, depth, at in shares if share >= HALF and 0 < depth < path.n_layers}
    names = [quoted(path.tokens[at]) for at in sorted(strong)]
    if not names:
        return say("Between the embeddings and the last layer no single position holds half of the difference.")
    return say(
        "Positions that hold half of the difference at some depth by themselves: {positions}.",
        positions=listed(names),
    )


def lens_sentence(curves: tuple[LensCurve, ...], answer: str, foil: str) -> str:
    """From which layer on the corrected run's read-out parts from that of merely asking again."""
    by_name = {curve.condition.name: curve for curve in reversed(curves)}
    own, again = by_name.get("user"), by_name.get("asked_again")
    if own is None or again is None:
        return say("The layers have not been read yet.")
    n_layers = len(own.lead)
    gaps = np.subtract(own.lead, again.lead)
    words = {"answer": quoted(answer), "foil": quoted(foil)}
    if abs(gaps[-1]) < LEAST_NATS:
        return say(
            "At the last layer the lead of {answer} over {foil} is as when merely asked again: {lead}.",
            **words,
            lead=signed_nats(again.lead[-1]),
        )
    at = parting_layer(gaps)
    told = say(
        "From layer {layer} of {n_layers} on, the lead of {answer} over {foil} after the correction has left that of "
        "merely asking again: {leads}.",
        **words,
        layer=at,
        n_layers=n_layers,
        leads=_both(own.lead[at - 1], again.lead[at - 1]),
    )
    kl = own.kl_nats[at - 1]
    if kl < 1:
        return told
    far = say("There the read-out is still far from the model's own prediction (KL {kl}).", kl=nats(kl))
    return f"{told} {far}"


def _both(own: float, again: float) -> str:
    """Two leads, or how far they lie apart where they read the same."""
    mine, yours = signed_nats(own), signed_nats(again)
    if mine != yours:
        return say("{own} against {again}", own=mine, again=yours)
    return say("both about {lead}, {gap} apart", lead=mine, gap=nats(abs(own - again)))
