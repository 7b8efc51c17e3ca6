"""How a study's questions are asked, and which of them the worked examples in front give away."""

from __future__ import annotations

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say, say_n
from llm_tracker.prompts.words import fold
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.formats import listed, quoted
from llm_tracker.wording.studies.inside import left_out_sentence
from llm_tracker.wording.studies.labels import LIMITS, model_label, number_of

MOST_NAMED = 3
"""Questions that are named; more are counted."""


def limits_paragraphs(study: Study) -> list[str]:
    """What a study's numbers are true of.

    That is: its limits, what stands in front of each question, what that gives away, and what could not be had.
    """
    return [text for text in (say(LIMITS), examples_sentence(study), given_away(study), *left_out(study)) if text]


def left_out(study: Study) -> list[str]:
    """By model, where there is anything: which parts are left out, with what it is called where there are several."""
    told = []
    for model in study.models:
        own, rows = (
            table[(table["model"] == model["id"]) & (table["dtype"] == model["dtype"])]
            for table in (study.tables["left_out"], study.rows)
        )
        if said := left_out_sentence(own, rows["question_id"].nunique()):
            told.append(f"{model_label(model, study.models)}: {said}" if len(study.models) > 1 else said)
    return told


def examples_sentence(study: Study) -> str:
    """What a model reads in front of each question; "" where that is nothing."""
    messages = study.plan.get("recipe_messages") or ()
    n_asked = sum(each["role"] == "user" for each in messages)
    if not messages:
        return ""
    read = [say("a system line")] if any(each["role"] == "system" for each in messages) else []
    if n_asked:
        examples = say_n(
            "worked examples ({n} message of a user, each with its answer)",
            "worked examples ({n} messages of a user, each with its answer)",
            n_asked,
            n=number(n_asked, ","),
        )
        read.append(examples)
    return say("In front of each question the model reads {texts}.", texts=listed(read))


def given_away(study: Study) -> str:
    """Which questions stand, with their answers, among the worked examples; "" where none does."""
    examples = {fold(each["content"]) for each in study.plan.get("recipe_messages") or () if each["role"] == "user"}
    own = [each for each in study.rows["question"].unique() if fold(each) in examples]
    if not own:
        return ""
    named = listed([quoted(each) for each in own]) if len(own) <= MOST_NAMED else number_of(len(own))
    return say_n(
        "{questions} stands among these examples with its answer: leave such questions out, or take another recipe.",
        "{questions} stand among these examples with its answer: leave such questions out, or take another recipe.",
        len(own),
        questions=named,
    )
