"""The state of each alert as the alerts service last found it: for views, which know no people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from services.store import audit
from services.store.bulk import insert_rows
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
    """Store *rows* in the place of those of the same alerts."""
    if not rows:
        return
    ids = [row.alert for row in rows]
    earlier_ids = {*conn.scalars(select(alert_state.c.alert).where(alert_state.c.alert.in_(ids)))}
    conn.execute(delete(alert_state).where(alert_state.c.alert.in_(earlier_ids)))
    insert_rows(conn, alert_state, [_make_row(row) for row in rows])
    for is_new in (True, False):
        values = [_make_row(row) for row in rows if (row.alert not in earlier_ids) is is_new]
        action = audit.INSERTION if is_new else audit.CHANGE
        audit.record_rows(conn, alert_state, values, action=action)


def _make_row(row: AlertStateRow) -> dict[str, object]:
    return {
        "alert": row.alert,
        "state": row.state,
        "missing_people": json.dumps(row.missing_people),
        "changed_at": row.changed_at,
    }
