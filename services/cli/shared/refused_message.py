"""One refused message: where, when and why, and the words of its sender for who may see them."""

from argparse import Namespace

from services.acts.refused_messages import look_at_refusal
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor, require_site
from services.cli.shared.open_study import open_data
from services.cli.shared.seal_written_rows import seal_written_rows
from services.cli.shared.tables import format_utc
from services.store.refusals import RefusalRow, load_refusals
from services.vocabulary.act import ActKind
from services.vocabulary.printable_text import escape_lines, quote_text


def show_message(args: Namespace) -> int:
    """Print a refused message without its content, which is not kept.

    Raises:
        CommandError: There is no such message, or there are several.
    """
    context = open_data(args, create=False)
    with context.db.read() as conn:
        row = _find_refusal(load_refusals(conn), args.message)
    try:
        actor = find_actor(context, ActKind.LOOK_AT_MESSAGE)
        require_site(context, actor, row.site)
    except CommandError as error:
        print(_describe(row))
        print(f"identifiers are not shown: {error}")
        return 0
    row = look_at_refusal(context, actor, row)
    print(_describe(row))
    print(f"sender: {quote_text(row.sender) or 'not given'}")
    print(f"control id: {quote_text(row.control_id) or 'not given'}")
    seal_written_rows(context.db, context.keys)
    return 0


def _describe(row: RefusalRow) -> str:
    lines = [
        f"refused message {row.id}",
        f"refused: {format_utc(row.refused_at)} UTC, {row.source}, {row.site or 'no known site'}",
        f"{row.problem}" if row.location in row.problem else f"{row.location}: {row.problem}",
        "its content is not kept: the sender has it, and sends it again once it is right",
    ]
    return escape_lines("\n".join(lines))


def _find_refusal(rows: list[RefusalRow], start: str) -> RefusalRow:
    matches = [row for row in rows if start and row.id.startswith(start)]
    if len(matches) != 1:
        count = len(matches) or "no"
        raise CommandError(
            f"{count} refused messages begin with {start!r}: `aegis refused list` lists them"
        )
    return matches[0]
