"""The distribution of sampled answers."""

from __future__ import annotations

from llm_tracker.analysis.sampled_answers import answer_distribution
from llm_tracker.charts.samples import MOST_ROWS, samples_chart
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.texts import say
from llm_tracker.tracing.sampled import SampledAnswers
from llm_tracker.wording.sampled_answers import samples_sentence


def samples_figure(samples: SampledAnswers, greedy: str | None = None) -> Figure:
    """How often each answer came, beside the greedy one where that is known."""
    frame = answer_distribution(samples, greedy)
    temperature = samples.decoding.temperature or 0.0
    said = samples_sentence(frame, temperature)
    if len(frame) > MOST_ROWS:
        cut = say("The chart shows {n} of {all} different answers, the table all.", n=MOST_ROWS, all=len(frame))
        said = f"{said} {cut}"
    return Figure("samples", say("Asked several times"), samples_chart(frame), frame.assign(turn="sampled"), said)
