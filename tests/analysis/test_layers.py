"""A watch word through the layers: where a statement about it begins to hold."""

from __future__ import annotations

import numpy as np

from llm_tracker.analysis.layers import parting_layer, settled_layer


def test_a_statement_settles_at_the_first_layer_from_which_it_holds() -> None:
    assert settled_layer(np.array([True, True])) == 1
    assert settled_layer(np.array([True, False, True])) == 3
    assert settled_layer(np.array([True, False])) is None


def test_two_readings_part_where_more_than_half_of_their_last_difference_is_there_to_stay() -> None:
    assert parting_layer(np.array([0.0, 3.0, 1.0, 2.5, 4.0])) == 4
    assert parting_layer(np.array([0.0, 2.0, -0.9, -1.1, -2.0])) == 4, "a difference of the other sign is none of it"
    assert parting_layer(np.array([1.0, 1.0])) == 1
