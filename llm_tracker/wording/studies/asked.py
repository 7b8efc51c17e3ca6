"""How a study's questions are asked, and which of them the worked examples in front give away."""

from __future__ import annotations

from llm_tracker.prompts.words import fold
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.formats import listed, quoted
from llm_tracker.wording.studies.labels import LIMITS, number_of

MOST_NAMED = 3
"""Questions that are named; more are counted."""


def limits_paragraphs(study: Study) -> list[str]:
    """What a study's numbers are true of: its limits, what stands in front of each question, what that gives away."""
    return [text for text in (LIMITS, examples_sentence(study), given_away(study)) if text]


def examples_sentence(study: Study) -> str:
    """What a model reads in front of each question; "" where that is nothing."""
    messages = study.plan.get("recipe_messages") or ()
    n_asked = sum(each["role"] == "user" for each in messages)
    if not messages:
        return ""
    system = "a system line" if any(each["role"] == "system" for each in messages) else ""
    examples = f"worked examples ({number_of(n_asked, 'message')} of a user, each with its answer)" if n_asked else ""
    return f"In front of each question the model reads {listed([each for each in (system, examples) if each])}."


def given_away(study: Study) -> str:
    """Which questions stand, with their answers, among the worked examples; "" where none does."""
    examples = {fold(each["content"]) for each in study.plan.get("recipe_messages") or () if each["role"] == "user"}
    own = [each for each in study.rows["question"].unique() if fold(each) in examples]
    if not own:
        return ""
    named = listed([quoted(each) for each in own]) if len(own) <= MOST_NAMED else number_of(len(own))
    verb = "stands" if len(own) == 1 else "stand"
    return f"{named} {verb} among these examples with its answer: leave such questions out, or take another recipe."
