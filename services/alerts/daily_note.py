"""The daily note: sent although nothing may be wrong, so that silence is told from breakage."""

from datetime import UTC, datetime, time

from services.alerts.alert_states import AlertState, load_alert_states
from services.alerts.clock_list import list_clocks
from services.alerts.domain.routes import Recipients
from services.alerts.raise_alerts import OperationsEvent, make_operations_alert
from services.store import alerts, parking, participants
from services.store.audit_anchor import find_head
from services.store.session import Connection
from services.vocabulary.alert import Alert, AlertKind, Level
from services.vocabulary.operations import DailyNoteDetail


def is_note_due(
    last_day: str | None, note_time: time, watched_since: datetime, instant: datetime
) -> bool:
    """Return True when the note of the day of *instant* is to be written.

    Args:
        last_day: Of the last note, ``2026-03-01``; None: there was none.
        note_time: Of the day, in UTC.
        watched_since: Start of the process, aware: the first note waits for the next *note_time*.
        instant: Aware.
    """
    due_at = datetime.combine(instant.astimezone(UTC).date(), note_time, UTC)
    if instant < due_at or last_day == f"{due_at:%Y-%m-%d}":
        return False
    return last_day is not None or watched_since < due_at


def make_daily_note(
    conn: Connection, study: str, recipients: Recipients, instant: datetime
) -> Alert:
    """Return the note of the day of *instant* (aware), in UTC."""
    day = f"{instant.astimezone(UTC):%Y-%m-%d}"
    statuses = load_alert_states(conn, study, recipients, instant)
    open_levels = [one.alert.level for one in statuses if one.is_open]
    unanswered_rules = {
        one.alert.about
        for one in statuses
        if one.alert.level is Level.STUDY
        and one.alert.is_open
        and one.state is not AlertState.BOARD_ANSWER
    }
    head = find_head(conn)
    detail = DailyNoteDetail(
        day,
        participants.find_last_received(conn, study),
        {str(level): open_levels.count(level) for level in Level},
        tuple(sorted(unanswered_rules)),
        sum(clock.left_s is not None for clock in list_clocks(conn, instant)),
        sum(parking.count_parked(conn).values()),
        alerts.count_undelivered(conn),
        "" if head is None else str(head),
    )
    event = OperationsEvent(AlertKind.DAILY_NOTE, (day,), study, detail, grade=0)
    return make_operations_alert(study, event, instant)
