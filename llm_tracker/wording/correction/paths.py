"""What the curves of a minimal pair say: where its difference rests, and where it is handed over."""

from __future__ import annotations

from llm_tracker.experiments.values.findings import Floats, HandOver, LensCurve
from llm_tracker.wording.correction.amounts import LEAST_NATS, signed_share
from llm_tracker.wording.formats import listed, nats, percent, quoted, signed_nats

HALF = 0.5
NEARLY_ALL = 0.9
JUMP = 0.3
"""A share of the effect that one layer has to bring to be named for it."""

RESTS = 0.2
"""A share of the effect that is worth a word."""

GROUP_LABELS = {"named_word": "the word itself", "between": "words between", "answer_slot": "answer position"}


def path_sentence(path: HandOver) -> str:
    """How large the effect is, up to where the word keeps it, and which layer brings it to the answer position."""
    pair, n_layers = path.pair, path.n_layers
    told = (
        f"{quoted(pair.source_word)} in place of {quoted(pair.target_word)} moves the lead by "
        f"{signed_nats(path.effect)}."
    )
    kept, arrived = kept_until(path.named_word), arrives_at(path.answer_slot)
    if kept is None:
        own = "The word's own position does not keep half of that difference at any depth"
    elif kept == 0:
        own = "The word's own position keeps that difference in its embedding alone"
    else:
        own = f"Its own position keeps {_how_much(path.named_word[: kept + 1])} up to layer {kept} of {n_layers}"
    if arrived is None:
        slot = "no layer brings half of it to the position that writes the answer"
    elif arrived == 0:
        slot = "the position that writes the answer has it from the beginning"
    else:
        slot = _arrival(path.answer_slot, arrived)
    return f"{told} {own}; {slot}.{_between(path)}"


def _how_much(curve: Floats) -> str:
    return "that difference" if min(curve) >= NEARLY_ALL else "more than half of that difference"


def _arrival(curve: Floats, arrived: int) -> str:
    """From when on the difference is at the answer position; the layer that brings it, where one brings much."""
    before, after = curve[arrived - 1], curve[arrived]
    if after - before < JUMP:
        return f"from layer {arrived} on more than half of it is at the position that writes the answer"
    least, most = signed_share(before), signed_share(after)
    jump = f"from {least} to {most} of it" if after <= 1.05 else f"from {least} of it to all"
    return f"layer {arrived} brings it to the position that writes the answer ({jump})"


def kept_until(curve: Floats) -> int | None:
    """The last depth up to which a curve stays over half; None where it does not begin there."""
    over = [share >= HALF for share in curve]
    if not over or not over[0]:
        return None
    return next((depth - 1 for depth, is_over in enumerate(over) if not is_over), len(over) - 1)


def arrives_at(curve: Floats) -> int | None:
    """The depth from which on a curve stays over half; None where it does not end there."""
    over = [share >= HALF for share in curve]
    if not over or not over[-1]:
        return None
    return next((depth + 1 for depth in range(len(over) - 1, -1, -1) if not over[depth]), 0)


def _between(path: HandOver) -> str:
    """Whether anything rests on the words between."""
    if not path.between:
        return ""
    most = max(range(len(path.between)), key=lambda depth: abs(path.between[depth]))
    share = path.between[most]
    if abs(share) < RESTS:
        return " Nothing much rests on the words between."
    if share < 0:
        against = f"up to {percent(-share)} of it (after layer {most})"
        return f" In between, the words that follow move the lead the other way, by {against}."
    return f" In between, the words that follow hold up to {percent(share)} of it (after layer {most})."


def grid_sentence(path: HandOver) -> str:
    """Which single position holds most of the difference in the middle of the model."""
    if path.grid is None:
        return ""
    shares = [(share, depth, at) for depth, row in enumerate(path.grid) for at, share in enumerate(row)]
    strong = {at for share, depth, at in shares if share >= HALF and 0 < depth < path.n_layers}
    names = [quoted(path.tokens[at]) for at in sorted(strong)]
    if not names:
        return "Between the embeddings and the last layer no single position holds half of the difference."
    return f"Positions that hold half of the difference at some depth by themselves: {listed(names)}."


def lens_sentence(curves: tuple[LensCurve, ...], answer: str, foil: str) -> str:
    """From which layer on the corrected run's read-out parts from that of merely asking again."""
    by_name = {curve.condition.name: curve for curve in reversed(curves)}
    own, again = by_name.get("user"), by_name.get("asked_again")
    if own is None or again is None:
        return "The layers have not been read yet."
    n_layers = len(own.lead)
    gaps = [mine - yours for mine, yours in zip(own.lead, again.lead, strict=True)]
    final = gaps[-1]
    words = f"{quoted(answer)} over {quoted(foil)}"
    if abs(final) < LEAST_NATS:
        return f"At the last layer the lead of {words} is as when merely asked again: {signed_nats(again.lead[-1])}."
    parted = arrives_at(tuple(gap / final for gap in gaps))
    at = n_layers if parted is None else parted + 1
    kl = own.kl_nats[at - 1]
    worth = f" There the read-out is still far from the model's own prediction (KL {nats(kl)})." if kl >= 1 else ""
    leads = _both(own.lead[at - 1], again.lead[at - 1])
    return (
        f"From layer {at} of {n_layers} on, the lead of {words} after the correction has left that of merely asking "
        f"again: {leads}.{worth}"
    )


def _both(own: float, again: float) -> str:
    """Two leads, or how far they lie apart where they read the same."""
    mine, yours = signed_nats(own), signed_nats(again)
    return f"{mine} against {yours}" if mine != yours else f"both about {mine}, {nats(abs(own - again))} apart"
