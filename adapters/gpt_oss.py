"""gpt-oss: Llama's names, experts in place of one feed-forward, and a learned sink in every head."""

from typing import Any

from llm_tracker import ModelAdapter, hookimpl


class GptOssAdapter(ModelAdapter):
    """The sinks are said by the proof, which finds them: the fast attention would swallow them without a word."""

    model_types = ("gpt_oss",)

    def notices(self, config: Any) -> tuple[str, ...]:
        """Every other layer looks back over a window only."""
        return (
            f"Every other layer of this model looks back {config.sliding_window:,} tokens at most: "
            "words before that are masked there, not ignored.",
        )


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """gpt-oss' own table."""
    return [GptOssAdapter()]
