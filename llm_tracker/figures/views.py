"""Every view of a session by its name: what the pages draw, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast, get_args

from llm_tracker.analysis.attention import last_attending, require_attention
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.curves import CurveMeasure
from llm_tracker.analysis.heads import HeadMeasure, grid_of, kept_rows, named_places, opening_words
from llm_tracker.analysis.layers import LayerMeasure
from llm_tracker.analysis.tokens import TokenMeasure
from llm_tracker.errors import InputError
from llm_tracker.figures.attention import attention_figure
from llm_tracker.figures.candidates import candidates_figure
from llm_tracker.figures.curves import curves_difference_figure, curves_figure
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.heads import (
    heads_difference_figure,
    heads_figure,
    pattern_by_word,
    pattern_figure,
    pattern_frame,
)
from llm_tracker.figures.layers import layers_figure
from llm_tracker.figures.positions import map_difference_figure, map_figure
from llm_tracker.figures.sides import sides_for
from llm_tracker.figures.tokens import tokens_figure
from llm_tracker.prompts.words import Span
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import FloatArray, StreamSite

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


@dataclass(frozen=True, eq=False)
class Look:
    """What of a view is drawn; what is None, each view chooses by itself."""

    sides: tuple[Side, ...]
    """One answer, or before and after, and the control where there is one."""
    words: tuple[str, ...]
    measure: str | None = None
    over: str | None = None
    layer: int | None = None
    head: int | None = None
    shows: str | None = None
    first: int | None = None
    site: StreamSite = "resid_post"
    by: str = "word"
    weighed: bool = False
    difference: bool = False
    model: LoadedModel | None = None

    @property
    def answers(self) -> tuple[Side, ...]:
        """The sides without the control."""
        return tuple(side for side in self.sides if side.name != "again")

    @property
    def last(self) -> Side:
        """The answer that a view of one alone shows."""
        return self.answers[-1]

    def chosen(self, measures: Sequence[str]) -> Any:
        """The measure, one of these; the first unless another is chosen. Raises InputError for any other."""
        if self.measure is not None and self.measure not in measures:
            raise InputError(f"There is no measure “{self.measure}” here. Choose one of: {', '.join(measures)}.")
        return self.measure or measures[0]

    @property
    def attending_layer(self) -> int:
        """The layer that is looked at, the last with attention unless chosen. Raises InputError where it has none."""
        layer = last_attending(self.last.turn.trace) if self.layer is None else self.layer
        for side in self.answers:
            require_attention(side.turn.trace, layer)
        return layer

    def required_model(self, view: str) -> LoadedModel:
        """The model. Raises InputError where none was given."""
        if self.model is None:
            raise InputError(f"The view “{view}” reads the text once more: give it the model, with model=….")
        return self.model


def figure(
    session: Session,
    view: str,
    turn: int = -1,
    against: int | Turn | None = None,
    *,
    control: bool = False,
    step: int | None = None,
    against_step: int | None = None,
    difference: bool = False,
    words: Sequence[str] | None = None,
    measure: str | None = None,
    over: str | None = None,
    layer: int | None = None,
    head: int | None = None,
    shows: str | None = None,
    first: int | None = None,
    site: StreamSite = "resid_post",
    by: str = "word",
    weighed: bool = False,
    model: LoadedModel | None = None,
) -> Figure:
    """One view of a session, as the pages draw it: chart, numbers and sentence.

    Views: candidates, layers, attention, tokens, curves, heads, map, pattern; the last two, and heads that are
    `weighed` by values, read the text once more and need the `model`. `turn` counts from 0, or from the end if
    negative; with `against` another turn of the session (or of another one, as a value) stands before it, and with
    `difference` what the turn has more is drawn. With `control` the turn's neutral control takes its place. `step` is
    the token that is looked at: unless given that which carries the answer, or where two are compared the first of
    each. `words` are those to follow (the session's watch words unless given); in the view heads, the ones that the
    cells are about. `measure`: of layers lead (of the first word over the second, or over `over`), prob or rank; of
    curves prob, logit or rank; of tokens prob or entropy_nats; of heads words, parked, entropy or max. `layer` and
    `head` count from 1. Of the map, `shows` is what the colours mean, `first` the first position, `site` where the
    stream is read. A pattern is drawn `by` “word” or “token”.

    Raises InputError for what is not there, and where a view needs the model.
    """
    choices = (("view", view, VIEWS), ("site", site, get_args(StreamSite)), ("pattern by", by, PATTERN_BY))
    for what, value, known in choices:
        if value not in known:
            raise InputError(f"There is no {what} “{value}”. Choose one of: {', '.join(known)}.")
    if difference and view == "pattern":
        raise InputError("A pattern is of one answer: it has no difference.")
    if against is None and (difference or against_step is not None):
        raise InputError(
            "A difference, or a step of the answer before, is of two answers: say which stands before this one, with "
            "against=… (--against)."
        )
    sides = sides_for(session, turn, against, step, against_step, control)
    look = Look(
        sides=sides,
        words=(words,) if isinstance(words, str) else tuple(_opening(session, view, sides) if words is None else words),
        measure=measure,
        over=over,
        layer=layer,
        head=head,
        shows=shows,
        first=first,
        site=site,
        by=by,
        weighed=weighed,
        difference=difference,
        model=model,
    )
    return VIEWS[view](look)


def _opening(session: Session, view: str, sides: Sequence[Side]) -> Sequence[str]:
    """The words of a view unless they are given: those that are watched; of heads, what the page opens with."""
    if view != "heads":
        return session.watch_words
    own = next(side for side in reversed(sides) if side.name != "again")
    return opening_words(session, own.turn, own.step)


def _candidates(look: Look) -> Figure:
    return candidates_figure(look.sides, look.words, look.difference)


def _layers(look: Look) -> Figure:
    measure = cast(LayerMeasure, look.chosen(get_args(LayerMeasure)))
    over = look.over or (look.words[1] if measure == "lead" and len(look.words) > 1 else None)
    if measure == "lead" and (over is None or not look.words):
        raise InputError("A lead is of one word over another: give two with words=, or the measure prob or rank.")
    return layers_figure(look.sides, measure, look.words[0] if look.words else None, over, look.difference)


def _attention(look: Look) -> Figure:
    at = (look.attending_layer, look.head)
    return attention_figure(look.sides, {str(side.name): at for side in look.sides}, look.difference)


def _tokens(look: Look) -> Figure:
    return tokens_figure(look.sides, cast(TokenMeasure, look.chosen(get_args(TokenMeasure))), look.difference)


def _curves(look: Look) -> Figure:
    measure = cast(CurveMeasure, look.chosen(get_args(CurveMeasure)))
    if look.difference:
        return curves_difference_figure(look.answers[0], look.answers[1], look.words, measure)
    return curves_figure(look.last, look.words, measure)


def _heads(look: Look) -> Figure:
    measure = cast(HeadMeasure, look.chosen(get_args(HeadMeasure)))
    if look.difference:
        before, after = (
            grid_of(_rows(look, side), side.turn, side.step, measure, _spans(look, side)) for side in look.answers
        )
        if before.shape != after.shape:
            raise InputError("These two answers are of models with other layers or heads: they have no difference.")
        return heads_difference_figure(before, after, measure)
    last = look.last
    there = [word for word in look.words if named_places(last.turn, last.step, word)]
    return heads_figure(last, measure, _spans(look, last), there, _rows(look, last) if look.weighed else None)


def _spans(look: Look, side: Side) -> list[Span]:
    return [span for word in look.words for span in named_places(side.turn, side.step, word)]


def _rows(look: Look, side: Side) -> FloatArray:
    if not look.weighed:
        return kept_rows(side.turn, side.step)
    from llm_tracker.tracing.rereading.value_weights import value_weights

    return value_weights(look.required_model("heads"), side.turn, side.step).head_shares


def _map(look: Look) -> Figure:
    from llm_tracker.analysis.lens.position_tables import position_lens

    model = look.required_model("map")
    shows, drawn = look.shows or "next_prob", look.answers if look.difference else (look.last,)
    read = [(side.turn, position_lens(model, side.turn, look.words, look.site)) for side in drawn]
    if look.difference:
        return map_difference_figure(read[0], read[1], shows, look.first)
    return _of_side(map_figure(*read[0], shows, look.first), look.last)


def _pattern(look: Look) -> Figure:
    from llm_tracker.tracing.rereading.head_patterns import head_pattern

    model, turn = look.required_model("pattern"), look.last.turn
    pattern = head_pattern(model, turn, look.attending_layer, 1 if look.head is None else look.head)
    if look.by == "token":
        tokens = [turn.prompt.text[start:end] for start, end in turn.prompt.spans] + list(turn.trace.tokens)
        frame = pattern_frame(pattern, tokens, *_window(look, len(tokens)))
    else:
        words = turn.words_before(turn.trace.n_steps)
        frame = pattern_by_word(pattern, words, *_window(look, len(words)))
    return _of_side(pattern_figure(pattern, frame), look.last)


def _of_side(figure: Figure, side: Side) -> Figure:
    return replace(figure, frame=figure.frame.assign(turn=side.name))


def _window(look: Look, count: int) -> tuple[int, int]:
    from llm_tracker.figures.heads import WINDOW

    first = max(0, count - WINDOW) if look.first is None else max(0, min(look.first, count - 1))
    return first, min(first + WINDOW, count)


VIEWS: dict[str, Callable[[Look], Figure]] = {
    "candidates": _candidates,
    "layers": _layers,
    "attention": _attention,
    "tokens": _tokens,
    "curves": _curves,
    "heads": _heads,
    "map": _map,
    "pattern": _pattern,
}
NEED_THE_MODEL = ("map", "pattern")
PATTERN_BY = ("word", "token")
