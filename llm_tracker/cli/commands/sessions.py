"""`llm-tracker sessions`: what is in the store: list, show, describe, export, import, delete, restore, prune."""

from __future__ import annotations

import argparse
import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_tracker.errors import InputError

if TYPE_CHECKING:
    from llm_tracker.storage.store.store import Store

HELP = "the conversations that are kept: list, show, describe, export, import, delete, restore, prune"

MEGABYTE = 10**6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do; without a word, list."""
    _common(parser)
    parser.set_defaults(act=_list, limit=20, search=None, model=None, starred=None, tag=None, deleted=False)
    acts = parser.add_subparsers(metavar="ACTION")

    def action(name: str, act: Any, text: str) -> argparse.ArgumentParser:
        own = acts.add_parser(name, help=text)
        _common(own, argparse.SUPPRESS)
        own.set_defaults(act=act)
        return own

    listed = action("list", _list, "the newest first (also without any action)")
    listed.add_argument("--search", metavar="WORDS", help="all of these occur in it")
    listed.add_argument("--model", metavar="ID", help="only those that this model answered")
    listed.add_argument("--tag", help="only those with this tag")
    listed.add_argument("--starred", action="store_true", default=None, help="only those with a star")
    listed.add_argument("--deleted", action="store_true", help="those that `restore` can bring back")
    listed.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many; default: 20")
    _one(action("show", _show, "one conversation with its views, or its session.json"))
    described = _one(action("describe", _describe, "give a conversation a name, tags, a note, a star"))
    described.add_argument("--name")
    described.add_argument("--note")
    described.add_argument("--tag", action="append", metavar="TAG", help="in place of its tags; repeatable")
    described.add_argument("--star", action=argparse.BooleanOptionalAction, help="whether it has a star")
    exported = _several(action("export", _export, "write conversations into a zip file"))
    exported.add_argument("file", metavar="FILE.zip")
    action("import", _import, "keep the conversations of a zip file").add_argument("file", metavar="FILE.zip")
    _several(action("delete", _delete, "delete conversations; `restore` brings them back until the store is pruned"))
    _several(action("restore", _restore, "bring deleted conversations back"))
    pruned = action("prune", _prune, "remove for good: what was deleted, what is old, what takes too much")
    pruned.add_argument("--older-than", type=float, metavar="DAYS", help="what was not changed for so many days")
    pruned.add_argument(
        "--to-size", type=float, metavar="MB", help="the oldest, until the rest takes no more than this"
    )
    pruned.add_argument("--keep-starred", action="store_true", help="leave those with a star")
    pruned.add_argument("--all-visitors", action="store_true", help="of a shared host: each visitor's, one by one")
    pruned.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def _common(parser: argparse.ArgumentParser, default: Any = None) -> None:
    parser.add_argument("--json", action="store_true", default=default or False, help="as JSON")
    parser.add_argument("--store", default=default, metavar="URL", help="another store: a SQLite file, or an address")


def _one(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("id", type=int, metavar="ID")
    return parser


def _several(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("ids", type=int, nargs="+", metavar="ID")
    return parser


def run(args: argparse.Namespace) -> int:
    """Open the store and do what was asked for."""
    from llm_tracker.storage.store.opening import open_store

    store = open_store(args.store)
    try:
        args.act(args, store)
    finally:
        store.database.close()
    return 0


def _say(args: argparse.Namespace, record: Any, text: str) -> None:
    print(json.dumps(record, ensure_ascii=False, indent=1) if args.json else text)


def _list(args: argparse.Namespace, store: Store) -> None:
    from llm_tracker.cli.history_text import stored_lines
    from llm_tracker.storage.store.finding import Query

    query = Query(args.search, args.model, starred=args.starred, tag=args.tag, deleted=args.deleted)
    found = store.find(query, args.limit)
    _say(args, [asdict(each) for each in found], stored_lines(found, *store.count(query)))


def _show(args: argparse.Namespace, store: Store) -> None:
    from llm_tracker.cli.history_text import stored_heading
    from llm_tracker.cli.plain_text import session_text
    from llm_tracker.storage.records import partial_record

    session = store.load(args.id)
    if args.json:
        _say(args, partial_record(session), "")
    else:
        print(f"{stored_heading(store.summary(args.id))}\n\n{session_text(session)}")


def _describe(args: argparse.Namespace, store: Store) -> None:
    from llm_tracker.cli.history_text import stored_heading

    store.describe(args.id, args.name, args.tag, args.note, args.star)
    found = store.summary(args.id)
    _say(args, asdict(found), stored_heading(found))


def _export(args: argparse.Namespace, store: Store) -> None:
    from llm_tracker.export.stored import n_unread, stored_zip

    path = Path(args.file)
    content = stored_zip(store, args.ids)
    _write(path, content)
    unread = sum(n_unread(store.load(each)) for each in args.ids)
    note = f" The layers of {unread} tokens, which nobody has looked at, are not in it." if unread else ""
    _say(
        args, {"ids": args.ids, "file": str(path), "unread_tokens": unread}, f"{path}: {len(args.ids)} exported.{note}"
    )


def _write(path: Path, content: bytes) -> None:
    """All of it in place of what was there, or nothing. Raises InputError where that is not possible."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise InputError(f"{path} could not be written: {error.strerror}. Choose another place.") from error


def _import(args: argparse.Namespace, store: Store) -> None:
    from llm_tracker.storage.store.importing import import_zip

    imported = import_zip(store, args.file)
    lines = [f"{len(imported.ids)} imported: {', '.join(map(str, imported.ids)) or 'none'}."]
    lines += [f"Refused: {name}: {why}." for name, why in imported.refused]
    _say(args, {"ids": imported.ids, "refused": dict(imported.refused)}, "\n".join(lines))
    if not imported.ids:
        raise InputError(f"{args.file} holds no session that could be kept.")


def _delete(args: argparse.Namespace, store: Store) -> None:
    _require_all(store.delete(*args.ids), args.ids)
    bring_back = f"llm-tracker sessions restore {' '.join(map(str, args.ids))}"
    _say(args, {"deleted": args.ids}, f"{len(args.ids)} deleted. To bring back: {bring_back}")


def _restore(args: argparse.Namespace, store: Store) -> None:
    _require_all(store.restore(*args.ids), args.ids)
    _say(args, {"restored": args.ids}, f"{len(args.ids)} restored.")


def _require_all(n: int, ids: list[int]) -> None:
    if n < len(set(ids)):
        missing = f"only {n} of {len(set(ids))} were there" if n else "none of them was there"
        raise InputError(f"Not all could be found: {missing}. See which there are: llm-tracker sessions list")


def _prune(args: argparse.Namespace, store: Store) -> None:
    from llm_tracker.cli.history_text import pruned_lines
    from llm_tracker.storage.store.pruning import all_pruned

    to_bytes = None if args.to_size is None else int(args.to_size * MEGABYTE)
    owners = store.owners() if args.all_visitors else [store.owner]
    each = [
        store.for_owner(owner).prune(args.older_than, to_bytes, args.keep_starred, args.dry_run) for owner in owners
    ]
    pruned = all_pruned(each)
    record = {"removed": [each.id for each in pruned.sessions], "bytes": pruned.n_bytes, "dry_run": args.dry_run}
    _say(args, {**record, "kept": pruned.kept}, pruned_lines(pruned, args.dry_run))
