"""Mistral: Llama's names, and a window that slides over long texts."""

from typing import Any

from llm_tracker import ModelAdapter, hookimpl


class MistralAdapter(ModelAdapter):
    """Llama's layout; some versions look back over a bounded window only."""

    model_types = ("mistral", "ministral")

    def notices(self, config: Any) -> tuple[str, ...]:
        """Words before the window get no attention because they are out of reach, not because they are ignored."""
        window = getattr(config, "sliding_window", None)
        if not window:
            return ()
        return (
            f"This model's attention reaches back {window:,} tokens at most: "
            "words before that are masked, not ignored.",
        )


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """Mistral's own table."""
    return [MistralAdapter()]
