"""What a session gives a model's chat template besides the messages: whether it may think, and the day."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError
from llm_tracker.prompts.chat_template import TemplateUse, template_text, writes_date
from llm_tracker.prompts.thoughts import resolved_thinking

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def template_use(
    model: LoadedModel, recipe: str, thinking: bool | None, date: str | None, follow: bool
) -> tuple[TemplateUse, bool]:
    """What the template is given, and whether the model may reason before it answers.

    Unless `thinking` says otherwise, thoughts are off for one-word answers where they can be, and else as the template
    has it. A date is kept only where the template writes one: the one that was given, else today's. Raises InputError
    for a thought that cannot be had or turned off, and for a text that is no date.
    """
    if recipe == "raw" or not template_text(model.tokenizer):
        if thinking:
            raise InputError("Thinking goes with a chat template: raw text, and a model without one, have none.")
        return TemplateUse(follow=follow), False
    by_default = False if recipe == "one-word" else None
    may_think, arguments = resolved_thinking(model.tokenizer, thinking, by_default)
    return TemplateUse(arguments, _day(date) if writes_date(model.tokenizer) else "", follow), may_think


def like(model: LoadedModel, recipe: str, use: TemplateUse, thinking: bool) -> tuple[TemplateUse, bool]:
    """The same for another model, as far as it can: thoughts stay on or off where its template has a switch."""
    try:
        return template_use(model, recipe, thinking, use.date or None, use.follow)
    except InputError:
        return template_use(model, recipe, None, use.date or None, use.follow)


def _day(date: str | None) -> str:
    try:
        return (datetime.fromisoformat(date) if date else datetime.now()).isoformat(timespec="seconds")
    except ValueError as error:
        raise InputError(f"“{date}” is no date. Give one such as 2026-01-31.") from error
