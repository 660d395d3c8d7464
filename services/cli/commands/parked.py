"""``aegis parked``: what was accepted and waits."""

from argparse import Namespace
from dataclasses import replace

from services.cli.shared.columns import PARKED
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.reading_right import find_reading_right, warn_of_masked_words
from services.cli.shared.stored_data import open_stored_data
from services.cli.shared.stored_keys import load_stored_keys
from services.cli.shared.tables import format_utc, make_explained_table
from services.store import parking


def perform(args: Namespace) -> int:
    """List parked items, show the message of one, or clear some."""
    if args.word == "list":
        return _list(args)
    from services.cli.shared import parked_changes  # noqa: PLC0415 (it loads ingest and the rules)

    return parked_changes.CHANGES[args.word](args)


def _list(args: Namespace) -> int:
    data = open_stored_data(args)
    with data.db.read() as conn:
        items = parking.load_parked(conn, site=args.site)
    right = find_reading_right(data)
    masked_ids = {row.id for row in items if row.hidden_detail and not right.covers(row.site)}
    if masked_ids:
        warn_of_masked_words(right)
    shown_rows = [
        replace(row, hidden_detail=None) if row.id in masked_ids else row for row in items
    ]
    items = list(parking.reveal_details(load_stored_keys(data), shown_rows))
    if args.json:
        print_json_lines(
            {
                "item": row.id,
                "site": row.site,
                "parked_at": row.parked_at,
                "message": row.message,
                "path": row.path,
                "reason": row.reason,
                "detail": row.detail,
            }
            for row in items
        )
    elif items:
        rows = [
            (row.id[:8], row.site, format_utc(row.parked_at), row.path, row.reason, row.detail)
            for row in items
        ]
        print(make_explained_table(PARKED, rows))
    else:
        print("nothing is parked")
    return 0
