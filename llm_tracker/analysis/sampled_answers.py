"""How often each answer comes when the same is asked several times, and how sure that share is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from llm_tracker.prompts.words import folded_answer

if TYPE_CHECKING:
    from llm_tracker.tracing.sampled import SampledAnswers

CONFIDENCE = 0.95
"""How often an interval holds what it is an interval of."""

COLUMNS = ["answer", "n", "share", "low", "high", "is_greedy", "is_cut"]


def wilson_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval in which the probability lies of what came `successes` times in `n`; both ends in [0, 1].

    The score interval of Wilson (1927, "Probable inference, the law of succession, and statistical inference"): unlike
    the normal one it is right for few trials, too, and for shares of 0 and 1, where one of its ends is exact. Of no
    trial it is all of [0, 1]. Raises ValueError for more successes than trials, and for a confidence outside of (0, 1).
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials: give from 0 to as many as there are trials.")
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence of {confidence}: give one between 0 and 1, such as {CONFIDENCE}.")
    if n == 0:
        return 0.0, 1.0
    from scipy import stats

    interval = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass
class _Group:
    """Answers that are the same but for case and outer marks, in the order of their seeds."""

    spellings: list[str] = field(default_factory=list)
    is_cut: bool = False

    @property
    def shown(self) -> str:
        """The commonest spelling; of several as common, the one that came first."""
        return Counter(self.spellings).most_common(1)[0][0]


def answer_distribution(samples: SampledAnswers, greedy: str | None = None) -> pd.DataFrame:
    """How often each answer came, the commonest first, then the one that came first.

    Answers that differ only in case and outer marks are one, as in the headline; its commonest spelling is
    shown. The answer of greedy decoding, where it is given, has a row also if it never came.

    Columns: answer, n, share (in [0, 1], of all answers), low and high (its Wilson interval at `CONFIDENCE`),
    is_greedy, is_cut (whether one of them was cut at the limit of tokens, and would have gone on).
    """
    groups: dict[str, _Group] = {}
    for sample in samples.answers:
        group = groups.setdefault(folded_answer(sample.answer), _Group())
        group.spellings.append(sample.answer)
        group.is_cut |= sample.is_cut
    rows = [_row(group.shown, len(group.spellings), samples, group.is_cut) for group in groups.values()]
    if greedy is not None and folded_answer(greedy) not in groups:
        rows.append(_row(greedy, 0, samples, False))
    rows.sort(key=lambda row: -int(row["n"]))  # stable: answers that came as often stay in the order of their seeds
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["is_greedy"] = [
        greedy is not None and folded_answer(answer) == folded_answer(greedy) for answer in frame["answer"]
    ]
    return frame


def _row(answer: str, n: int, samples: SampledAnswers, is_cut: bool) -> dict[str, str | int | float | bool]:
    n_all = len(samples.answers)
    low, high = wilson_interval(n, n_all)
    share = n / n_all if n_all else 0.0
    return {"answer": answer, "n": n, "share": share, "low": low, "high": high, "is_cut": is_cut}
