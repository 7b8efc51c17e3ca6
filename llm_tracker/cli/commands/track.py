"""`llm-tracker track`: ask, correct, and print or save what happened inside."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_tracker.cli.options import add_load_options, load_options, progress_line
from llm_tracker.errors import InputError

if TYPE_CHECKING:
    from llm_tracker.storage.store.store import Store

HELP = "ask, correct, and print or save what happened inside"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The question, its corrections, and how the model answers."""
    parser.add_argument("question")
    parser.add_argument("--correction", action="append", default=[], metavar="TEXT", help="a further turn; repeatable")
    parser.add_argument(
        "--control", action="store_true", help="beside each correction, ask again without one: the neutral control"
    )
    parser.add_argument("--model", help="default: TinyLlama if it is in the local cache, else the built-in model")
    parser.add_argument("--recipe", default="one-word", help="one-word (default), chat or raw")
    parser.add_argument("--max-new-tokens", type=int, default=16, metavar="N", help="default: 16")
    add_load_options(parser)
    parser.add_argument("--temperature", type=float, metavar="X", help="sample with this temperature; default: greedy")
    parser.add_argument("--top-p", type=float, default=1.0, metavar="X", help="sample from this much probability")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the sampling")
    parser.add_argument("--watch", action="append", default=[], metavar="WORD", help="follow this word; repeatable")
    parser.add_argument(
        "--follow-template",
        action="store_true",
        help="the chat template to the letter, also where it leaves the beginning token to the tokenizer",
    )
    parser.add_argument(
        "--thinking",
        choices=("on", "off"),
        help="whether a model may reason first; default: not for one-word answers, else as its template has it",
    )
    parser.add_argument(
        "--max-thought-tokens",
        type=int,
        default=256,
        metavar="N",
        help="close a thought after so many tokens, and let the answer come; default: 256",
    )
    parser.add_argument("--date", metavar="DAY", help="what a chat template writes as today's date, such as 2026-01-31")
    parser.add_argument("--out", metavar="DIR", help="write a session directory")
    parser.add_argument("--save", action="store_true", help="keep it in the store, and say its id (see `sessions`)")
    parser.add_argument("--json", action="store_true", help="print session.json instead of the views")


def run(args: argparse.Namespace) -> int:
    """Everything that needs no model is checked first: a load takes seconds, a download minutes."""
    decoding, options = _checked(args), load_options(args)
    from llm_tracker.cli.plain_text import session_text
    from llm_tracker.conversation.track import track
    from llm_tracker.models.loading.load import load
    from llm_tracker.models.loading.resolve import default_model_id
    from llm_tracker.storage.records import session_record
    from llm_tracker.storage.session_directory import save_session

    store = _store() if args.save else None
    name = args.model
    if name is None:
        name = default_model_id()
        print(f"llm-tracker: no --model given; using “{name}”.", file=sys.stderr)
    with progress_line() as report:
        model = load(name, options, report)
    session = track(
        model,
        args.question,
        args.correction,
        recipe=args.recipe,
        watch_words=args.watch,
        control=args.control,
        follow_template=args.follow_template,
        thinking={"on": True, "off": False, None: None}[args.thinking],
        date=args.date,
        **decoding,
    )
    print(json.dumps(session_record(session), ensure_ascii=False, indent=1) if args.json else session_text(session))
    if args.out:  # last: an answer is not lost because a folder can't be written
        save_session(session, args.out)
    if store is not None:
        print(f"llm-tracker: kept as {store.save(session)} in {store.name}", file=sys.stderr)
        store.database.close()
    return 0


def _store() -> Store:
    """The user's store, opened before the model is: it may not be reached."""
    from llm_tracker.storage.store.opening import open_store

    return open_store()


def _checked(args: argparse.Namespace) -> dict[str, Any]:
    """The decoding settings, once everything that needs no model has been checked. Raises InputError."""
    from llm_tracker.prompts.recipes import recipe_messages
    from llm_tracker.tracing.session import Decoding

    recipe_messages(args.recipe)
    names = ("max_new_tokens", "max_thought_tokens", "temperature", "top_p", "seed")
    settings = {name: getattr(args, name) for name in names}
    Decoding(**settings).require_used()
    if args.out and Path(args.out).exists() and not Path(args.out).is_dir():
        raise InputError(f"{args.out} is a file. Choose a folder for the session (--out).")
    if args.control and not args.correction:
        raise InputError("--control goes with --correction: without a correction there is nothing to compare it with.")
    for what, texts in (("question", [args.question]), ("correction", args.correction), ("watch word", args.watch)):
        if not all(text.strip() for text in texts):
            raise InputError(f"The {what} is empty. Type one.")
    return settings
