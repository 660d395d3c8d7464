"""``aegis verify``: every row, message and record, while others write."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.shared.open_study import StudyContext, open_data
from services.cli.shared.verification import (
    counts,
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
        for finding in _of_rows_and_records(context):
            print(finding, flush=True)
            count += 1
        for finding in of_decisions(context):
            print(finding, flush=True)
            count += 1
        with context.db.read() as conn:
            print(_whole(context, conn))
    finally:
        context.db.close()
    print(f"{count} findings" if count else "verified: nothing found")
    return int(count > 0)


def _of_rows_and_records(context: StudyContext) -> Iterator[str]:
    with Snapshots(context.db) as look:
        yield from stored_findings(context, look)


def _whole(context: StudyContext, conn: Connection) -> str:
    waiting = journal.count_unhandled(conn)
    graded = f"; {waiting} facts wait to be graded" if waiting else ""
    return f"{tell_of_others(context, conn)}{counts(conn)}{graded}"
