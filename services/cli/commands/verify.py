"""``aegis verify``: every row, message and record, while others write."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict

from services.cli.shared.chosen_settings import read_store_settings
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_database import require_sound_pages
from services.cli.shared.open_study import StudyContext, open_to_read
from services.cli.shared.verification import (
    count_stored,
    describe_other_rules,
    find_decision_faults,
    find_stored_faults,
)
from services.store import journal
from services.store.session import Connection
from services.store.snapshots import Snapshots


def perform(args: Namespace) -> int:
    """Print each finding."""
    require_sound_pages(read_store_settings(args))
    context = open_to_read(args)
    count = 0
    try:
        for finding in _find_faults(context):
            if args.json:
                print_json_lines([{"finding": finding}])
            else:
                print(finding, flush=True)
            count += 1
        with context.db.read() as conn:
            if args.json:
                queue = {"waiting": journal.count_unhandled(conn), "findings": count}
                print_json_lines([asdict(count_stored(conn)) | queue])
            else:
                print(_describe_stored(context, conn))
                print(f"{count} findings" if count else "verified: nothing found")
    finally:
        context.db.close()
    return int(count > 0)


def _find_faults(context: StudyContext) -> Iterator[str]:
    with Snapshots(context.db) as look:
        yield from find_stored_faults(context, look)
    yield from find_decision_faults(context)


def _describe_stored(context: StudyContext, conn: Connection) -> str:
    waiting_count = journal.count_unhandled(conn)
    note = f"; {waiting_count} facts wait to be graded" if waiting_count else ""
    return f"{describe_other_rules(context, conn)}{count_stored(conn)}{note}"
