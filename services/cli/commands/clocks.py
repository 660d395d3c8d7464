"""``aegis clocks``: the clocks of serious adverse events."""

from argparse import Namespace

from services.acts.sae_clocks import ClockStart, close_clock, set_seriousness, start_clocks
from services.acts.study_context import StudyContext
from services.alerts.clock_list import ProposedClocks, RunningClock, list_clocks, list_proposals
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.columns import CLOCKS
from services.cli.shared.find_record import find_record
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_study import open_data
from services.cli.shared.seal_written_rows import seal_written_rows
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.stored_keys import load_stored_keys
from services.cli.shared.tables import format_utc, make_explained_table
from services.runtime.clock import now_utc
from services.store import records, sae_clocks
from services.vocabulary.act import ActKind
from services.vocabulary.episode import Episode
from services.vocabulary.operations import ClockKind, format_time_left


def perform(args: Namespace) -> int:
    """List clocks, or record what a person decides about one."""
    if args.word == "start":
        return _start(open_data(args, create=False), args)
    data = open_stored_data(args)
    if args.word == "list":
        return _list(data, args)
    with data.db.read() as conn:
        record = find_record(records.load_latest_episodes(conn), args.record)
    match args.word:
        case "close":
            _close(data, record, args)
        case _:
            _set(data, record, args)
    seal_written_rows(data.db, load_stored_keys(data))
    return 0


def _list(data: StoredData, args: Namespace) -> int:
    with data.db.read() as conn:
        clocks = [one for one in list_clocks(conn, now_utc()) if args.all or one.left_s is not None]
        proposals = list_proposals(conn, records.load_latest_episodes(conn))
    if args.json:
        print_json_lines(
            [*map(_summarize_clock, clocks), *(_summarize_proposal(one) for one in proposals)]
        )
        return 0
    rows = [_list_clock_cells(one) for one in clocks]
    rows += [_list_proposal_cells(one) for one in proposals]
    print(make_explained_table(CLOCKS, rows) if rows else "no clock runs, and none is proposed")
    return 0


def _start(data: StudyContext, args: Namespace) -> int:
    with data.db.read() as conn:
        record = find_record(records.load_latest_episodes(conn), args.record)
    actor = find_actor(data, ActKind.START_CLOCK, record.content.participant)
    kinds = [ClockKind(kind) for kind in dict.fromkeys(args.clock)]
    periods = data.study.rules.protocol.clock_periods
    start = ClockStart(record, kinds, args.aware_at, args.reason, periods)
    for row in start_clocks(data.db, actor, start, now_utc()):
        time_left = format_time_left((row.due_at - now_utc()).total_seconds())
        print(f"{record.content.term}: the {row.kind} clock runs until {format_utc(row.due_at)},"
              f" {time_left}")  # fmt: skip
    seal_written_rows(data.db, data.keys)
    return 0


def _close(data: StoredData, record: Episode, args: Namespace) -> None:
    with data.db.read() as conn:
        rows = sae_clocks.load_clocks(conn, [record.id])
    rows_of_kind = [row for row in rows if row.kind == args.clock]
    if not rows_of_kind:
        raise CommandError(f"no {args.clock} clock of this record was started: `aegis clocks list`")
    row = max(rows_of_kind, key=lambda row: (row.closed_at is None, row.started_at))
    actor = find_actor(data, ActKind.CLOSE_CLOCK, record.content.participant)
    close_clock(data.db, actor, row, args.reason, now_utc())
    print(f"{record.content.term}: the {row.kind} clock is closed")


def _set(data: StoredData, record: Episode, args: Namespace) -> None:
    actor = find_actor(data, ActKind.SET_SERIOUSNESS, record.content.participant)
    is_serious = args.seriousness == "serious"
    set_seriousness(data.db, actor, record, args.reason, now_utc(), is_serious=is_serious)
    print(f"{record.content.term}: {args.seriousness.replace('-', ' ')}, by {actor.name}")


def _list_clock_cells(clock: RunningClock) -> tuple[object, ...]:
    row = clock.row
    left = "closed" if clock.left_s is None else format_time_left(clock.left_s)
    aware_at, due_at = format_utc(row.aware_at), format_utc(row.due_at)
    return row.record[:8], row.participant, clock.term, row.kind, aware_at, due_at, left


def _list_proposal_cells(proposal: ProposedClocks) -> tuple[object, ...]:
    content = proposal.record.content
    kinds = ", ".join(proposal.kinds)
    reasons = ", ".join(content.serious)
    words = f"proposed: {reasons}"
    return proposal.record.id[:8], content.participant, content.term, kinds, "-", "-", words


def _summarize_clock(clock: RunningClock) -> dict[str, object]:
    row = clock.row
    return {
        "record": row.record,
        "participant": row.participant,
        "term": clock.term,
        "clock": row.kind,
        "state": "closed" if row.closed_at else clock.stage,
        "aware_at": row.aware_at,
        "due_at": row.due_at,
        "left_s": clock.left_s,
        "started_by": row.started_by,
        "started_at": row.started_at,
        "reason": row.reason,
        "closed_by": row.closed_by,
        "closed_at": row.closed_at,
        "closing_reason": row.closing_reason,
    }


def _summarize_proposal(proposal: ProposedClocks) -> dict[str, object]:
    content = proposal.record.content
    return {
        "record": proposal.record.id,
        "participant": content.participant,
        "term": content.term,
        "state": "proposed",
        "clocks": proposal.kinds,
        "reasons": content.serious,
    }
