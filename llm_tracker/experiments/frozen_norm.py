"""A norm whose scale is held as it was: then it is a linear map, and what goes in can be taken apart.

RMSNorm and LayerNorm multiply each channel by a gain and all of them by one number, which depends on the row; LayerNorm
takes the mean away first, and either may add a bias. Which of these a norm does is seen by trying it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

GAIN_BOUND = 1e-3
"""How unlike the gains of two rows may be, relative, for a module to be a norm."""


@dataclass(frozen=True, eq=False)
class FrozenNorm:
    """The linear map that a norm is at one row, or at several."""

    gain: Tensor
    """(…, d_model): what each channel is multiplied by."""
    shift: Tensor
    """(d_model): what is added, 0 without a bias."""
    is_centred: bool
    """Whether the mean is taken away first."""

    def of(self, rows: Tensor) -> Tensor:
        """What comes out of rows (…, d_model)."""
        centred = rows - rows.mean(-1, keepdim=True) if self.is_centred else rows
        return centred * self.gain + self.shift

    def pulled_back(self, slope: Tensor) -> Tensor:
        """The slope (…, d_model) of a number of what goes in, from its slope of what comes out."""
        scaled = slope * self.gain
        return scaled - scaled.mean(-1, keepdim=True) if self.is_centred else scaled


def frozen_norm(norm: Callable[[Tensor], Tensor], rows: Tensor) -> FrozenNorm | None:
    """The map that a norm is at rows (…, d_model); None where it does something else to them."""
    shift = norm(torch.zeros_like(rows.reshape(-1, rows.shape[-1])[:1]))[0]
    is_centred = _is_close(norm(rows + rows.abs().max()), norm(rows))
    gain, other = (_gain(norm, each, shift, is_centred) for each in (rows, _another(rows)))
    likeness = other.reshape(-1, other.shape[-1])[0] / gain.reshape(-1, gain.shape[-1])[0]
    known = likeness[likeness.isfinite()]
    if not len(known) or float((known - known.median()).abs().max()) > GAIN_BOUND * float(known.median().abs()):
        return None
    return FrozenNorm(gain, shift, is_centred)


def _gain(norm: Callable[[Tensor], Tensor], rows: Tensor, shift: Tensor, is_centred: bool) -> Tensor:
    """What each channel was multiplied by; 0 where nothing went in."""
    centred = rows - rows.mean(-1, keepdim=True) if is_centred else rows
    return ((norm(rows) - shift) / centred).masked_fill(centred == 0, 0.0)


def _another(rows: Tensor) -> Tensor:
    """Other rows of the same size, the same each time."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(rows.shape[-1], generator=generator).to(rows)
    return rows.abs().mean(-1, keepdim=True) * noise


def _is_close(one: Tensor, other: Tensor) -> bool:
    return float((one - other).abs().max()) <= GAIN_BOUND * float(other.abs().max())
