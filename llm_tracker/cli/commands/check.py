"""`llm-tracker check`: load a model and prove that it is read exactly."""

from __future__ import annotations

import argparse
import json
import sys

from llm_tracker.cli.options import add_load_options, load_options, progress_line

HELP = "load a model and prove that it is read exactly"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model and how it is loaded."""
    parser.add_argument("model", help="catalogue id, hub id, directory or .gguf file")
    add_load_options(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what was compared; 1 where the model is not read exactly."""
    from llm_tracker.cli.plain_text import check_text
    from llm_tracker.models.loading.check import check_named
    from llm_tracker.models.plugins.manager import installed_plugins

    for failure in installed_plugins().failures:  # it may be the adapter that was to be checked
        where = f" ({failure.where})" if failure.where else ""
        print(f"llm-tracker: the plug-in “{failure.name}” is left out{where}: {failure.reason}", file=sys.stderr)
    options = load_options(args)
    with progress_line() as report:
        result = check_named(args.model, options, report)
    print(json.dumps(result, indent=1) if args.json else check_text(result))
    return 0 if result["ok"] else 1
