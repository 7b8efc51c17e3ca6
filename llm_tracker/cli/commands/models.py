"""`llm-tracker models`: the catalogue, the adapters, the plug-ins, and what failed."""

from __future__ import annotations

import argparse
import json

HELP = "the catalogue, the adapters, the plug-ins, and what failed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """As text or as JSON."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what there is; a plug-in that failed is no failure of this command."""
    from llm_tracker.cli.plain_text import models_text
    from llm_tracker.models.loading.listing import models_record

    record = models_record()
    print(json.dumps(record, ensure_ascii=False, indent=1) if args.json else models_text(record))
    return 0
