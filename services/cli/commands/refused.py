"""``aegis refused``: the messages that can never be accepted as they were sent."""

from argparse import Namespace
from dataclasses import asdict, replace

from services.cli.shared.columns import REFUSED_MESSAGES
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.reading_right import find_reading_right, warn_of_masked_words
from services.cli.shared.stored_data import open_stored_data
from services.cli.shared.stored_keys import load_stored_keys
from services.cli.shared.tables import format_utc, make_explained_table
from services.store.refusals import RefusalRow, load_refusals, reveal_words
from services.vocabulary.printable_text import quote_text


def perform(args: Namespace) -> int:
    """List refused messages, oldest first, or show one."""
    if args.word == "list":
        return _list(args)
    from services.cli.shared.refused_message import show_message  # noqa: PLC0415 (it loads rules)

    return show_message(args)


def _list(args: Namespace) -> int:
    data = open_stored_data(args)
    with data.db.read() as conn:
        refusals = load_refusals(conn, args.site)
    right = find_reading_right(data)
    masked_ids = {row.id for row in refusals if row.hidden_words and not right.covers(row.site)}
    if masked_ids:
        warn_of_masked_words(right)
    shown_rows = [
        replace(row, control_id="", hidden_words=None) if row.id in masked_ids else row
        for row in refusals
    ]
    refusals = list(reveal_words(load_stored_keys(data), shown_rows))
    if args.json:
        print_json_lines(_as_json(row) for row in refusals)
    elif refusals:
        rows = [
            (
                row.id[:8],
                format_utc(row.refused_at),
                row.site or "-",
                quote_text(row.sender) or "-",
                quote_text(row.control_id) or "-",
                row.source,
                row.problem,
            )
            for row in refusals
        ]
        print(make_explained_table(REFUSED_MESSAGES, rows))
    else:
        print("nothing was refused")
    return 0


def _as_json(row: RefusalRow) -> dict[str, object]:
    return {name: value for name, value in asdict(row).items() if name != "hidden_words"}
