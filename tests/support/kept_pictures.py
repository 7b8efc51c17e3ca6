"""Pictures of pages, compared with those that were looked at and kept."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "browser" / "pictures"

SCALE = 4
"""Pictures are kept at a quarter of their size: how letters are smoothed is the machine's own."""

DIFFERS = 24
"""How far a grey of 0 to 255 may be off where nothing moved: letters that are drawn in another way."""

MOST_DIFFERING = 0.1
"""The part of what a picture shows that may differ by more: a line that is half a pixel lower, a rounded figure."""


def small(screenshot: bytes) -> Image.Image:
    """A screenshot as it is kept."""
    image = Image.open(io.BytesIO(screenshot)).convert("L")
    return image.resize((image.width // SCALE, image.height // SCALE), Image.Resampling.BOX)


def part_that_differs(image: Image.Image, kept: Image.Image) -> float:
    """How much is not as it was kept, as a part of what stands out from the background; 1 where the size is another."""
    if image.size != kept.size:
        return 1.0
    now, was = (np.asarray(each, dtype=float) for each in (image, kept))
    background = float(np.bincount(was.astype(int).ravel()).argmax())
    shown = (np.abs(was - background) > DIFFERS) | (np.abs(now - background) > DIFFERS)
    return float((np.abs(now - was) > DIFFERS).sum() / max(1, shown.sum()))


def require_as_kept(screenshot: bytes, name: str, folder: Path) -> None:
    """Compare a page with the picture of its name; what it looks like now, and where it differs, goes to the folder.

    With KEEP_PICTURES set they are kept as they look now."""
    image = small(screenshot)
    file = FOLDER / f"{name}.png"
    if os.environ.get("KEEP_PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        image.save(file, optimize=True)
        return
    kept = Image.open(file) if file.is_file() else Image.new("L", (1, 1))
    part = part_that_differs(image, kept)
    if part > MOST_DIFFERING:
        now = folder / f"{name}.png"
        image.save(now)
        raise AssertionError(
            f"{name} does not look as it did: {part:.1%} of it differs. Now it looks like {now}, and it did like "
            f"{file}. Look at both; where the new one is meant, `make pictures` keeps it."
        )
