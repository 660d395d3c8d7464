"""The trail of acts: who, when, what, old value, new value and reason."""

from collections.abc import Sequence
from datetime import UTC, datetime

from starlette.responses import Response

from services.acts.trail import write_csv, write_json_lines
from services.console.respond import render, respond_file
from services.console.visit import Visit
from services.store.acts import ActFilter, load_acts
from services.store.audit_anchor import Anchor, find_head
from services.store.people import load_person
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind

_PAGE = 200  # acts
_LONGEST_FAULT = 300


def export_csv(visit: Visit) -> Response:
    """Send the acts that are asked for as a table, each row with the head of the chain."""
    with visit.context.db.read() as conn:
        act_filter, fault = _read_filter(visit, conn)
        if fault:
            return _refuse(visit, fault)
        text = write_csv(load_acts(conn, act_filter), find_head(conn))
    return respond_file(text, "text/csv; charset=utf-8", "acts.csv")


def export_json_lines(visit: Visit) -> Response:
    """Send the acts that are asked for as JSON, one to a line, with the head of the chain."""
    with visit.context.db.read() as conn:
        act_filter, fault = _read_filter(visit, conn)
        if fault:
            return _refuse(visit, fault)
        text = write_json_lines(load_acts(conn, act_filter), find_head(conn))
    return respond_file(text, "application/jsonl; charset=utf-8", "acts.jsonl")


def show(visit: Visit) -> Response:
    """Show the newest acts of those that are asked for."""
    with visit.context.db.read() as conn:
        act_filter, fault = _read_filter(visit, conn)
        if fault:
            return _refuse(visit, fault)
        rows = load_acts(conn, act_filter)
        head = find_head(conn)
    return _render(visit, rows, head)


def _refuse(visit: Visit, fault: str) -> Response:
    """Show no act, and why."""
    return _render(visit, [], None, 400, fault)


def _render(
    visit: Visit, rows: Sequence[Act], head: Anchor | None, status: int = 200, fault: str = ""
) -> Response:
    return render(
        visit,
        "audit.html",
        status,
        rows=rows[::-1][:_PAGE],
        found_count=len(rows),
        head=head,
        kinds=tuple(ActKind),
        query=visit.query,
        fault=fault,
    )


def _read_filter(visit: Visit, conn: Connection) -> tuple[ActFilter, str]:
    """Return the acts that are asked for, and the fault of the question; empty: it has none."""
    query = {name: text.strip() for name, text in visit.query.items()}
    names = ("kind", "person", "participant", "about", "since")
    kind, person, participant, target, since = (query.get(name, "") for name in names)
    not_before = _read_date(since) if since else None
    faults = [f"{name} is nothing to ask by" for name in query if name not in names]
    if kind and kind not in tuple(ActKind):
        faults.append(f"{kind} is no kind of act")
    if since and not_before is None:
        faults.append(f"{since} is no date like 2026-03-14")
    if person and not _is_person(conn, person):
        faults.append(f"{person} is no person who has acted, or who may")
    act_filter = ActFilter(
        targets=(target,) if target else (),
        participants=(participant,) if participant else (),
        person=person,
        not_before=not_before,
        kinds=(ActKind(kind),) if kind in tuple(ActKind) else (),
    )
    return act_filter, "; ".join(faults)[:_LONGEST_FAULT]


def _is_person(conn: Connection, person: str) -> bool:
    """Return True if *person* is an id of somebody, or of a machine that has acted."""
    return bool(load_person(conn, person) or load_acts(conn, ActFilter(person=person)))


def _read_date(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
