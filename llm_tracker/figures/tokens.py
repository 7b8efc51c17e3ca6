"""The tokens of one answer or two."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.tokens import TokenMeasure, answers_frame, differences_frame
from llm_tracker.charts.tokens import token_differences_chart, tokens_chart
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.wording.tokens import token_differences_sentence, tokens_sentence


def tokens_figure(sides: Sequence[Side], measure: TokenMeasure = "prob", difference: bool = False) -> Figure:
    """A bar a token of the answers: its probability, or the entropy of the prediction that it was chosen from.

    With `difference` the second side minus the first, place by place.
    """
    own = [side for side in sides if side.name != "again"]
    if difference and len(own) > 1:
        frame = differences_frame(*own[:2])
        chart, said = token_differences_chart(frame, measure), token_differences_sentence(frame, measure)
        return Figure("tokens", say("Tokens, after minus before"), chart, frame.assign(turn="difference"), said)
    frame = answers_frame(own)
    chart, said = tokens_chart(frame, measure), tokens_sentence(own, measure)
    return Figure("tokens", say("Tokens of the answer"), chart, frame, said)
