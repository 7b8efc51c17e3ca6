"""A watch word through the layers: where a statement about it begins to hold."""

from __future__ import annotations

import numpy as np

from llm_tracker.analysis.layers import settled_layer


def test_a_statement_settles_at_the_first_layer_from_which_it_holds() -> None:
    assert settled_layer(np.array([True, True])) == 1
    assert settled_layer(np.array([True, False, True])) == 3
    assert settled_layer(np.array([True, False])) is None
