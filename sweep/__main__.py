"""`python -m sweep`: try every family and write docs/models.md; or a few: `python -m sweep mamba gpt2`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import torch

from sweep.families import FAMILIES
from sweep.page import page
from sweep.trial import tried

PAGE = Path(__file__).resolve().parent.parent / "docs" / "models.md"


def main() -> int:
    """Print an outcome a line; 1 where a family, or a quantity of it, is read wrongly or crashes."""
    parser = argparse.ArgumentParser(prog="python -m sweep", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="TYPE", help="default: all, and docs/models.md is written anew")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON at the end")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # networks as small as these have nothing to share: more threads wait for each other
    outcomes = []
    for model_type in args.families or FAMILIES:
        outcome = tried(model_type)
        outcomes.append(outcome)
        print(f"{outcome.seconds:5.1f} s  {model_type:28} {outcome.verdict:20} {outcome.reason}", flush=True)
        for name, each in outcome.experiments.items():
            if each.is_wrong:
                print(f"         {name}: {each.crash or f'off by {each.gap:.1e}'}", flush=True)
    if args.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    if not args.families:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    wrong = [each for outcome in outcomes for each in outcome.experiments.values() if each.is_wrong]
    return int(bool(wrong) or any(outcome.verdict in ("wrong", "crashed") for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
