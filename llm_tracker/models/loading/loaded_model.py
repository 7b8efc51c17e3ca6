"""A model in memory, with its tokenizer and the adapter that was proved to read it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.architecture import Architecture
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.sources import digests, gguf

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from llm_tracker.models.forward.kv_caches import KVCaches
    from llm_tracker.models.forward.sites import Sites
    from llm_tracker.models.forward.way import Way
    from llm_tracker.models.proof.checks import Examination, Proof


def kv_caches_for(of_weights_bytes: int = 0) -> KVCaches:
    """A store in keeping with the model: a large one takes more for each token."""
    from llm_tracker.models.forward.kv_caches import BUDGET_BYTES, KVCaches

    return KVCaches(max(BUDGET_BYTES, of_weights_bytes // 16))


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in memory, its tokenizer, and the adapter that was proved to read it."""

    entry: ModelEntry
    directory: Path | None
    """Where `from_pretrained` finds it; None of a plug-in's own loading."""
    revision: str | None
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    adapter: ModelAdapter
    architecture: Architecture
    """What it is."""
    way: Way
    """How it is run here."""
    proof: Proof
    """That it is read exactly."""
    sites: Sites
    """Where its forward pass can be read and changed."""
    left_out: tuple[str, ...] = ()
    """The weights in its files for which its config has no place."""
    kv_caches: KVCaches = field(default_factory=kv_caches_for)
    """What it has read already, for texts that begin alike."""
    running: threading.RLock = field(default_factory=threading.RLock)
    """Held for each forward pass that is looked into: forward hooks see the passes of every thread."""

    @property
    def examination(self) -> Examination:
        """All that came of proving it."""
        from llm_tracker.models.proof.checks import Examination

        return Examination(self.architecture, self.way, self.proof, self.sites)

    @property
    def id(self) -> str:
        """The catalogue id, hub id or path that it was asked for by."""
        return self.entry.id

    @property
    def config(self) -> Any:
        """The text model's configuration."""
        return self.model.config.get_text_config()

    @cached_property
    def layers(self) -> list[nn.Module]:
        """The decoder layers, first to last."""
        return self.adapter.layers(self.model)

    @cached_property
    def attentions(self) -> list[nn.Module | None]:
        """The attention module of every layer; None where the layer has no attention pattern."""
        return [self.adapter.attention(layer) for layer in self.layers]

    @property
    def dtype(self) -> str:
        """The number format of its weights, such as float32."""
        return str(self.model.dtype).removeprefix("torch.")

    @property
    def device(self) -> str:
        """Where its weights are, such as cpu; of a split model all places, such as cuda:0 + cpu + disk."""
        from llm_tracker.models.memory.device_memory import AND
        from llm_tracker.models.memory.split_weights import is_split

        return AND.join(self.bytes_by_place) if is_split(self.model) else str(self.model.device)

    @property
    def input_device(self) -> torch.device:
        """Where it takes tokens, and rows of its residual stream: of a split model its first device."""
        from llm_tracker.models.memory.split_weights import input_device

        return input_device(self.model)

    @cached_property
    def bytes_by_place(self) -> dict[str, int]:
        """What its weights take on each device and on the disk, shared ones counted once."""
        from llm_tracker.models.memory.split_weights import bytes_by_place

        return bytes_by_place(self.model)

    @cached_property
    def weights_bytes(self) -> int:
        """What its weights take, shared ones counted once."""
        return sum(self.bytes_by_place.values())

    @property
    def memory_bytes(self) -> int:
        """The same without those that lie on the disk."""
        return self.weights_bytes - self.bytes_by_place.get("disk", 0)

    @cached_property
    def weights_sha256(self) -> str | None:
        """The SHA-256 of the source file (of a GGUF model: of that file); None of a plug-in's own loading.

        Raises ModelError for a file of the hub's cache that is damaged.
        """
        if self.directory is None:
            return None
        return gguf.source_sha256(self.directory) or digests.weights_sha256(self.directory)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a reader of this model's charts has to know, one sentence each."""
        from llm_tracker.models.loading.notices import (
            architecture_notices,
            file_notices,
            generation_notices,
            quantisation_notices,
            revision_notices,
            split_notices,
            tokenizer_notices,
        )

        proved = architecture_notices(self.architecture, self.way, self.model)
        split = split_notices(self.bytes_by_place)
        of_files = (
            *revision_notices(self.entry, self.directory),
            *file_notices(self.left_out),
            *quantisation_notices(self.model.config),
            *tokenizer_notices(self.tokenizer),
            *generation_notices(self.model),
        )
        return (*self.adapter.notices(self.config), *proved, *split, *of_files)
