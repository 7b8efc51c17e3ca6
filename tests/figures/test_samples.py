"""Sampled answers as a figure: the frame counts what was sampled, beside the greedy answer where it is known."""

from __future__ import annotations

from collections import Counter

import llm_tracker as lt


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


def test_one_call_samples_and_draws(session: lt.Session, tiny_llama: lt.LoadedModel) -> None:
    samples = lt.sample_answers(tiny_llama, session, 1, 6, temperature=1.5, seed=2)
    wanted = lt.samples_figure(samples, session.turns[1].answer)
    figure = lt.figure(session, "samples", 1, n=6, temperature=1.5, seed=2, model=tiny_llama)
    assert figure.frame.equals(wanted.frame)
    assert figure.sentence == wanted.sentence
