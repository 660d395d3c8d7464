"""Parked items that a person lets be read again, or discards."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence

from services.acts import code_mapping, parked_changes
from services.acts.code_mapping import CodeMapping
from services.acts.intake import make_intake
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor, require_site
from services.cli.shared.grade_entered_facts import describe_service, grade_entered_facts
from services.cli.shared.open_study import open_data
from services.cli.shared.seal_written_rows import seal_written_rows
from services.ingest import parked_items
from services.store.parking import ParkedRow
from services.vocabulary.act import ActKind
from services.vocabulary.count_text import name_count
from services.vocabulary.printable_text import escape_lines

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
    groups = {_name_group(rows[parked_id]) for parked_id in ids} if args.alike else set()
    items = [row for row in rows.values() if row.id in ids or _name_group(row) in groups]
    count = parked_changes.discard_items(context, actor, items, args.reason)
    seal_written_rows(context.db, context.keys)
    print(f"{name_count(count, 'item')} discarded; {_KEPT[count == 1]}")
    return 0


def map_code(args: Namespace) -> int:
    """Let a code of a site mean something, or nothing, and read again what waits for it."""
    context = open_data(args, create=False)
    kind = ActKind.MAP_CODE if args.word == "map" else ActKind.IGNORE_CODE
    actor = find_actor(context, kind)
    require_site(context, actor, args.site)
    is_map = kind is ActKind.MAP_CODE
    table, target = (args.table, args.target) if is_map else ("codes", "")
    act = code_mapping.map_code(
        context, actor, CodeMapping(args.site, args.code, table, target, args.reason)
    )
    context.db.close()
    context = open_data(args, create=False)  # with the mapping
    result = parked_items.retry_parked(make_intake(context), actor.id, args.site)
    grade_entered_facts(context)
    counts = f"{name_count(result.facts, 'fact')}, {name_count(result.closed_items, 'item')} closed"
    print(f"{act.target}: {act.new_value}; {counts}; {describe_service(context)}")
    return 0


def show_message(args: Namespace) -> int:
    """Print the message of an item as it came; who may not see identifiers sees its segments."""
    context = open_data(args, create=False)
    rows = {row.id: row for row in parked_items.list_parked(make_intake(context), args.site)}
    (item_id,) = _match_ids([args.item], list(rows))
    item = rows[item_id]
    try:
        actor = find_actor(context, ActKind.LOOK_AT_MESSAGE)
        require_site(context, actor, item.site)
    except CommandError as error:
        lines = parked_changes.read_message(context, item)
        print("\n".join(parked_changes.mask_lines(lines)))
        print(f"identifiers are not shown: {error}")
        return 0
    print(escape_lines("\n".join(parked_changes.look_at_message(context, actor, item))))
    seal_written_rows(context.db, context.keys)
    return 0


def _name_group(row: ParkedRow) -> tuple[str, str, str]:
    return row.site, row.reason, row.detail


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


CHANGES: Mapping[str, Callable[[Namespace], int]] = {
    "show": show_message,
    "map": map_code,
    "ignore": map_code,
    "retry": retry_items,
    "discard": discard_items,
}
