"""What of a view is asked for, with what each view chooses by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_tracker.analysis.attention import last_attending, require_attention
from llm_tracker.analysis.compare import Side
from llm_tracker.analysis.heads import Head
from llm_tracker.analysis.lens.position_lens import Cell
from llm_tracker.analysis.patterns import PatternBy
from llm_tracker.errors import InputError
from llm_tracker.tracing.session import Decoding
from llm_tracker.tracing.trace import StreamSite

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


@dataclass(frozen=True, eq=False)
class Asked:
    """What of a view is drawn; what is None, each view chooses by itself."""

    sides: tuple[Side, ...]
    """One answer, or before and after, and the control where there is one."""
    words: tuple[str, ...]
    measure: str | None = None
    over: str | None = None
    layer: int | None = None
    head: int | None = None
    against_layer: int | None = None
    against_head: int | None = None
    shows: str | None = None
    first: int | None = None
    cell: Cell | None = None
    query: int | None = None
    site: StreamSite = "resid_post"
    by: PatternBy = "word"
    weighed: bool = False
    limits: tuple[float, float] | None = None
    difference: bool = False
    n: int = 32
    temperature: float = 1.0
    seed: int = 0
    greedy: bool = False
    """Whether the answer is what greedy decoding writes."""
    decoding: Decoding = field(default_factory=Decoding)
    """How the session was decoded."""
    model: LoadedModel | None = None

    @property
    def answers(self) -> tuple[Side, ...]:
        """The sides without the control."""
        return tuple(side for side in self.sides if side.name != "again")

    @property
    def last(self) -> Side:
        """The answer that a view of one alone shows."""
        return self.answers[-1]

    def chosen(self, measures: Sequence[str]) -> Any:
        """The measure, one of these; the first unless another is chosen. Raises InputError for any other."""
        if self.measure is not None and self.measure not in measures:
            raise InputError(f"There is no measure “{self.measure}” here. Choose one of: {', '.join(measures)}.")
        return self.measure or measures[0]

    @property
    def head_of(self) -> dict[str, Head]:
        """The layer and head of each side; the last layer with attention unless chosen.

        Where another model stands before, its layer and head are its own. Raises InputError for a layer that is not
        there or has no attention, but for a model without any, beside which the other is drawn.
        """
        heads: dict[str, Head] = {side.name: (self._layer_of(side, self.layer), self.head) for side in self.sides}
        first = self.answers[0]
        if first.model:
            heads[first.name] = (self._layer_of(first, self.against_layer), self.against_head)
        for side in self.answers:
            if not self._is_left_out(side):
                require_attention(side.turn.trace, heads[side.name][0])
        return heads

    def _is_left_out(self, side: Side) -> bool:
        """Whether a model has no attention at all, where another one's stands beside it."""
        others = [each for each in self.answers if each is not side]
        is_without = not side.turn.trace.attending_layers
        return is_without and any(each.model and each.turn.trace.attending_layers for each in others)

    @property
    def chosen_head(self) -> Head | None:
        """The head that is outlined among all, or the layer; None where neither is chosen."""
        return None if self.layer is None else (self.layer, self.head)

    def _layer_of(self, side: Side, chosen: int | None) -> int:
        if chosen is not None:
            return chosen
        if self._is_left_out(side):
            return side.turn.trace.n_layers
        return last_attending(side.turn.trace if side.model else self.last.turn.trace)

    def required_model(self, view: str) -> LoadedModel:
        """The model. Raises InputError where none was given."""
        if self.model is None:
            raise InputError(f"The view “{view}” reads the text once more: give it the model, with model=….")
        return self.model
