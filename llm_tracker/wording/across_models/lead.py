"""Where in its depth each model's read-out comes to prefer a word, and how far apart number formats are."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.across_models.relative_depth import FormatGap, ending
from llm_tracker.analysis.across_models.runs import NamedRun
from llm_tracker.analysis.compare import Side, SideName
from llm_tracker.analysis.layers import lead
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.formats import amount, capitalised, listed, quoted, quoted_token

CODE_OF_ITS_OWN = later(
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
        told.append(_within(letters if len(runs) > 1 else [], _clause(side, word, over, is_first)))
        is_first = is_first and lead(side, word, over) is None
    return f"{capitalised('; '.join(told))}." if told else ""


def _within(letters: Sequence[str], clause: str) -> str:
    """What is said of some of several models, with their letters; of one alone the clause itself."""
    return say("in {models} {clause}", models=listed(letters), clause=clause) if letters else clause


def _clause(side: Side, word: str, over: str, is_first: bool = False) -> str:
    """What is to be said of one answer; the `first` time with the word that is behind."""
    values = lead(side, word, over)
    if values is None:
        return _unread(side, word, over)
    end = ending(values)
    if end.layer is None:
        return say("neither {word} nor {over} is ahead at the last layer", word=quoted(word), over=quoted(over))
    ahead, behind = (word, over) if end.lead > 0 else (over, word)
    told = {"ahead": quoted(ahead), "since": _since(end.layer, end.n_layers), "lead": _size(abs(end.lead))}
    if is_first:
        return say("{ahead} is ahead of {behind} {since}, at the end by {lead}", **told, behind=quoted(behind))
    return say("{ahead} is ahead {since}, at the end by {lead}", **told)


def _unread(side: Side, word: str, over: str) -> str:
    """Why a side has no lead of one word over another."""
    missing = [quoted(each) for each in (word, over) if side.watched(each) is None]
    if missing:
        return say_n("{words} has not been read", "{words} have not been read", len(missing), words=listed(missing))
    return say("{word} and {over} have no token in which they differ", word=quoted(word), over=quoted(over))


def _since(layer: int, n_layers: int) -> str:
    if layer == 1:
        return say("at every layer")
    if layer == n_layers:
        return say("at the last layer only, {layer}", layer=layer)
    return say(
        "from layer {layer} of {n_layers} on (depth {depth})",
        layer=layer,
        n_layers=n_layers,
        depth=number(layer / n_layers, ".2f"),
    )


def _size(gap: float) -> str:
    if 0 < gap < 0.01:
        return say("under {least} logits", least=number(0.01))
    return say("{amount} logits", amount=amount(gap))


def pieces_note(runs: Sequence[NamedRun], word: str, over: str) -> str:
    """By which token a model reads a word that has several there; "" where each word is one token in all."""
    told = []
    for each in runs:
        side = each.sides[0]
        both, parting = side.read_for_lead(word, over), side.parting(word, over)
        pieces = [
            say("{word} by {token}", word=quoted(whole), token=quoted_token(lens.token))
            for whole, lens in zip((word, over), both or (), strict=False)
            if lens.token.strip() != whole
        ]
        if pieces:
            clause = listed(pieces)
            if parting is not None:
                clause = say("{words}, behind {shared}", words=clause, shared=quoted_token(parting.shared))
            told.append(_within([each.letter] if len(runs) > 1 else [], clause))
    return say("Read by the first token in which they differ: {clauses}.", clauses="; ".join(told)) if told else ""


def format_sentence(gap: FormatGap) -> str:
    """How far one number format's lead is from another's."""
    model = gap.reference.run.session.model
    formats = {"model": model.title, "one": gap.one.run.session.model.dtype, "other": model.dtype}
    if gap.largest == 0:
        told = say("Of {model}, {one} and {other} have the same lead at every layer.", **formats)
    else:
        told = say(
            "Of {model}, {one} and {other} differ in this lead by at most {largest} ({where}), at the last layer by "
            "{at_end}.",
            **formats,
            largest=_size(gap.largest),
            where=_where(gap),
            at_end=say("nothing") if gap.at_end == 0 else _size(gap.at_end),
        )
    return " ".join([told, *(say(UNLIKE[turn]) for turn in gap.unlike)])


def _where(gap: FormatGap) -> str:
    """The layer of the largest difference, and in which answer where there are two."""
    place = {"layer": str(gap.layer), "n_layers": str(gap.reference.n_layers)}
    if len(gap.reference.sides) == 1:
        return say("layer {layer} of {n_layers}", **place)
    if gap.turn == "before":
        return say("before the correction, layer {layer} of {n_layers}", **place)
    return say("after the correction, layer {layer} of {n_layers}", **place)


UNLIKE: dict[SideName, str] = {
    "before": later(
        "Before the correction they are not compared: they had answered differently, so each reads another text there."
    ),
    "after": later(
        "After the correction they are not compared: they had answered differently, so each reads another text there."
    ),
}
"""By answer: why two number formats are not compared there. The control never is."""
