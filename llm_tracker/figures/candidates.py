"""The candidates for one token, before | after | merely asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from llm_tracker.analysis.candidates import candidate_differences, candidates
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.shared_tokens import with_shared_ids
from llm_tracker.charts.candidates import candidate_differences_chart, candidates_chart
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.wording.candidates import candidate_differences_sentence, candidates_sentence

N_SHOWN = 5
N_AGAIN = 10
"""Candidates of the control that are looked up for its thin mark, and of each side where the difference is drawn."""


def candidate_frames(sides: Sequence[Side], words: Sequence[str], n_shown: int = N_SHOWN) -> dict[str, pd.DataFrame]:
    """The candidates of each side by its name."""
    counts = {"before": n_shown, "after": n_shown, "again": N_AGAIN}
    return {side.name: candidates(side.turn.trace, side.step, counts[side.name], words) for side in sides}


def candidates_figure(sides: Sequence[Side], words: Sequence[str] = (), difference: bool = False) -> Figure:
    """The best candidates of each side, the followed words, and everything else.

    With `difference` what each candidate has more after, and what it has more when merely asked again.
    """
    frames = candidate_frames(sides, words, N_AGAIN if difference else N_SHOWN)
    answers = {name: frame for name, frame in frames.items() if name != "again"}
    if difference and len(answers) > 1:
        gained = candidate_differences(frames["before"], frames["after"], frames.get("again"))
        chart, said = candidate_differences_chart(gained), candidate_differences_sentence(gained)
        title = say("Candidates, after minus before")
        return Figure("candidates", title, chart, gained.assign(turn="difference"), said)
    followed = {lens.token_id for side in sides for word in words if (lens := side.watched(word))}
    if any(side.model for side in sides) and len(answers) > 1:
        answers, followed = _joined_by_text(sides, answers, words)
    chart = candidates_chart(answers, frames.get("again"), frozenset(followed))
    return Figure("candidates", say("Candidates"), chart, with_turns(frames), candidates_sentence(sides))


def with_turns(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The frames of several sides as one, with a column `turn`."""
    return pd.concat([frame.assign(turn=name) for name, frame in frames.items()], ignore_index=True)


def _joined_by_text(
    sides: Sequence[Side], frames: dict[str, pd.DataFrame], words: Sequence[str]
) -> tuple[dict[str, pd.DataFrame], set[int]]:
    """Two models' frames with ids that mean the same in both, and of the followed words these ids."""
    one, other = ({word: lens.token_id for word in words if (lens := side.watched(word))} for side in sides)
    shared = with_shared_ids(frames, {other[word]: one[word] for word in words if word in one and word in other})
    followed = set(one.values())
    ids = zip(frames[sides[1].name]["token_id"], shared[sides[1].name]["token_id"], strict=True)
    return shared, followed | {int(new) for old, new in ids if old in other.values()}
