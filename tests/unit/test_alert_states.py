"""The stored state of an alert: a change is written and audited once, whoever finds it."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from services.store import tables
from services.store.alert_states import AlertStateRow, load_alert_states, replace_alert_states
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.store import new_database

OPEN_ROW = AlertStateRow("a1", "open", ("chair", "member"), HOUR_ZERO)
SEEN_ROW = AlertStateRow("a1", "seen", (), hours(1))


@pytest.fixture
def db(tmp_path):
    database, _ = new_database(tmp_path)
    yield database
    database.close()


@pytest.mark.parametrize(
    ("rows", "actions"),
    [
        ([OPEN_ROW], ["inserted"]),
        ([OPEN_ROW, replace(OPEN_ROW, changed_at=hours(2))], ["inserted"]),  # found by two
        ([OPEN_ROW, SEEN_ROW], ["inserted", "changed"]),
        ([OPEN_ROW, replace(OPEN_ROW, missing_people=("chair",))], ["inserted", "changed"]),
        ([OPEN_ROW, SEEN_ROW, replace(OPEN_ROW, changed_at=hours(2))],
         ["inserted", "changed", "changed"]),
    ],
)  # fmt: skip
def test_each_change_of_a_state_is_audited_once(db, rows, actions):
    for row in rows:
        with db.write() as conn:
            replace_alert_states(conn, [row])
    with db.read() as conn:
        stored_row = load_alert_states(conn, ["a1"])["a1"]
        trail = tables.audit.c
        query = select(trail.action).where(trail.place == "alert_state").order_by(trail.id)
        assert list(conn.scalars(query)) == actions
    assert (stored_row.state, stored_row.missing_people) == (
        rows[-1].state,
        rows[-1].missing_people,
    )
