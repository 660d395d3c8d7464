"""The state of each alert as the alerts service last found it: for views, which know no people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from services.store import audit
from services.store.bulk import insert_if_new
from services.store.tables import alert_state


@dataclass(frozen=True, slots=True)
class AlertStateRow:
    """The state of *alert* since *changed_at* (aware), and who has to acknowledge it still."""

    alert: str
    state: str
    missing_people: tuple[str, ...]
    changed_at: datetime


def load_alert_states(
    conn: Connection, alerts: Sequence[str] | None = None
) -> dict[str, AlertStateRow]:
    """Return the stored state of each alert, or of those of *alerts* (ids), by id."""
    query = select(alert_state)
    if alerts is not None:
        query = query.where(alert_state.c.alert.in_(alerts))
    return {
        row["alert"]: AlertStateRow(
            row["alert"], row["state"], tuple(json.loads(row["missing_people"])), row["changed_at"]
        )
        for row in conn.execute(query).mappings()
    }


def replace_alert_states(conn: Connection, rows: Sequence[AlertStateRow]) -> None:
    """Store *rows* in the place of those of the same alerts; one that is stored so is passed over.

    Another process may do the same at once: each change is written, and audited, once.
    """
    new_rows, changed_rows = [], []
    for row in map(_make_row, rows):
        table = alert_state.c
        differs = or_(table.state != row["state"], table.missing_people != row["missing_people"])
        change = update(alert_state).where(table.alert == row["alert"], differs).values(row)
        if conn.execute(change).rowcount == 1:
            changed_rows.append(row)
        elif insert_if_new(conn, alert_state, [row]):
            new_rows.append(row)
    audit.record_rows(conn, alert_state, new_rows)
    audit.record_rows(conn, alert_state, changed_rows, action=audit.CHANGE)


def _make_row(row: AlertStateRow) -> dict[str, object]:
    return {
        "alert": row.alert,
        "state": row.state,
        "missing_people": json.dumps(row.missing_people),
        "changed_at": row.changed_at,
    }
