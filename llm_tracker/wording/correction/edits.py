"""What an edit of a model is called."""

from __future__ import annotations

from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.tracing.edit import Edit
from llm_tracker.wording.correction.parts import head_name, part_name
from llm_tracker.wording.formats import quoted


def edit_label(edit: Edit) -> str:
    """What was changed, in a few words: “London” hidden in layers 1 to 30; layer 24 head 1 times 0."""
    first, last = edit.layers
    if edit.kind == "hidden":
        if first == last:
            return say("{word} hidden in layer {layer}", word=quoted(edit.text), layer=first)
        return say("{word} hidden in layers {first} to {last}", word=quoted(edit.text), first=first, last=last)
    part = head_name(first, edit.head) if edit.kind == "head" else part_name(edit.kind, first)
    if edit.is_replaced:
        return say("{part} as when asked again", part=part)
    return say("{part} times {factor}", part=part, factor=number(edit.factor, "g"))


EDITED = later("edited: ")
"""In front of what was changed, wherever an edited answer stands."""
