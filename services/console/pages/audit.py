"""The trail of acts: who, when, what, old value, new value and reason."""

from datetime import UTC, datetime

from starlette.responses import Response

from services.acts.trail import write_csv, write_json_lines
from services.console.respond import render, respond_file
from services.console.visit import Visit
from services.store.acts import ActFilter, load_acts
from services.store.audit_anchor import find_head
from services.vocabulary.act import ActKind

_PAGE = 200  # acts


def export_csv(visit: Visit) -> Response:
    """Send the acts that are asked for as a table, each row with the head of the chain."""
    act_filter, _ = _read_filter(visit)
    with visit.context.db.read() as conn:
        text = write_csv(load_acts(conn, act_filter), find_head(conn))
    return respond_file(text, "text/csv; charset=utf-8", "acts.csv")


def export_json_lines(visit: Visit) -> Response:
    """Send the acts that are asked for as JSON, one to a line, with the head of the chain."""
    act_filter, _ = _read_filter(visit)
    with visit.context.db.read() as conn:
        text = write_json_lines(load_acts(conn, act_filter), find_head(conn))
    return respond_file(text, "application/jsonl; charset=utf-8", "acts.jsonl")


def show(visit: Visit) -> Response:
    """Show the newest acts of those that are asked for."""
    act_filter, fault = _read_filter(visit)
    with visit.context.db.read() as conn:
        rows = load_acts(conn, act_filter)
        head = find_head(conn)
    return render(
        visit,
        "audit.html",
        rows=rows[::-1][:_PAGE],
        found_count=len(rows),
        head=head,
        kinds=tuple(ActKind),
        query=visit.query,
        fault=fault,
    )


def _read_filter(visit: Visit) -> tuple[ActFilter, str]:
    """Return the acts that are asked for, and the fault of the question; empty: it has none."""
    query, fault = visit.query, ""
    not_before = None
    if text := query.get("since", "").strip():
        not_before = _read_date(text)
        fault = "" if not_before else f"{text[:40]} is no date like 2026-03-14"
    kind = query.get("kind", "")
    kinds = (ActKind(kind),) if kind in tuple(ActKind) else ()
    participant = query.get("participant", "").strip()
    target = query.get("about", "").strip()
    act_filter = ActFilter(
        targets=(target,) if target else (),
        participants=(participant,) if participant else (),
        person=query.get("person", "").strip(),
        not_before=not_before,
        kinds=kinds,
    )
    return act_filter, fault


def _read_date(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
