"""Whole words as a tidy frame: how likely each was, spelling by spelling."""

from __future__ import annotations

import pandas as pd

from llm_tracker.tracing.session import Turn


def word_scores(turn: Turn, step: int | None = None) -> pd.DataFrame:
    """The scores of whole words that were computed at a step of a turn: at the answer's first token unless given.

    A row for each spelling, and in front of them one for all of a word's spellings together, whose `spelling` is empty.
    Columns: word, spelling (with the space in front where it has one), n_tokens (0 for all together), log_prob (nats,
    the end included), prob, end (`answer`, `line` or `word`: what ends a word there).
    """
    rows = []
    for score in turn.scores.get(turn.first_step if step is None else step, {}).values():
        rows.append((score.word, "", 0, score.log_prob_of_all, score.prob, score.end))
        rows += [
            (score.word, each.text, len(each.token_ids), each.log_prob, each.prob, score.end)
            for each in score.spellings
        ]
    return pd.DataFrame(rows, columns=["word", "spelling", "n_tokens", "log_prob", "prob", "end"])
