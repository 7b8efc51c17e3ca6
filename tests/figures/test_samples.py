"""Sampled answers as a figure: the frame counts what was sampled, beside the greedy answer where it is known."""

from __future__ import annotations

from collections import Counter

import llm_tracker as lt
from llm_tracker.tracing.sampled import SampledAnswer, SampledAnswers
from llm_tracker.tracing.session import Decoding


def test_the_frame_counts_every_answer_and_names_the_greedy_one(
    session: lt.Session, tiny_llama: lt.LoadedModel
) -> None:
    samples = lt.sample_answers(tiny_llama, session, 0, 12, temperature=0.6, seed=5)
    greedy = session.turns[0].answer
    figure = lt.samples_figure(samples, greedy)
    counts = Counter(each.answer.strip(" .!?").casefold() for each in samples.answers)
    found = {row["answer"].strip(" .!?").casefold(): row["n"] for row in figure.frame.to_dict("records") if row["n"]}
    assert found == dict(counts)
    assert figure.frame["share"].tolist() == [n / 12 for n in figure.frame["n"]]
    assert figure.frame["answer"][figure.frame["is_greedy"]].tolist() == [greedy]
    assert set(figure.frame["turn"]) == {"sampled"}
    assert figure.sentence.startswith("At temperature 0.6, ")
    assert not lt.samples_figure(samples).frame["is_greedy"].any()
    figure.chart.to_dict()


def test_answers_that_are_not_drawn_are_spoken_of() -> None:
    several = [SampledAnswer(seed, (1,), f"word {seed}", f"word {seed}", "end", None, -1.0) for seed in range(13)]
    said = [lt.samples_figure(SampledAnswers(tuple(several[:n]), Decoding(temperature=1.0))).sentence for n in (12, 13)]
    assert "The chart shows" not in said[0]
    assert said[1].endswith("The chart shows 12 of 13 different answers, the table all.")


def test_one_call_samples_and_draws(session: lt.Session, tiny_llama: lt.LoadedModel) -> None:
    samples = lt.sample_answers(tiny_llama, session, 1, 6, temperature=1.5, seed=2)
    wanted = lt.samples_figure(samples, session.turns[1].answer)
    figure = lt.figure(session, "samples", 1, n=6, temperature=1.5, seed=2, model=tiny_llama)
    assert figure.frame.equals(wanted.frame)
    assert figure.sentence == wanted.sentence
