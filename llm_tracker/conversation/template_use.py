"""What a session gives a model's chat template besides the messages: whether it may think, and the day."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.chat_template import TemplateUse, template_text, writes_date
from llm_tracker.prompts.finding_thoughts import reasoning_of
from llm_tracker.prompts.thoughts import resolved_thinking, thinking_by_default

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def template_use(model: LoadedModel, recipe: str, thinking: bool | None, date: str | None, follow: bool) -> TemplateUse:
    """What the template is given, and whether the model may reason before it answers.

    Unless `thinking` says otherwise, thoughts are off for one-word answers where they can be, and else as the template
    has it. A date is kept only where the template writes one: the one that was given, else today's. Raises InputError
    for a thought that cannot be had or turned off, and for a text that is no date.
    """
    day = _day(date)
    if recipe == "raw" or not template_text(model.tokenizer):
        if thinking:
            raise InputError(say("Thinking goes with a chat template: raw text, and a model without one, have none."))
        return TemplateUse(follow=follow)
    thinks, arguments = resolved_thinking(reasoning_of(model.tokenizer), thinking, thinking_by_default(recipe))
    return TemplateUse(arguments, day if writes_date(model.tokenizer) else "", follow, thinks)


def like(model: LoadedModel, recipe: str, use: TemplateUse) -> TemplateUse:
    """The same for another model, as far as it can: thoughts stay on or off where its template has a switch."""
    return template_use(model, recipe, switched(model, recipe, use.thinks), use.date or None, use.follow)


def switched(model: LoadedModel, recipe: str, thinking: bool | None) -> bool | None:
    """What was chosen of thoughts, where this model's template has a switch for them; else None."""
    reasoning = reasoning_of(model.tokenizer)
    return thinking if recipe != "raw" and reasoning is not None and reasoning.switch is not None else None


def _day(date: str | None) -> str:
    try:
        return (datetime.fromisoformat(date) if date else datetime.now()).isoformat(timespec="seconds")
    except ValueError as error:
        raise InputError(say("“{date}” is no date. Give one such as 2026-01-31.", date=date)) from error
