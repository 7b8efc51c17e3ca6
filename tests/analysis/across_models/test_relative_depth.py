"""The lead by relative depth: the logits of a plain read-out, on an axis that models of any depth share."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from model_runs import OVER, WORD, called, having_read_otherwise, leading, run_of, two_sizes
from tiny_models import tiny_network

from llm_tracker.analysis.across_models.relative_depth import COLUMNS, ending, format_gap, lead_by_depth
from llm_tracker.analysis.across_models.runs import named


def plain_lead(n_layers: int, turn: int) -> list[float]:
    """The lead at an answer's first token by transformers' own hidden states, norm and output matrix."""
    network = tiny_network("llama", num_hidden_layers=n_layers, attn_implementation="eager")
    answered = run_of(n_layers).session.turns[turn]
    ids = torch.tensor([answered.prompt.token_ids])
    watched = answered.trace.lens[0].watched
    with torch.no_grad():
        found = network(ids, output_hidden_states=True)
        rows = [network.model.norm(state[0, -1]) for state in found.hidden_states[1:-1]]
        logits = [network.lm_head(row) for row in rows] + [found.logits[0, -1]]
    return [float(each[watched[WORD].token_id] - each[watched[OVER].token_id]) for each in logits]


@pytest.mark.parametrize("n_layers", [3, 5])
def test_the_lead_is_the_difference_of_the_plain_models_logits(n_layers: int) -> None:
    frame = lead_by_depth(named([run_of(n_layers)]), WORD, OVER)
    for turn, name in enumerate(("before", "after")):
        own = frame[frame["turn"] == name]
        assert own["lead"].tolist() == pytest.approx(plain_lead(n_layers, turn), abs=1e-3)


def test_layers_of_all_models_end_at_the_depth_of_one() -> None:
    frame = lead_by_depth(two_sizes(), WORD, OVER)
    assert tuple(frame.columns) == COLUMNS
    for letter, n_layers in (("A", 3), ("B", 5)):
        own = frame[(frame["model"] == letter) & (frame["turn"] == "before")]
        assert own["layer"].tolist() == list(range(1, n_layers + 1))
        assert own["depth"].tolist() == pytest.approx([layer / n_layers for layer in range(1, n_layers + 1)])
    assert set(frame["turn"]) == {"before", "after", "again"}


def test_a_word_that_was_not_read_has_no_rows() -> None:
    frame = lead_by_depth(two_sizes(), WORD, "zebra")
    assert frame.empty
    assert tuple(frame.columns) == COLUMNS


@pytest.mark.parametrize(
    ("values", "layer"),
    [([-1, 2, 3], 2), ([1, 2, 3], 1), ([1, -2, 3], 3), ([1, 2, -3], 3), ([1, 0, 3], 3), ([1, 2, 0], None)],
)
def test_a_lead_ends_where_it_last_came_to_be_one_words(values: list[float], layer: int | None) -> None:
    end = ending(np.array(values, dtype="float32"))
    assert (end.lead, end.layer, end.n_layers) == (values[-1], layer, 3)


def test_the_gap_of_two_formats_is_the_largest_difference_of_both_answers() -> None:
    one, other = leading([1, 2, 3], [1, 1, 1]), leading([1, 2.5, 3], [1, 1, 0.75])
    runs = named([called(one, "Small", "float32"), called(other, "Small", "bfloat16")])
    gap = format_gap(runs[1], runs[0], WORD, OVER)
    assert gap is not None
    assert (gap.largest, gap.turn, gap.layer, gap.at_end) == (0.5, "before", 2, 0.25)


def test_behind_answers_that_differ_formats_are_not_compared() -> None:
    one, other = leading([1, 2, 3], [1, 1, 1]), having_read_otherwise(leading([1, 2.5, 3], [9, 9, 9]))
    runs = named([called(one, "Small", "float32"), called(other, "Small", "bfloat16")])
    gap = format_gap(runs[1], runs[0], WORD, OVER)
    assert gap is not None
    assert (gap.largest, gap.turn, gap.at_end, gap.unlike) == (0.5, "before", 0, ("after",))


def test_formats_of_which_one_was_not_read_have_no_gap() -> None:
    runs = two_sizes()
    assert format_gap(runs[0], runs[0], WORD, "zebra") is None
