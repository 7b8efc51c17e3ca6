"""The views of the Correction page: what is computed further on a click, what is chosen, and what cannot be drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from correcting import all_there, case_of, keep, kept, of_correction, parts_of
from explore import alts
from small_experiments import whole_experiment
from streamlit.testing.v1 import AppTest
from visitor import chart_rows, settled, shown_html, visitor

from llm_tracker.app.correction.heads import ATTRIBUTIONS
from llm_tracker.app.work import engine as engines
from llm_tracker.experiments.values.experiment import available
from llm_tracker.experiments.values.findings import Unavailable


def with_parts(engine: engines.Engine, *parts: str) -> AppTest:
    """A page on which these parts were found out."""
    at = of_correction(engine)
    keep(engine, parts_of(engine, parts))
    return settled(at.run())


def with_whole(engine: engines.Engine, **changes: object) -> AppTest:
    """A page with every part, some of them changed."""
    at = of_correction(engine)
    whole = replace(whole_experiment(), turn=1, case=case_of(visitor(engine).sessions[1]))
    keep(engine, replace(whole, **changes))
    return settled(at.run())


def test_words_are_hidden_in_the_layers_that_the_slider_says(engine: engines.Engine) -> None:
    at = with_parts(engine, "knock_out")
    (window,) = (slider for slider in at.slider if slider.label == "Hidden in the layers")
    assert not [button for button in at.button if button.label.startswith("Hide in layers")]
    at = window.set_value((2, 3)).run()
    before = kept(engine)
    at = all_there(engine, at.button(key="hide in layers").click().run())
    found, all_layers = available(kept(engine).knock_outs), available(before.knock_outs)
    assert found is not None
    assert all_layers is not None
    assert (all_layers.layers, found.layers) == ((1, 3), (2, 3))
    assert [word.text for word in found.words] == [word.text for word in all_layers.words]
    assert [word.delta for word in found.words] != [word.delta for word in all_layers.words]
    assert not [button for button in at.button if button.label.startswith("Hide in layers")]


def test_every_position_is_swapped_when_it_is_asked_for(engine: engines.Engine) -> None:
    at = with_parts(engine, "hand_over")
    assert not [alt for alt in alts(at) if alt.startswith("Every position")]
    at = all_there(engine, at.button(key="run grid").click().run())
    path = available(kept(engine).hand_over)
    assert path is not None
    assert path.grid is not None
    assert (len(path.grid), len(path.grid[0])) == (path.n_layers + 1, len(path.tokens))
    assert [alt for alt in alts(at) if alt.startswith("Every position")]


@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_what_each_layer_adds_is_shown_of_the_answer_that_is_chosen(engine: engines.Engine, name: str) -> None:
    at = with_parts(engine, "attribution")
    at = settled(at.segmented_control(key="added segments").set_value(name).run())
    found = {each.name: each for each in available(kept(engine).attributions) or ()}
    (place,) = (at for at, alt in enumerate(alts(at)) if alt.startswith("What each layer adds"))
    rows = [row for rows in chart_rows(at, place) for row in rows if row.get("part") == "attention"]
    wanted = [
        layer.attention - again.attention if name == "difference" else layer.attention
        for layer, again in zip(
            found["after" if name == "difference" else name].layers, found["asked_again"].layers, strict=True
        )
    ]
    assert [row["value"] for row in rows] == pytest.approx(wanted)


def test_why_a_part_cannot_be_had_is_said_once_at_the_first_drawing_too(engine: engines.Engine) -> None:
    why = "The words are not cut into as many tokens."
    at = with_whole(engine, hand_over=Unavailable(why), heads=None)
    missing = "This part was not run."
    assert [shown_html(at).count(said) for said in (why, missing)] == [1, 1]
    assert [shown_html(at.run()).count(said) for said in (why, missing)] == [1, 1]


def test_a_heading_over_no_chart_says_why(engine: engines.Engine) -> None:
    several = whole_experiment().attributions
    assert isinstance(several, tuple)
    at = with_whole(engine, attributions=tuple(replace(each, heads=None, head_words=()) for each in several))
    assert shown_html(at).count("heads cannot be told apart") == 1
    assert "What each layer adds" in " ".join(alts(at))
