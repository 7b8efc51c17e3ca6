"""Means and rates with their intervals, and tests: scipy's, with questions as the unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from llm_tracker.analysis.sampled_answers import CONFIDENCE, wilson_interval

N_RESAMPLES = 5_000
"""Of a bootstrap."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval (95 %), and from how many questions it comes."""

    value: float
    low: float
    high: float
    n: int


def mean(values: ArrayLike, seed: int = 0) -> Estimate:
    """The mean over questions, with its bootstrap interval (Efron, 1979; percentile).

    Of differences within questions that is the paired bootstrap. Of a single question there is no interval (NaN).
    Numbers that are not finite, as float16 may overflow, are left out, and not counted.
    """
    from scipy import stats

    own = np.asarray(values, dtype=float)
    own = own[np.isfinite(own)]
    if len(own) == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    if len(own) == 1:
        return Estimate(float(own[0]), math.nan, math.nan, 1)
    found = stats.bootstrap(
        (own,), np.mean, n_resamples=N_RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=seed, batch=500
    )
    interval = found.confidence_interval
    return Estimate(float(own.mean()), float(interval.low), float(interval.high), len(own))


def rate(hits: ArrayLike) -> Estimate:
    """The share of questions in which something is so, with its interval by Wilson (1927).

    Where that is not known (NaN) they are left out, and not counted.
    """
    own = np.asarray(hits, dtype=float)
    own = own[np.isfinite(own)]
    low, high = wilson_interval(int(own.sum()), len(own))
    return Estimate(float(own.mean()) if len(own) else math.nan, low, high, len(own))


def sign_test(differences: ArrayLike) -> float:
    """How often chance alone would give signs as one-sided as these, or more so: the two-sided sign test.

    Differences of 0 are left out (Dixon & Mood, 1946). 1 where there is none.
    """
    from scipy import stats

    own = np.asarray(differences, dtype=float)
    n_above, n_below = int((own > 0).sum()), int((own < 0).sum())
    if n_above + n_below == 0:
        return 1.0
    return float(stats.binomtest(n_above, n_above + n_below).pvalue)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """p-values of many comparisons so that the share of false discoveries is held (Benjamini & Hochberg, 1995)."""
    from scipy import stats

    return [float(each) for each in stats.false_discovery_control(p_values)] if len(p_values) else []
