"""Llama, and the families that kept its names."""

from llm_tracker import ModelAdapter, hookimpl


class LlamaAdapter(ModelAdapter):
    """Pre-norm layers, one final norm, a bare output matrix: the defaults of the contract are Llama's."""

    model_types = ("llama", "qwen2", "qwen3", "smollm3", "gemma")


@hookimpl
def register_adapters() -> list[ModelAdapter]:
    """One table for the whole family."""
    return [LlamaAdapter()]
