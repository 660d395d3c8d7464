"""``aegis parked``: what was accepted and waits."""

from argparse import Namespace
from collections.abc import Sequence

from services.cli.command import CommandError
from services.cli.shared.columns import PARKED
from services.cli.shared.enter_facts import intake_of
from services.cli.shared.open_study import open_data
from services.cli.shared.settle import settle
from services.cli.shared.tables import explained_table, utc
from services.ingest import parked_items


def perform(args: Namespace) -> int:
    """List parked items, read them again, or discard some."""
    context = open_data(args, create=False)
    intake = intake_of(context)
    waiting = parked_items.list_parked(intake, args.site)
    if args.word == "retry":
        done = parked_items.retry_parked(intake, args.by, args.site)
        settle(context)
        print(
            f"{done.facts} facts, {done.closed_items} items closed, {done.still_parked} still wait"
        )
    elif args.word == "discard":
        chosen = _chosen(args.items, [row.id for row in waiting])
        count = parked_items.discard_parked(intake, chosen, args.by, _reason(args.reason))
        print(f"{count} items discarded; their messages are kept")
    elif waiting:
        rows = [
            (row.id[:8], row.site, utc(row.parked_at), row.path, row.reason, row.detail)
            for row in waiting
        ]
        print(explained_table(PARKED, rows))
    else:
        print("nothing is parked")
    return 0


def _chosen(items: Sequence[str], waiting: Sequence[str]) -> list[str]:
    """Return the one id that begins with each of *items*.

    Raises:
        CommandError: None does, or several do.
    """
    chosen = []
    for item in items:
        found = [one for one in waiting if item and one.startswith(item)]
        if len(found) != 1:
            raise CommandError(
                f"{len(found)} parked items begin with {item!r}: nothing was discarded;"
                " name items as `aegis parked list` does"
            )
        chosen += found
    return chosen


def _reason(text: str) -> str:
    if not text.strip():
        raise CommandError("say why with --reason: it is kept")
    return text
