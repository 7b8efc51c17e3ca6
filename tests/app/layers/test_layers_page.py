"""The Layers page: curves and maps say what plain transformers computes, before, after, and their difference."""

from __future__ import annotations

import numpy as np
import pytest
from explore import LAYERS, alts, computed
from recompute import Recomputed
from streamlit.testing.v1 import AppTest
from visitor import chart_rows, shown_html, told, visitor

from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.on_demand import map_of
from llm_tracker.app.work.turn_ref import TurnRef

BEFORE, AFTER = (map_of(TurnRef(1, turn), "resid_post") for turn in (0, 1))


@pytest.fixture
def layers(engine: engines.Engine) -> AppTest:
    return told(engine, page=LAYERS)


def cells(at: AppTest, chart: int) -> dict[tuple[int, int], float]:
    """The cells of a map by layer and position."""
    rows = [row for table in chart_rows(at, chart) for row in table if "size" in row and "layer" in row]
    return {(int(str(row["layer"])), int(str(row["position"]))): float(str(row["value"])) for row in rows}


def test_the_curves_are_those_of_plain_transformers(engine: engines.Engine, layers: AppTest) -> None:
    model, session = engine.models.loaded("embedded"), visitor(engine).sessions[1]
    for chart, turn in ((0, session.turns[0]), (1, session.turns[1]), (2, session.controls[1])):
        probs = Recomputed(model, turn).lens_logits(0).softmax(-1)
        rows = [row for table in chart_rows(layers, chart) for row in table if "token_id" in row and "kind" in row]
        assert {row["kind"] for row in rows} >= {"leading"} or len(set(probs.argmax(-1).tolist())) == 1
        for row in rows:
            own = float(probs[int(str(row["layer"])) - 1, int(str(row["token_id"]))])
            assert float(str(row["prob"])) == pytest.approx(own, abs=1e-4)
        best = set(probs.argmax(-1).tolist())
        assert best <= {row["token_id"] for row in rows} or len(best) > 8


def test_the_map_opens_on_the_answer_and_is_that_of_plain_transformers(engine: engines.Engine, layers: AppTest) -> None:
    at = layers.segmented_control(key="arrangement of 4").set_value("after").run()
    at = computed(engine, at, AFTER)
    turn = visitor(engine).sessions[1].turns[1]
    truth = Recomputed(engine.models.loaded("embedded"), turn)
    drawn = cells(at, 1)
    last = turn.trace.prompt_length + turn.trace.n_steps - 2
    ids = [*turn.prompt.token_ids, *turn.trace.token_ids.tolist()]
    positions = sorted({position for _, position in drawn})
    assert (positions[0], positions[-1], len(positions)) == (last - 63, last, 64)
    for position in (positions[0], turn.trace.prompt_length - 1, last):
        probs = truth.lens_logits(position - truth.first).softmax(-1)[:, ids[position + 1]]
        assert [drawn[layer, position] for layer in (1, 2, 3)] == pytest.approx(probs.tolist(), abs=1e-4)


def test_the_stream_between_attention_and_mlp_has_a_map_of_its_own(engine: engines.Engine, layers: AppTest) -> None:
    at = layers.segmented_control(key="arrangement of 4").set_value("after").run()
    at = at.segmented_control(key="site segments").set_value("resid_mid").run()
    at = computed(engine, at, map_of(TurnRef(1, 1), "resid_mid"))
    turn = visitor(engine).sessions[1].turns[1]
    truth = Recomputed(engine.models.loaded("embedded"), turn)
    position = turn.trace.prompt_length - 1
    probs = truth.tail(truth.resid_mid[:, position]).softmax(-1)[:, int(turn.trace.token_ids[0])]
    drawn = cells(at, 1)
    assert [drawn[layer, position] for layer in (1, 2, 3)] == pytest.approx(probs.tolist(), abs=1e-4)
    assert at.query_params["site"] == "resid_mid"


def test_a_difference_is_after_minus_before_where_the_texts_have_the_same(
    engine: engines.Engine, layers: AppTest
) -> None:
    at = layers.segmented_control(key="arrangement of 4").set_value("difference").run()
    at = computed(engine, computed(engine, at, BEFORE), AFTER)
    at.selectbox(key=next(box.key for box in at.selectbox if str(box.key).startswith("map shows"))).select(
        "entropy_nats"
    ).run()
    session = visitor(engine).sessions[1]
    model = engine.models.loaded("embedded")
    entropies = []
    for turn in session.turns:
        log_probs = Recomputed(model, turn).lens_logits(0).log_softmax(-1)
        entropies.append(-(log_probs.exp() * log_probs).sum(-1).numpy())
    expected = entropies[1] - entropies[0]
    rows = [row for table in chart_rows(at, 1) for row in table if "position_after" in row]
    slot = session.turns[1].trace.prompt_length - 1
    own = {row["layer"]: row["value"] for row in rows if row["position_after"] == slot}
    assert [own[layer] for layer in (1, 2, 3)] == pytest.approx(expected.tolist(), abs=1e-3)
    common = [row["value"] for row in rows if row["position_after"] == row["position_before"] == 5]
    assert not common or np.abs(common).max() < 1e-4


def test_a_cell_that_is_chosen_shows_its_ten_likeliest_tokens(engine: engines.Engine, layers: AppTest) -> None:
    at = layers.segmented_control(key="arrangement of 4").set_value("after").run()
    at = computed(engine, at, AFTER)
    turn = visitor(engine).sessions[1].turns[1]
    at = at.number_input(key="Layer of the cell, after").set_value(2).run()
    at = at.number_input(key="Token of the cell, after").set_value(turn.trace.prompt_length - 4).run()
    position = turn.trace.prompt_length - 5
    assert at.query_params["cell"] == f"2-{position}"
    probs = Recomputed(engine.models.loaded("embedded"), turn)
    best = probs.lens_logits(position - probs.first)[1].softmax(-1).topk(10)
    table = next(each.proto.body for each in at.get("html") if "Layer 2 of 3, behind" in each.proto.body)
    assert table.count("<tr>") == 11
    lens = visitor(engine).computed[AFTER]
    assert lens.cell(2, position)["token_id"].tolist() == best.indices.tolist()


def test_one_answer_alone_has_one_curve_and_one_map(engine: engines.Engine) -> None:
    at = told(engine, "", LAYERS)
    assert len(alts(at)) == 1
    assert not any(str(each.key).startswith("arrangement") for each in at.segmented_control)
    at = computed(engine, at, BEFORE)
    assert [each.split(".")[0] for each in alts(at)] == [
        "Words through the layers, before",
        "What every layer would write, before",
    ]


def test_a_model_without_that_place_says_so(engine: engines.Engine) -> None:
    at = told(engine, "", LAYERS)
    model = engine.models.loaded("embedded")
    assert model is not None
    sites = model.sites
    object.__setattr__(model, "sites", type(sites)(sites.locations, {"resid_mid": "it has no such place."}))
    try:
        at = at.segmented_control(key="site segments").set_value("resid_mid").run()
        at = at.button(key=f"begin {map_of(TurnRef(1, 0), 'resid_mid')}").click().run()
        for _ in range(50):
            at = at.run()
            if "cannot be read" in shown_html(at):
                break
        assert "cannot be read or replaced in this model: it has no such place." in shown_html(at)
    finally:
        object.__setattr__(model, "sites", sites)
