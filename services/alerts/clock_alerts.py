"""The alerts of clocks that run: at their start, in their last quarter, when they are over."""

from datetime import datetime

from services.alerts.clock_list import RunningClock, list_clocks
from services.alerts.raise_alerts import OperationsEvent, make_operations_alert
from services.store.session import Connection
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.operations import ClockDetail, ClockKind, ClockStage

_GRADES = {ClockStage.EARLY: 1, ClockStage.LAST_QUARTER: 2, ClockStage.OVERDUE: 3}


def make_clock_alerts(conn: Connection, study: str, instant: datetime) -> list[Alert]:
    """Return the alert of each clock that runs at *instant* (aware); a later stage is news."""
    return [
        _make_clock_alert(clock, study, instant)
        for clock in list_clocks(conn, instant)
        if clock.left_s is not None
    ]


def _make_clock_alert(clock: RunningClock, study: str, instant: datetime) -> Alert:
    row = clock.row
    detail = ClockDetail(
        row.record, clock.term, ClockKind(row.kind), row.aware_at, row.due_at, clock.stage
    )
    event = OperationsEvent(
        AlertKind.SAE_CLOCK, (row.id,), row.record, detail, _GRADES[clock.stage], row.participant
    )
    return make_operations_alert(study, event, instant)
