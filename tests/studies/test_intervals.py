"""Intervals and tests are the textbook's: Wilson's formula, the binomial summed, Benjamini's and Hochberg's rule."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from any_input import any_input
from hypothesis import given
from hypothesis import strategies as any_of

from llm_tracker.studies.statistics.intervals import adjusted, mean, rate, sign_test

Z = 1.959963984540054
"""The normal distribution's 97.5 % point."""


def wilson(k: int, n: int) -> tuple[float, float]:
    """The closed formula of Wilson (1927)."""
    share = k / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return centre - half, centre + half


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 7), (7, 7), (1, 2), (3, 8), (60, 120), (119, 120)])
def test_a_rate_has_wilsons_interval(k: int, n: int) -> None:
    found = rate([True] * k + [False] * (n - k))
    assert (found.value, found.n) == (k / n, n)
    assert (found.low, found.high) == pytest.approx(wilson(k, n), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_numbers_that_overflowed_are_left_out_and_not_counted() -> None:
    assert mean([1.0, math.nan, 3.0, -math.inf], seed=2) == mean([1.0, 3.0], seed=2)


def test_of_no_question_no_rate_is_known() -> None:
    found = rate([])
    assert (found.n, found.low, found.high) == (0, 0, 1)
    assert math.isnan(found.value)


def two_sided(differences: list[float]) -> float:
    """Twice the smaller tail of a fair coin, summed throw by throw."""
    above, below = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    n = above + below
    tail = sum(math.comb(n, k) for k in range(min(above, below) + 1)) / 2**n
    return min(1.0, 2 * tail)


@given(any_of.lists(any_of.sampled_from([-2.0, -0.5, 0.0, 1.0, 3.0]), max_size=25))
@any_input
def test_the_sign_test_sums_the_binomial_and_leaves_zeros_out(differences: list[float]) -> None:
    assert sign_test(differences) == pytest.approx(two_sided(differences), abs=1e-12)
    assert sign_test([-each for each in differences]) == sign_test(differences)
    assert sign_test([*differences, 0.0]) == sign_test(differences)


def test_six_of_six_is_the_least_that_a_sign_test_can_tell() -> None:
    assert sign_test([1.0] * 5) > 0.05 > sign_test([1.0] * 6)
    assert sign_test([]) == sign_test([0.0, 0.0]) == 1


@given(any_of.lists(any_of.floats(0, 1), max_size=12))
@any_input
def test_many_tests_are_adjusted_as_benjamini_and_hochberg_define_it(p_values: list[float]) -> None:
    found = adjusted(p_values)
    m, ranked = len(p_values), sorted(p_values)
    for p_value, q_value in zip(p_values, found, strict=True):
        rank = ranked.index(p_value) + 1
        steps = [m * ranked[at - 1] / at for at in range(rank, m + 1)]
        assert q_value == pytest.approx(min(1.0, *steps), abs=1e-12)
        assert p_value <= q_value + 1e-12


def test_the_bootstrap_is_the_same_to_the_bit_for_the_same_seed() -> None:
    values = np.random.default_rng(5).normal(size=30)
    assert mean(values, seed=3) == mean(values.copy(), seed=3)
    assert mean(values, seed=3) != mean(values, seed=4)


def test_the_bootstrap_of_three_values_has_the_ends_of_all_their_27_samples() -> None:
    values = [1.0, 2.0, 6.0]
    means = sorted(sum(drawn) / 3 for drawn in product(values, repeat=3))
    found = mean(values)
    assert means.count(means[0]) / 27 > 0.025, "the outermost samples are commoner than what is cut off"
    assert (found.value, found.low, found.high) == (3, means[0], means[-1])


def test_the_bootstrap_holds_the_mean_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(11)
    held = [found.low <= 0.3 <= found.high for found in (mean(chance.normal(0.3, 1, 40), at) for at in range(250))]
    assert 0.90 <= np.mean(held) <= 0.98


def test_an_interval_moves_with_its_values_and_has_no_width_where_they_are_all_the_same() -> None:
    values = np.random.default_rng(2).exponential(size=25)
    found, moved = mean(values), mean(values - 10)
    assert (moved.value, moved.low, moved.high) == pytest.approx((found.value - 10, found.low - 10, found.high - 10))
    same = mean([2.5] * 9)
    assert (same.value, same.low, same.high, same.n) == (2.5, 2.5, 2.5, 9)


def test_of_one_question_there_is_no_interval_and_of_none_no_mean() -> None:
    one, none = mean([1.5]), mean([])
    assert (one.value, one.n, none.n) == (1.5, 1, 0)
    assert all(math.isnan(each) for each in (one.low, one.high, none.value, none.low, none.high))
