"""Parked items that a person lets be read again, or discards."""

from argparse import Namespace
from collections.abc import Sequence

from services.acts import parked_changes
from services.acts.intake import make_intake
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor, require_site
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import open_data
from services.cli.shared.seal_written_rows import seal_written_rows
from services.ingest import parked_items
from services.vocabulary.act import ActKind
from services.vocabulary.count_text import name_count

_KEPT = {True: "its message is kept", False: "their messages are kept"}  # by "it is one"


def retry_items(args: Namespace) -> int:
    """Read parked items again, and print the numbers of facts and of items."""
    context = open_data(args, create=False)
    actor = find_actor(context, ActKind.RETRY_PARKED)
    result = parked_changes.retry_items(context, actor, args.site)
    grade_entered_facts(context)
    counts = f"{name_count(result.facts, 'fact')}, {name_count(result.closed_items, 'item')} closed"
    verb = "waits" if result.still_parked == 1 else "wait"
    print(f"{counts}, {result.still_parked} still {verb}")
    return 0


def discard_items(args: Namespace) -> int:
    """Set the chosen items aside for good, and print how many."""
    context = open_data(args, create=False)
    actor = find_actor(context, ActKind.DISCARD_PARKED)
    intake = make_intake(context)
    rows = {row.id: row for row in parked_items.list_parked(intake, args.site)}
    ids = _match_ids(args.items, list(rows))
    for parked_id in ids:
        require_site(context, actor, rows[parked_id].site)
    items = [rows[parked_id] for parked_id in ids]
    count = parked_changes.discard_items(context, actor, items, args.reason)
    seal_written_rows(context.db, context.keys)
    print(f"{name_count(count, 'item')} discarded; {_KEPT[count == 1]}")
    return 0


def _match_ids(items: Sequence[str], parked_ids: Sequence[str]) -> list[str]:
    """Return the one id that begins with each of *items*.

    Raises:
        CommandError: None does, or several do.
    """
    ids = []
    for item in items:
        matches = [one for one in parked_ids if item and one.startswith(item)]
        if len(matches) != 1:
            raise CommandError(
                f"{len(matches)} parked items begin with {item!r}: nothing was discarded;"
                " name items as `aegis parked list` does"
            )
        ids += matches
    return ids
