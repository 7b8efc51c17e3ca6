"""Every view of a session by its name: what the pages draw, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.curves import CurveMeasure
from llm_tracker.analysis.heads import HeadMeasure, grid_of, kept_rows, named_places, opening_words
from llm_tracker.analysis.layers import LayerMeasure
from llm_tracker.analysis.lens.position_lens import Cell
from llm_tracker.analysis.patterns import PatternBy, paired_places, pattern_text
from llm_tracker.analysis.tokens import TokenMeasure
from llm_tracker.errors import InputError
from llm_tracker.figures.asked import Asked
from llm_tracker.figures.attention import attention_figure
from llm_tracker.figures.candidates import candidates_figure
from llm_tracker.figures.curves import curves_difference_figure, curves_figure
from llm_tracker.figures.figure import Figure
from llm_tracker.figures.heads import heads_difference_figure, heads_figure
from llm_tracker.figures.layers import layers_figure
from llm_tracker.figures.patterns import pattern_difference_figure, pattern_figure
from llm_tracker.figures.positions import map_difference_figure, map_figure
from llm_tracker.figures.samples import samples_figure
from llm_tracker.figures.sides import sides_for
from llm_tracker.figures.tokens import tokens_figure
from llm_tracker.progress import ended
from llm_tracker.prompts.words import Span
from llm_tracker.several import several
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import FloatArray, StreamSite
from llm_tracker.tracing.whole_words import Place
from llm_tracker.wording.labels import side_label

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def figure(
    session: Session,
    view: str,
    turn: int = -1,
    against: int | None = None,
    *,
    against_session: Session | None = None,
    control: bool = False,
    compare_at: Place = "first",
    step: int | None = None,
    against_step: int | None = None,
    difference: bool = False,
    words: Sequence[str] | None = None,
    measure: str | None = None,
    over: str | None = None,
    layer: int | None = None,
    head: int | None = None,
    against_layer: int | None = None,
    against_head: int | None = None,
    shows: str | None = None,
    first: int | None = None,
    cell: Cell | None = None,
    query: int | None = None,
    site: StreamSite = "resid_post",
    by: PatternBy = "word",
    weighed: bool = False,
    limits: tuple[float, float] | None = None,
    n: int = 32,
    temperature: float = 1.0,
    seed: int = 0,
    model: LoadedModel | None = None,
) -> Figure:
    """One view of a session, as the pages draw it: chart, numbers and sentence.

    Views: candidates, layers, attention, tokens, curves, heads, map, pattern, samples; the last three, and heads that
    are `weighed` by values, read the text once more and need the `model`.

    `turn` counts from 0, or from the end if negative. With `against` another turn stands before it: of the session, or
    of `against_session`, which may be another model's; with `difference` what the turn has more is drawn. With
    `control` the turn's neutral control takes its place. `step` is the token that is looked at: unless given that which
    carries the answer, or where two are compared the first of each; with `compare_at` “answer”, that which carries
    each.

    `words` are those to follow (the session's watch words unless given); in the view heads, the ones that the cells are
    about. `measure`: of layers lead (of the first word over the second, or over `over`), prob or rank; of curves prob,
    logit or rank; of tokens prob or entropy_nats; of heads words, parked, entropy or max. `layer` and `head` count from
    1, and are outlined in the view heads; `against_layer` and `against_head` are those of another model. Of the map,
    `shows` is what the colours mean, `cell` the layer and position (from 0) that is outlined, `site` where the stream
    is read. A pattern is drawn `by` “word” or “token”, the row of the place `query` outlined. Both begin at the
    position or place `first`. `limits` are the ends of the scale of curves, heads and map, for figures that stand
    beside each other. Samples are `n` answers at a `temperature`, with the seeds from `seed` on.

    Raises InputError for what is not there, and where a view needs the model or was made by another one.
    """
    choices = (
        ("view", view, VIEWS),
        ("site", site, get_args(StreamSite)),
        ("pattern by", by, get_args(PatternBy)),
        ("place to compare at", compare_at, get_args(Place)),
    )
    for what, value, known in choices:
        if value not in known:
            raise InputError(f"There is no {what} “{value}”. Choose one of: {', '.join(known)}.")
    if against is None and (difference or against_step is not None or against_session is not None):
        raise InputError(
            "A difference, a step of the answer before, or another session is of two answers: say which stands before "
            "this one, with against=… (--against)."
        )
    sides = sides_for(session, turn, against, step, against_step, control, against_session, compare_at)
    if difference and sides[0].model:
        raise InputError("These answers are of two models: they have no difference.")
    if difference and view == "samples":
        raise InputError("Sampled answers are of one question: they have no difference.")
    if difference and (cell, query, limits) != (None, None, None):
        raise InputError("A cell, a query and limits are of one answer: leave them out of a difference.")
    if model is not None:
        _require_same_weights(model, session, against_session if difference else None)
    asked = Asked(
        sides=sides,
        words=several(_opening(session, view, sides) if words is None else words),
        measure=measure,
        over=over,
        layer=layer,
        head=head,
        against_layer=against_layer,
        against_head=against_head,
        shows=shows,
        first=first,
        cell=cell,
        query=query,
        site=site,
        by=by,
        weighed=weighed,
        limits=limits,
        difference=difference,
        n=n,
        temperature=temperature,
        seed=seed,
        greedy=session.decoding.temperature is None and not _is_branch(session, sides[-1].turn),
        decoding=session.decoding,
        model=model,
    )
    drawn = VIEWS[view](asked)
    # Of two answers some views draw the later one alone.
    is_one_of_two = len(asked.answers) > 1 and not difference and set(drawn.frame["turn"]) <= {asked.last.name}
    return replace(drawn, title=f"{drawn.title}, {side_label(asked.last)}") if is_one_of_two else drawn


def _require_same_weights(model: LoadedModel, *sessions: Session | None) -> None:
    from llm_tracker.tracing.provenance import require_same_weights

    for each in sessions:
        if each is not None:
            require_same_weights(model, each)


def _opening(session: Session, view: str, sides: Sequence[Side]) -> Sequence[str]:
    """The words of a view unless they are given: those that are watched; of heads, what the page opens with."""
    if view != "heads":
        return session.watch_words
    own = next(side for side in reversed(sides) if side.name != "again")
    return opening_words(session, own.turn, own.step)


def _candidates(asked: Asked) -> Figure:
    return candidates_figure(asked.sides, asked.words, asked.difference)


def _layers(asked: Asked) -> Figure:
    measure = cast(LayerMeasure, asked.chosen(get_args(LayerMeasure)))
    over = asked.over or (asked.words[1] if measure == "lead" and len(asked.words) > 1 else None)
    if measure == "lead" and (over is None or not asked.words):
        raise InputError("A lead is of one word over another: give two with words=, or the measure prob or rank.")
    return layers_figure(asked.sides, measure, asked.words[0] if asked.words else None, over, asked.difference)


def _attention(asked: Asked) -> Figure:
    return attention_figure(asked.sides, asked.head_of, asked.difference)


def _tokens(asked: Asked) -> Figure:
    return tokens_figure(asked.sides, cast(TokenMeasure, asked.chosen(get_args(TokenMeasure))), asked.difference)


def _curves(asked: Asked) -> Figure:
    measure = cast(CurveMeasure, asked.chosen(get_args(CurveMeasure)))
    if asked.difference:
        return curves_difference_figure(asked.sides, asked.words, measure)
    return curves_figure(asked.last, asked.words, measure, limits=asked.limits)


def _heads(asked: Asked) -> Figure:
    measure = cast(HeadMeasure, asked.chosen(get_args(HeadMeasure)))
    if asked.difference:
        before, after = (
            grid_of(_rows(asked, side), side.turn, side.step, measure, _spans(asked, side)) for side in asked.answers
        )
        if before.shape != after.shape:
            raise InputError("These two answers are of models with other layers or heads: they have no difference.")
        return heads_difference_figure(before, after, measure, asked.chosen_head)
    last = asked.last
    there = [word for word in asked.words if named_places(last.turn, last.step, word)]
    rows = _rows(asked, last) if asked.weighed else None
    return heads_figure(last, measure, _spans(asked, last), there, rows, asked.chosen_head, asked.limits)


def _spans(asked: Asked, side: Side) -> list[Span]:
    return [span for word in asked.words for span in named_places(side.turn, side.step, word)]


def _rows(asked: Asked, side: Side) -> FloatArray:
    if not asked.weighed:
        return kept_rows(side.turn, side.step)
    from llm_tracker.tracing.rereading.value_weights import value_weights

    return value_weights(asked.required_model("heads"), side.turn, side.step).head_shares


def _map(asked: Asked) -> Figure:
    from llm_tracker.analysis.lens.position_tables import position_lens

    model = asked.required_model("map")
    shows, drawn = asked.shows or "next_prob", asked.answers if asked.difference else (asked.last,)
    read = [(side.turn, position_lens(model, side.turn, asked.words, asked.site)) for side in drawn]
    if asked.difference:
        return map_difference_figure(read[0], read[1], shows, asked.first)
    return map_figure(*read[0], shows, asked.first, asked.cell, asked.limits).of_turn(asked.last.name)


def _pattern(asked: Asked) -> Figure:
    from llm_tracker.tracing.rereading.head_patterns import head_pattern

    model, by = asked.required_model("pattern"), asked.by
    layer, head = replace(asked, sides=(asked.last,)).head_of[asked.last.name]
    turns = [side.turn for side in (asked.answers if asked.difference else (asked.last,))]
    read = [pattern_text(turn, head_pattern(model, turn, layer, 1 if head is None else head), by) for turn in turns]
    if asked.difference:
        return pattern_difference_figure(read[0], read[1], paired_places(turns[0], turns[1], by), asked.first)
    return pattern_figure(read[0], asked.first, asked.query).of_turn(asked.last.name)


def _samples(asked: Asked) -> Figure:
    from llm_tracker.tracing.sampling import stream_samples

    turn = asked.last.turn
    decoding = replace(asked.decoding, temperature=asked.temperature, top_p=1.0, seed=asked.seed)
    found = ended(stream_samples(asked.required_model("samples"), turn.prompt, decoding, asked.n))
    return samples_figure(found, turn.answer if asked.greedy else None)


def _is_branch(session: Session, turn: Turn) -> bool:
    """Whether an answer was made to say something else."""
    return session.parent is not None and session.turns[session.parent.turn] is turn


VIEWS: dict[str, Callable[[Asked], Figure]] = {
    "candidates": _candidates,
    "layers": _layers,
    "attention": _attention,
    "tokens": _tokens,
    "curves": _curves,
    "heads": _heads,
    "map": _map,
    "pattern": _pattern,
    "samples": _samples,
}
NEED_THE_MODEL = ("map", "pattern", "samples")
