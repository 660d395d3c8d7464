"""``aegis audit``: who did what, when and why."""

from argparse import Namespace
from collections.abc import Sequence

from services.acts import trail
from services.cli.command import CommandError
from services.cli.shared.columns import ACTS
from services.cli.shared.find_record import find_record
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.output_files import OutputFile, write_files
from services.cli.shared.stored_data import find_participants, open_stored_data
from services.cli.shared.tables import format_utc, make_explained_table
from services.store import acts, records
from services.store.acts import ActFilter
from services.store.audit_anchor import Anchor, find_head
from services.store.participant_order import find_families
from services.store.session import Connection
from services.vocabulary.act import Act
from services.vocabulary.count_text import name_count

_WRITERS = {".csv": trail.write_csv, ".jsonl": trail.write_json_lines}


def perform(args: Namespace) -> int:
    """Print the acts that are asked for, the oldest first, or export them."""
    if args.export is not None and args.export.suffix not in _WRITERS:
        raise CommandError(f"--export {args.export}: name a file that ends in .csv or .jsonl")
    data = open_stored_data(args)
    with data.db.read() as conn:
        find_participants(conn, data.study_id, args.participant)
        rows = acts.load_acts(conn, _make_filter(conn, args))
        head = find_head(conn)
    if args.export is not None:
        return _export(args, rows, head)
    if args.json:
        print_json_lines(map(trail.list_entries, rows))
    else:
        print(make_explained_table(ACTS, list(map(_list_cells, rows))) if rows else "no acts")
    return 0


def _make_filter(conn: Connection, args: Namespace) -> ActFilter:
    record_ids = []
    if args.record is not None:
        record_ids.append(find_record(records.load_latest_episodes(conn), args.record).id)
    family: tuple[str, ...] = ()
    if args.participant is not None:
        family = tuple(sorted(find_families(conn, [args.participant])[0]))
    return ActFilter(record_ids, family, args.person or "", args.since)


def _export(args: Namespace, rows: Sequence[Act], head: Anchor | None) -> int:
    text = _WRITERS[args.export.suffix](rows, head)
    write_files([OutputFile("--export", args.export, text.encode())])
    print(f"{args.export}: {name_count(len(rows), 'act')}; head of the audit trail:")
    print(head or "none")
    return 0


def _list_cells(act: Act) -> tuple[object, ...]:
    change = f"{act.old_value} -> {act.new_value}" if act.old_value else act.new_value
    role = f", {act.role.replace('_', ' ')}" if act.role else ""
    return (
        format_utc(act.acted_at),
        f"{act.actor.name}{role}",
        act.kind.replace("-", " "),
        act.participant or "-",
        act.target[:8] if act.participant else act.target,
        change or "-",
        act.reason,
        f"{act.actor.signed_by}, {act.meaning}" if act.is_signed else "-",
    )
