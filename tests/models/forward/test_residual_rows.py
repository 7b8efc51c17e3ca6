"""Residual streams side by side are read as one row a position, wherever the model keeps them."""

from __future__ import annotations

import pytest
import torch

from llm_tracker.models.forward.residual_rows import apart, hidden_input, hidden_state, n_streams, side_by_side

BEHIND = torch.arange(2 * 3 * 4.0).view(1, 2, 3, 4)  # 2 positions, 3 streams of width 4
IN_FRONT = BEHIND.movedim(2, 0)


@pytest.mark.parametrize("rows", [BEHIND, IN_FRONT])
def test_a_position_has_its_streams_one_after_another_and_they_come_apart_again(rows: torch.Tensor) -> None:
    wide = side_by_side(rows)
    assert wide.shape == (1, 2, 12)
    assert wide[0, 1].tolist() == BEHIND[0, 1].flatten().tolist()
    assert n_streams(rows.shape) == 3
    assert torch.equal(apart(wide[0], rows), rows)


def test_a_single_stream_stays_as_it_is() -> None:
    rows = torch.ones(1, 2, 4)
    assert side_by_side(rows) is rows
    assert n_streams(rows.shape) == 1
    assert apart(rows[0], rows).shape == rows.shape


def test_layers_give_and_take_them_so() -> None:
    mask = torch.zeros(1, 1, 2, 2)
    taken = hidden_input((), {"position_ids": torch.ones(1, 2, dtype=torch.long), "states": BEHIND, "mask": mask})
    assert taken is not None
    assert taken.shape == hidden_state((BEHIND, None)).shape == (1, 2, 12)
