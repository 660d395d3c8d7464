"""``aegis verify``: every row, message and record, while others write."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict

from services.acts.study_context import StudyContext
from services.cli.command import CommandError
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_database import require_sound_pages
from services.cli.shared.open_study import open_to_read
from services.cli.shared.verification import (
    count_stored,
    describe_other_rules,
    find_decision_faults,
    find_seal_faults,
    find_stored_faults,
)
from services.store import journal
from services.store.audit_anchor import Anchor, AnchorError, find_head, find_unsealed_tail
from services.store.session import Connection
from services.store.snapshots import Snapshots
from services.vocabulary.count_text import name_count


def perform(args: Namespace) -> int:
    """Print each finding.

    Raises:
        CommandError: The anchor is none.
    """
    anchor = _parse_anchor(args.anchor)
    require_sound_pages(read_chosen_settings(args))
    context = open_to_read(args)
    count = 0
    try:
        for finding in _find_faults(context, anchor):
            if args.json:
                print_json_lines([{"finding": finding}])
            else:
                print(finding, flush=True)
            count += 1
        with context.db.read() as conn:
            if args.json:
                print_json_lines([_list_counts(conn) | {"findings": count}])
            else:
                print(_describe_stored(context, conn))
                print(name_count(count, "finding") if count else "verified: nothing found")
    finally:
        context.db.close()
    return int(count > 0)


def _parse_anchor(text: str | None) -> Anchor | None:
    try:
        return None if text is None else Anchor.parse(text)
    except AnchorError as error:
        raise CommandError(f"--anchor {text!r}: {error}") from error


def _find_faults(context: StudyContext, anchor: Anchor | None) -> Iterator[str]:
    with Snapshots(context.db) as look:
        yield from find_stored_faults(context, look)
    yield from find_seal_faults(context, anchor)
    yield from find_decision_faults(context)


def _list_counts(conn: Connection) -> dict[str, object]:
    tail, head = find_unsealed_tail(conn), find_head(conn)
    return asdict(count_stored(conn)) | {
        "waiting": journal.count_unhandled(conn),
        "unsealed": tail.count,
        "unsealed_since": tail.since,
        "head": head and str(head),
    }


def _describe_stored(context: StudyContext, conn: Connection) -> str:
    waiting_count = journal.count_unhandled(conn)
    note = f"; {waiting_count} facts wait to be graded" if waiting_count else ""
    return (
        f"{describe_other_rules(context, conn)}{count_stored(conn)}{note}\n{_describe_trail(conn)}"
    )


def _describe_trail(conn: Connection) -> str:
    tail, head = find_unsealed_tail(conn), find_head(conn)
    note = ""
    if tail.since is not None:
        since = f"{tail.since:%Y-%m-%d %H:%M:%S} UTC"
        note = f"; {tail.count} rows since {since} are not sealed yet: `aegis run` seals them"
    if head is None:
        return f"head of the audit trail: none{note}"
    return f"head of the audit trail{note}:\n{head}"
