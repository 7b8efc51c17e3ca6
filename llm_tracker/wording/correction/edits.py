"""What an edit of a model is called."""

from __future__ import annotations

from llm_tracker.tracing.edit import Edit
from llm_tracker.wording.formats import quoted

PARTS = {"head": "head", "attention": "attention", "mlp": "feed-forward part"}


def edit_label(edit: Edit) -> str:
    """What was changed, in a few words: “London” hidden in layers 1 to 30; layer 24 head 1 times 0."""
    first, last = edit.layers
    if edit.kind == "hidden":
        where = f"layer {first}" if first == last else f"layers {first} to {last}"
        return f"{quoted(edit.text)} hidden in {where}"
    part = f"layer {first} head {edit.head}" if edit.kind == "head" else f"the {PARTS[edit.kind]} of layer {first}"
    return f"{part} as when asked again" if edit.is_replaced else f"{part} times {edit.factor:g}"


EDITED = "edited: "
"""In front of what was changed, wherever an edited answer stands."""
