"""Shares and counts in a sentence: below nothing, hardly anything, once."""

from __future__ import annotations

import pytest

from llm_tracker.wording.correction.amounts import signed_share, times


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.42, "42 %"),
        (1.3, "130 %"),
        (0.0, "0 %"),
        (-0.4, "−40 %"),
        (-0.003, "−0.3 %"),
        (-1.3, "−130 %"),
        (-0.0004, "under 0.1 %"),
        (0.9997, "over 99.9 %"),
        (-0.9997, "−100 %"),
    ],
)
def test_a_share_has_its_sign_in_front_of_a_number_alone(share: float, said: str) -> None:
    assert signed_share(share) == said


def test_what_happens_one_time_happens_once() -> None:
    assert [times(n) for n in (0, 1, 2)] == ["0 times", "once", "2 times"]
