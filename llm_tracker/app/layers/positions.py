"""What every layer would write after every token of the text: a map, read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from llm_tracker.analysis.alignment import aligned_positions
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.lens.position_lens import Cell, PositionLens
from llm_tracker.analysis.lens.position_maps import NEXT, PLAIN, answer_position, map_choices, map_values
from llm_tracker.app.parts.export_menu import export_menu
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.parts.pictures import Picture, figure_picture, remembered
from llm_tracker.app.selection.address import select, selected, show_choice
from llm_tracker.app.selection.comparison import Comparison, select_of
from llm_tracker.app.selection.copy_texts import CopyTexts, copy_texts
from llm_tracker.app.selection.segments import segments
from llm_tracker.app.selection.selection import Arrangement, chosen, unless_default
from llm_tracker.app.views.on_demand import begin_button, on_demand
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.on_demand import map_of, read_map
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.figures.positions import WINDOW, map_difference_figure, map_figure, map_limits, window_start
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.trace import StreamSite
from llm_tracker.wording.formats import capitalised, listed, percent, quoted, shown
from llm_tracker.wording.labels import TURN_LABELS, side_label
from llm_tracker.wording.positions import shows_label

SITES: dict[StreamSite, str] = {
    "resid_post": later("after each layer"),
    "resid_mid": later("between its attention and its MLP"),
}

Read = list[tuple[Side, PositionLens]]
"""The answers whose maps were read."""


def positions_view(
    engine: Engine, workspace: Workspace, comparison: Comparison, shown: Arrangement, words: list[str]
) -> None:
    """All of it: the maps that are drawn are read first, one after the other."""
    st.header(say("All layers at all tokens"), anchor=False)
    site = segments("site", say("Read the stream"), {name: say(label) for name, label in SITES.items()})
    answers = [each for each in comparison.answers if shown in ("beside", "difference", each[0].name)]
    found: Read = []
    for side, ref in answers:
        lens = _lens(engine, workspace, side, ref, site, words, len(answers) > 1)
        if lens is not None:
            found.append((side, lens))
    if found and (shown != "difference" or len(found) == len(answers)):
        _maps(found, comparison, shown == "difference" and len(found) > 1)
    with st.expander(say("How to read this")):
        st.markdown(
            say(
                "A column is named for the token that was just read; its colours are about what comes after that, "
                "layer by layer from below. In the first layers of many models the token that was just read shines "
                "through. *Between attention and MLP* reads the residual stream half-way through each layer: what its "
                "attention has added is there, what its MLP adds is not. A cell is a read-out, not a decision. Of a "
                "followed word its first token is meant, written as at the beginning of the answer: two words that "
                "begin with the same token have no lead here, only in the layers of the answer's own token. The dashed "
                "line stands where the answer begins, and where a thought does."
            )
        )


def _lens(
    engine: Engine,
    workspace: Workspace,
    side: Side,
    ref: TurnRef,
    site: StreamSite,
    words: list[str],
    is_one_of_two: bool,
) -> PositionLens | None:
    """The map of one answer's text, if it was read; else the offer to read it."""
    trace, subject = side.turn.trace, map_of(ref, site)
    n = number(trace.prompt_length + trace.n_steps - 1, ",")
    begin = partial(read_map, words=tuple(words))
    which = f" ({side_label(side)})" if is_one_of_two else ""
    lens: PositionLens | None = on_demand(
        engine,
        workspace,
        subject,
        begin,
        say("Read every token{of_side}", of_side=which),
        say(
            "The logit lens of every layer at all {n} tokens of the text{of_side}, template marks and all that stands "
            "in front of the question included. It is computed when you ask for it: a few seconds for every hundred "
            "tokens on a laptop.",
            n=n,
            of_side=which,
        ),
    )
    new = [] if lens is None else [word for word in words if word not in lens.watched]
    if new and not workspace.is_at_work_on(subject):
        named = reduce(lambda told, word: listed([told, word]), map(quoted, new))
        label = say("Read again{of_side}, for {words} too", of_side=which, words=named)
        begin_button(engine, workspace, subject, begin, label)
    return lens


@st.fragment
def _maps(found: Read, comparison: Comparison, is_difference: bool) -> None:
    """The maps of a window of the text, each with its sentence, and the candidates of the cell that was chosen."""
    options = [each for each in map_choices(found[0][1]) if all(each in map_choices(lens) for _, lens in found)]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        shows = _shows(options, list(found[0][1].watched))
    if is_difference:
        with right:
            turns = (found[0][0].turn, found[1][0].turn)
            pairs = remembered("aligned positions", turns, lambda: aligned_positions(*turns))
            answer = next(place for place, (_, at) in enumerate(pairs) if at == answer_position(turns[1]))
            first = _first_token(len(pairs), answer, comparison)
        _difference(found, shows, first, comparison)
        return
    with right:
        first = _first_token(*max((len(lens.tokens), answer_position(side.turn)) for side, lens in found), comparison)
    limits = _shared_limits(found, shows, first) if len(found) > 1 else None
    for side, lens in found:
        _one(side, lens, shows, first, limits, comparison)


def _shared_limits(found: Read, shows: str, first: int | None) -> tuple[float, float]:
    """The ends of one scale for all that is drawn."""
    drawn = []
    for _, lens in found:
        start = window_start(len(lens.tokens), first or 0)
        drawn.append(map_values(lens, shows)[:, start : start + WINDOW].ravel())
    return map_limits(pd.Series(np.concatenate(drawn)), shows)


def _shows(options: list[str], words: list[str]) -> str:
    """What the colours mean."""
    key = labelled_key(f"map shows {len(options)}")
    value = chosen(selected().map_shows, options, NEXT)
    choose = show_choice(key, value, lambda picked: select(map_shows=unless_default(picked, NEXT)))
    st.selectbox(
        say("The colour is the"),
        options,
        options.index(value),
        format_func=lambda each: shows_label(each, words),
        key=key,
        on_change=choose,
    )
    return value


def _first_token(count: int, answer: int, comparison: Comparison) -> int | None:
    """Where the window begins, from 0; None where all is drawn. It opens on the answer."""
    if count <= WINDOW:
        return None
    key, latest = f"map from {count}", count - WINDOW + 1
    opens_at = window_start(count, answer, centred=True) + 1
    first = chosen(selected().map_from, range(1, latest + 1), opens_at)
    choose = show_choice(key, first, lambda picked: select_of(comparison, map_from=unless_default(picked, opens_at)))
    label = say("From token (of {n}; {window} are drawn)", n=number(count, ","), window=WINDOW)
    st.slider(label, 1, latest, first, key=key, on_change=choose)
    return first - 1


def _one(
    side: Side,
    lens: PositionLens,
    shows: str,
    first: int | None,
    limits: tuple[float, float] | None,
    comparison: Comparison,
) -> None:
    """The map of one answer; a click opens a cell."""
    cell = _cell(side, lens)
    start = window_start(len(lens.tokens), first or 0)
    drawn = remembered(
        f"map {side.name}",
        (side.turn.trace, lens, shows, start, cell, limits),
        lambda: figure_picture(map_figure(side.turn, lens, shows, start, cell, limits), side.name),
    )
    if comparison.after is not None:
        paragraph(capitalised(side_label(side)), also=f"lt-{side.name}")
    key = f"map of {side.name} {comparison.results}"
    drawn.draw(
        say("What every layer would write, {side}", side=side_label(side)),
        key,
        lambda picked: select_of(comparison, cell=(int(picked["layer"]), int(picked["position"]))),
    )
    paragraph(drawn.sentence)
    _candidates(side, lens, cell, comparison)
    _export(drawn, f"map-{side.name}", _copied(comparison, [side], [lens], shows, start, cell, limits))


def _cell(side: Side, lens: PositionLens) -> Cell:
    """The cell that is looked at: the last layer where the answer begins, unless one was chosen."""
    opens_at = (lens.n_layers, min(answer_position(side.turn), len(lens.tokens) - 1))
    cell = selected().cell or opens_at
    is_there = 1 <= cell[0] <= lens.n_layers and 0 <= cell[1] < len(lens.tokens)
    return cell if is_there else opens_at


def _candidates(side: Side, lens: PositionLens, cell: Cell, comparison: Comparison) -> None:
    """The ten likeliest tokens of a cell; by keyboard the cell is chosen by its numbers."""
    # A click on the map opens the box: as one of another key, since the browser keeps how the first one was left.
    is_picked = selected().cell is not None
    with st.expander(
        say("The ten likeliest at layer {layer}, behind token {token}", layer=cell[0], token=number(cell[1] + 1, ",")),
        expanded=is_picked,
        key=f"cell {side.name} {is_picked}",
    ):
        layer, position = st.columns(2)
        of_layer, of_token = later("Layer of the cell, {side}"), later("Token of the cell, {side}")
        _number(layer, of_layer, side, cell[0], lens.n_layers, lambda at: (at, cell[1]), comparison)
        _number(position, of_token, side, cell[1] + 1, len(lens.tokens), lambda at: (cell[0], at - 1), comparison)
        frame = lens.cell(*cell)
        rows = [
            [str(rank), shown(token), percent(prob)]
            for rank, token, prob in zip(frame["rank"], frame["token"], frame["prob"], strict=True)
        ]
        behind = quoted(lens.tokens[cell[1]])
        caption = say(
            "Layer {layer} of {n_layers}, behind {token}", layer=cell[0], n_layers=lens.n_layers, token=behind
        )
        columns = [say("rank"), say("token"), say("probability")]
        st.html(table_html(caption, columns, rows, columns[::2], frame["prob"].tolist()))


def _number(
    column: DeltaGenerator,
    label: str,
    side: Side,
    value: int,
    most: int,
    cell_of: Callable[[int], Cell],
    comparison: Comparison,
) -> None:
    key, told = label.format(side=side.name), say(label, side=say(TURN_LABELS[side.name]))
    choose = show_choice(key, value, lambda picked: select_of(comparison, cell=cell_of(int(picked))))
    column.number_input(told, 1, most, value, key=key, on_change=choose)


def _difference(found: Read, shows: str, first: int | None, comparison: Comparison) -> None:
    (before, before_lens), (after, after_lens) = found
    drawn = remembered(
        "map difference",
        (before.turn.trace, after.turn.trace, before_lens, after_lens, shows, first),
        lambda: figure_picture(
            map_difference_figure((before.turn, before_lens), (after.turn, after_lens), shows, first or 0)
        ),
    )
    drawn.draw(say("What every layer would write, after minus before"))
    paragraph(drawn.sentence)
    note = say("A pale grey column stands in one of the two texts only.")
    if shows.startswith("next"):
        note = f"{note} {say('Where another token comes next, two tokens are compared.')}"
    paragraph(note, quiet=True)
    sides, lenses = [side for side, _ in found], [lens for _, lens in found]
    _export(drawn, "map-difference", _copied(comparison, sides, lenses, shows, first or 0))


def _copied(
    comparison: Comparison,
    sides: list[Side],
    lenses: list[PositionLens],
    shows: str,
    first: int,
    cell: Cell | None = None,
    limits: tuple[float, float] | None = None,
) -> CopyTexts:
    """The code that gives a map again; words are followed only where it shows them."""
    words = list(lenses[0].watched) if shows not in PLAIN else []
    site = None if lenses[0].site == "resid_post" else lenses[0].site
    asked = {"words": words, "shows": shows, "first": first, "site": site, "cell": cell, "limits": limits}
    return copy_texts(comparison, sides, "map", len(sides) > 1, **asked)


def _export(drawn: Picture, name: str, copy: CopyTexts) -> None:
    export_menu(name, drawn.figure, copy)
