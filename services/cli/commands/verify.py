"""``aegis verify``: every row, message and record, while others write."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_study import StudyContext, open_data
from services.cli.shared.verification import (
    count_stored,
    of_decisions,
    stored_findings,
    tell_of_others,
)
from services.store import journal
from services.store.session import Connection
from services.store.snapshots import Snapshots


def perform(args: Namespace) -> int:
    """Print each finding."""
    context = open_data(args, create=False)
    count = 0
    try:
        for finding in _findings(context):
            if args.json:
                print_json_lines([{"finding": finding}])
            else:
                print(finding, flush=True)
            count += 1
        with context.db.read() as conn:
            if args.json:
                waiting = {"waiting": journal.count_unhandled(conn), "findings": count}
                print_json_lines([asdict(count_stored(conn)) | waiting])
            else:
                print(_whole(context, conn))
                print(f"{count} findings" if count else "verified: nothing found")
    finally:
        context.db.close()
    return int(count > 0)


def _findings(context: StudyContext) -> Iterator[str]:
    with Snapshots(context.db) as look:
        yield from stored_findings(context, look)
    yield from of_decisions(context)


def _whole(context: StudyContext, conn: Connection) -> str:
    waiting = journal.count_unhandled(conn)
    graded = f"; {waiting} facts wait to be graded" if waiting else ""
    return f"{tell_of_others(context, conn)}{count_stored(conn)}{graded}"
