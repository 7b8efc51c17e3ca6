"""Where in its depth each model's read-out comes to prefer a word, and how far apart number formats are."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.across_models.relative_depth import FormatGap, ending
from llm_tracker.analysis.across_models.runs import NamedRun
from llm_tracker.analysis.compare import Side, SideName
from llm_tracker.analysis.layers import lead
from llm_tracker.wording.formats import amount, capitalised, listed, quoted, quoted_token
from llm_tracker.wording.labels import TURN_CLAUSES

CODE_OF_ITS_OWN = (
    "A read-out, not a decision. Early layers write in a code of their own, and where that ends differs from model to "
    "model: compare where a line turns for good, not how high it is. Half-way through one model is not the same work "
    "as half-way through another."
)


def lead_sentence(runs: Sequence[NamedRun], turn: SideName, word: str, over: str) -> str:
    """Which of two words each model's last layer has ahead in an answer, since when, and by how much.

    Models of which the same is to be said are named together.
    """
    sides = {each.letter: side for each in runs if (side := each.side(turn)) is not None}
    alike: dict[str, list[str]] = {}
    for letter, side in sides.items():
        alike.setdefault(_clause(side, word, over), []).append(letter)
    told, is_first = [], True
    for letters in alike.values():
        side = sides[letters[0]]
        where = f"in {listed(letters)} " if len(runs) > 1 else ""
        told.append(f"{where}{_clause(side, word, over, is_first)}")
        is_first = is_first and lead(side, word, over) is None
    return f"{capitalised('; '.join(told))}." if told else ""


def _clause(side: Side, word: str, over: str, is_first: bool = False) -> str:
    """What is to be said of one answer; the `first` time with the word that is behind."""
    values = lead(side, word, over)
    if values is None:
        return _unread(side, word, over)
    end = ending(values)
    if end.layer is None:
        return f"neither {quoted(word)} nor {quoted(over)} is ahead at the last layer"
    ahead, behind = (word, over) if end.lead > 0 else (over, word)
    of = f" of {quoted(behind)}" if is_first else ""
    return f"{quoted(ahead)} is ahead{of} {_since(end.layer, end.n_layers)}, at the end by {_size(abs(end.lead))}"


def _unread(side: Side, word: str, over: str) -> str:
    """Why a side has no lead of one word over another."""
    missing = [quoted(each) for each in (word, over) if side.watched(each) is None]
    if missing:
        return f"{listed(missing)} {'has' if len(missing) == 1 else 'have'} not been read"
    return f"{quoted(word)} and {quoted(over)} have no token in which they differ"


def _since(layer: int, n_layers: int) -> str:
    if layer == 1:
        return "at every layer"
    if layer == n_layers:
        return f"at the last layer only, {n_layers}"
    return f"from layer {layer} of {n_layers} on (depth {layer / n_layers:.2f})"


def _size(gap: float) -> str:
    return "under 0.01 logits" if 0 < gap < 0.01 else f"{amount(gap)} logits"


def pieces_note(runs: Sequence[NamedRun], word: str, over: str) -> str:
    """By which token a model reads a word that has several there; "" where each word is one token in all."""
    told = []
    for each in runs:
        side = each.sides[0]
        both, parting = side.read_for_lead(word, over), side.parting(word, over)
        pieces = [
            f"{quoted(whole)} by {quoted_token(lens.token)}"
            for whole, lens in zip((word, over), both or (), strict=False)
            if lens.token.strip() != whole
        ]
        if pieces:
            behind = "" if parting is None else f", behind {quoted_token(parting.shared)}"
            told.append(f"{f'in {each.letter} ' if len(runs) > 1 else ''}{listed(pieces)}{behind}")
    return f"Read by the first token in which they differ: {'; '.join(told)}." if told else ""


def format_sentence(gap: FormatGap) -> str:
    """How far one number format's lead is from another's."""
    model = gap.reference.run.session.model
    formats = f"{gap.one.run.session.model.dtype} and {model.dtype}"
    unlike = "".join(f" {UNLIKE.format(when=capitalised(TURN_CLAUSES[turn]))}" for turn in gap.unlike)
    if gap.largest == 0:
        return f"Of {model.title}, {formats} have the same lead at every layer.{unlike}"
    at_end = "nothing" if gap.at_end == 0 else _size(gap.at_end)
    when = f"{TURN_CLAUSES[gap.turn]} the correction, " if len(gap.reference.sides) > 1 else ""
    return (
        f"Of {model.title}, {formats} differ in this lead by at most {_size(gap.largest)} ({when}layer {gap.layer} of "
        f"{gap.reference.n_layers}), at the last layer by {at_end}.{unlike}"
    )


UNLIKE = "{when} the correction they are not compared: they had answered differently, so each reads another text there."
