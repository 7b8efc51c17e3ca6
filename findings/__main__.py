"""`python -m findings`: run the studies, or go on with them, and write docs/findings.md."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from findings.behaviour import (
    asking_again,
    minimal_pair,
    one_word_format,
    sentence_or_correction,
    worked_corrections,
)
from findings.inside import attention_or_cause, blind_lens, named_path, verdict_path
from findings.page import page
from findings.plans import parts
from llm_tracker.progress import ended
from llm_tracker.studies.conduct import StudyProgress, stream_study
from llm_tracker.studies.values.study import Study

ROOT = Path(__file__).resolve().parent.parent
KEPT, PAGE = ROOT / "build" / "findings", ROOT / "docs" / "findings.md"

FINDINGS = (
    asking_again,
    minimal_pair,
    verdict_path,
    attention_or_cause,
    blind_lens,
    one_word_format,
    sentence_or_correction,
    worked_corrections,
    named_path,
)


def main() -> int:
    """Run everything; what is kept is not run again."""
    parser = argparse.ArgumentParser(prog="python -m findings", description=__doc__)
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: one for each core")
    studies = run_all(_gemma(), parser.parse_args().workers)
    day = datetime.now().strftime("%Y-%m-%d")
    PAGE.write_text(page(studies, [make(studies) for make in FINDINGS], day), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written.")
    return 0


def run_all(gemma: str | None, n_workers: int | None) -> dict[str, Study]:
    """Every study by name."""
    found = {}
    for part in parts(gemma):
        place = KEPT / part.name

        def show(progress: StudyProgress, name: str = part.name) -> None:
            left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
            print(f"{name}: {progress.share:.0%}{left}", file=sys.stderr, flush=True)

        found[part.name] = ended(stream_study(part.plan(), str(place), "local", n_workers, resume=True), show)
    return found


def _gemma() -> str | None:
    """The second model's file, where its wheels are installed (the tests' requirements)."""
    try:
        from gemma import gemma_gguf
    except ImportError:
        return None
    return str(gemma_gguf())


if __name__ == "__main__":
    sys.exit(main())
