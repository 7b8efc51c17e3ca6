"""What the parts of a prompt and of a model are called in a sentence."""

from __future__ import annotations

from llm_tracker.languages.texts import later, say
from llm_tracker.wording.formats import quoted

PART_LABELS = {
    "recipe": later("the worked examples"),
    "system": later("the system line"),
    "template": later("the template's marks"),
}


def named_part(text: str, role: str, is_segment: bool = False) -> str:
    """What a word or a segment is called in a sentence."""
    if role in PART_LABELS and (is_segment or role != "system"):
        return say(PART_LABELS[role])
    return quoted(text)


def head_name(layer: int, head: int | None) -> str:
    """A head by its place."""
    return say("layer {layer} head {head}", layer=layer, head=head)


def part_name(kind: str, layer: int) -> str:
    """One of the two parts of a layer: its attention, or (“mlp”) what comes behind it."""
    if kind == "attention":
        return say("the attention of layer {layer}", layer=layer)
    return say("the feed-forward part of layer {layer}", layer=layer)
