"""``aegis ingest`` and ``aegis parked``: files in, and what of them waits."""

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from services.cli.command import Command, CommandError
from services.cli.entering import by_argument, intake_of
from services.cli.opened import data_arguments, open_data, settle
from services.cli.tables import table, utc
from services.ingest import parked
from services.ingest.application import Incoming, Outcome
from services.ingest.files import faults_in, files_in, messages_in

_AT_ONCE = 256


def _ingest_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="files, folders, or - for standard input"
    )
    by_argument(parser)
    data_arguments(parser)


def _ingest(args: Namespace) -> int:
    opened = open_data(args)
    intake = intake_of(opened)
    incoming = _incoming(args.paths, args.by)
    outcomes: list[Outcome] = []
    while some := list(islice(incoming, _AT_ONCE)):
        outcomes += intake.accept(some)
    refused = [outcome.refused for outcome in outcomes if outcome.refused is not None]
    for one in refused[:10]:
        print(f"refused: {one}", file=sys.stderr)
    graded = settle(opened)
    print(summary(outcomes))
    if not graded:
        print("a running service grades them")
    return 1 if refused else 0


def summary(outcomes: list[Outcome]) -> str:
    """Return what became of some messages, in one line."""
    accepted = [outcome for outcome in outcomes if outcome.refused is None]
    waiting = Counter(reason for outcome in accepted for reason in outcome.parked)
    parts = [
        f"{len(outcomes)} messages",
        f"{len(accepted)} accepted",
        f"{sum(outcome.duplicate for outcome in accepted)} of them duplicates",
        f"{len(outcomes) - len(accepted)} refused",
        f"{sum(outcome.facts for outcome in accepted)} facts",
        f"{sum(waiting.values())} parked",
    ]
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(waiting.items()))
    return ", ".join(parts) + (f" ({reasons})" if reasons else "")


def _incoming(paths: list[str], by: str) -> Iterator[Incoming]:
    for path in paths:
        for name, content in _contents(path):
            for fault in faults_in(content):
                print(f"{name}: {fault}", file=sys.stderr)
            yield from messages_in(content, by)


def _contents(path: str) -> Iterator[tuple[str, bytes]]:
    if path == "-":
        yield "standard input", sys.stdin.buffer.read()
        return
    for file in files_in(Path(path)):
        try:
            yield str(file), file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error


def _parked_arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="list|retry|discard")
    for name, meaning in (
        ("list", "what waits, and why"),
        ("retry", "read it again, once a mapping or a participant is there"),
        ("discard", "set items aside for good"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        data_arguments(word)
        word.add_argument("--site", metavar="SITE", help="of this site only")
        if name != "list":
            by_argument(word)
        if name == "discard":
            word.add_argument("items", nargs="+", metavar="ITEM")
            word.add_argument("--reason", required=True)


def _parked(args: Namespace) -> int:
    opened = open_data(args, create=False)
    intake = intake_of(opened)
    waiting = parked.waiting(intake, args.site)
    if args.word == "retry":
        done = parked.retry(intake, args.by, args.site)
        settle(opened)
        print(f"{done.facts} facts, {done.closed} items closed, {done.waiting} still wait")
    elif args.word == "discard":
        chosen = [row.id for row in waiting if any(row.id.startswith(i) for i in args.items)]
        count = parked.discard(intake, chosen, args.by, args.reason)
        print(f"{count} items discarded; their messages are kept")
    elif waiting:
        rows = [
            (row.id[:8], row.site, utc(row.parked_at), row.path, row.reason, row.detail)
            for row in waiting
        ]
        print(table(("item", "site", "since (UTC)", "where", "reason", "detail"), rows))
    else:
        print("nothing is parked")
    return 0


INGEST = Command("ingest", "read files of HL7 v2 messages, or of facts", _ingest_arguments, _ingest)
PARKED = Command("parked", "what was accepted and cannot be used yet", _parked_arguments, _parked)
