"""Which notices to record now, to whom, and which of those that wait are no longer true."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from services.alerts.delivery_context import GIVEN_UP, SENT, WAITING, WITHDRAWN, Desk
from services.alerts.domain.routes import Recipient, each_address_once
from services.alerts.domain.why_send import (
    OPERATOR,
    Notice,
    Reason,
    Seen,
    Told,
    who_saw,
    why_send,
)
from services.runtime.failpoints import pass_failpoint
from services.store import alerts
from services.store.alerts import AcknowledgementRow, DeliveryRow
from services.store.session import Connection
from services.vocabulary.alert import Alert

Row = TypeVar("Row")

OPEN = "open"
_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c20")
_FAILING_FROM = 8  # attempts, some ten minutes
_TICK = timedelta(microseconds=1)


def plan(desk: Desk, now: datetime, only: Collection[str] | None = None) -> int:
    """Record the notices that are needed at *now*, and return how many rows that wrote.

    Looks at all alerts of the study, or at those of *only* (ids).
    """
    ids = None if only is None else sorted(only)
    with desk.db.read() as conn:
        if not _planned(conn, desk, now, ids):
            return 0
    with desk.db.write() as conn:
        planned = _planned(conn, desk, now, ids)
        for old in planned.untrue:
            alerts.replace_delivery(conn, old, _withdrawn(old))
        alerts.add_deliveries(conn, planned.new)
        pass_failpoint("alerts.before_plan")
    pass_failpoint("alerts.after_plan")
    return len(planned.untrue) + len(planned.new)


@dataclass(frozen=True, slots=True)
class _Planned:
    """Notices to add, and waiting ones that are no longer true."""

    new: Sequence[DeliveryRow]
    untrue: Sequence[DeliveryRow]

    def __bool__(self) -> bool:
        return bool(self.new or self.untrue)


@dataclass(frozen=True, slots=True)
class _AlertPlan:
    """One alert at an instant: its notices, those that are outdated, and the one that is due."""

    alert: Alert
    rows: Sequence[DeliveryRow]  # with the outdated ones withdrawn
    outdated: Sequence[DeliveryRow]
    due: Notice | None
    recorded_at: datetime


def _alert_plans(
    conn: Connection, study: str, now: datetime, ids: Sequence[str] | None = None
) -> Iterator[_AlertPlan]:
    deliveries = _grouped(alerts.load_deliveries(conn, ids), lambda row: row.alert)
    acknowledgements = _grouped(alerts.load_acknowledgements(conn, ids), lambda row: row.alert)
    for alert in alerts.load_alerts(conn, study, ids):
        recorded = deliveries.get(alert.id, [])
        outdated = [row for row in recorded if _is_untrue(row, alert)]
        rows = [_withdrawn(row) if row in outdated else row for row in recorded]
        acknowledged = acknowledgements.get(alert.id, [])
        recorded_at = _after(rows, acknowledged, now)
        due = why_send(alert, _told(rows), _seen(acknowledged), recorded_at)
        yield _AlertPlan(alert, rows, outdated, due, recorded_at)


def _planned(conn: Connection, desk: Desk, now: datetime, ids: Sequence[str] | None) -> _Planned:
    notices: list[DeliveryRow] = []
    untrue: list[DeliveryRow] = []
    for plan_of_alert in _alert_plans(conn, desk.study, now, ids):
        untrue += plan_of_alert.outdated
        if (due := plan_of_alert.due) is not None:
            notices += [
                _delivery(plan_of_alert.alert, due, recipient, plan_of_alert.recorded_at, now)
                for recipient in _people(desk, due, plan_of_alert.rows)
            ]
    return _Planned(notices, untrue)


def is_notice_due(conn: Connection, study: str, now: datetime) -> bool:
    """Return True when the state of an alert calls for a notice that is not recorded."""
    return any(one.outdated or one.due is not None for one in _alert_plans(conn, study, now))


def _after(
    rows: Sequence[DeliveryRow], acknowledged: Sequence[AcknowledgementRow], now: datetime
) -> datetime:
    """Return when a notice is recorded: now, after all others and what was seen of the alert.

    Its place among them says who was told, and who has seen what; a clock may be set back.
    """
    last = [row.recorded_at for row in rows[-1:]] + [row.at for row in acknowledged[-1:]]
    return max([now, *(at + _TICK for at in last)])


def _told(rows: Iterable[DeliveryRow]) -> list[Told]:
    return [
        Told(
            row.recorded_at,
            Reason(row.reason),
            row.grade,
            row.role,
            failing=is_failing(row),
            withdrawn=row.state == WITHDRAWN and not row.attempts,
        )
        for row in rows
    ]


def is_failing(row: DeliveryRow) -> bool:
    """Say whether the channel refused it for good, or has not taken it for long."""
    return row.state == GIVEN_UP or (row.state == WAITING and row.attempts >= _FAILING_FROM)


def _seen(rows: Iterable[AcknowledgementRow]) -> list[Seen]:
    return [Seen(row.at, row.grade, row.by) for row in rows]


def _is_untrue(row: DeliveryRow, alert: Alert) -> bool:
    """Say whether a notice that waits would say what is no longer so."""
    retracts = row.reason == Reason.RETRACTED
    return row.state == WAITING and retracts == alert.is_open


def _withdrawn(row: DeliveryRow) -> DeliveryRow:
    return replace(row, state=WITHDRAWN, next_attempt_at=None)


def _people(desk: Desk, needed: Notice, rows: Sequence[DeliveryRow]) -> list[Recipient]:
    """Return who gets the notice; a retraction goes to whoever may have been told, each once."""
    if needed.reason is not Reason.RETRACTED:
        return desk.recipients.of(needed.roles) or desk.recipients.of((OPERATOR,))
    told = [row for row in rows if row.state == SENT or (row.attempts and row.state != GIVEN_UP)]
    found = (desk.recipients.find(row.role, row.recipient, row.channel) for row in told)
    return each_address_once(one for one in found if one is not None)


def _grouped(rows: Sequence[Row], key: Callable[[Row], str]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _delivery(
    alert: Alert, needed: Notice, to: Recipient, at: datetime, now: datetime
) -> DeliveryRow:
    parts = (alert.id, str(needed.round), needed.reason, to.channel, to.role, to.name)
    return DeliveryRow(
        id=str(uuid5(_NAMESPACE, "|".join(parts))),
        alert=alert.id,
        role=to.role,
        recipient=to.name,
        channel=to.channel,
        reason=needed.reason,
        grade=alert.grade,
        recorded_at=at,
        state=WAITING,
        next_attempt_at=now,
    )


def states(conn: Connection, study: str) -> list[tuple[Alert, str]]:
    """Return every alert of *study*, the oldest first, with its state in a few words."""
    told = _grouped(alerts.load_deliveries(conn), lambda row: row.alert)
    seen = _grouped(alerts.load_acknowledgements(conn), lambda row: row.alert)
    return [
        (one, _state(one, told.get(one.id, []), seen.get(one.id, [])))
        for one in alerts.load_alerts(conn, study)
    ]


def _state(
    alert: Alert, rows: Sequence[DeliveryRow], acknowledged: Sequence[AcknowledgementRow]
) -> str:
    if not alert.is_open:
        return "retracted" if alert.closed is None else alert.closed.value
    seen = who_saw(alert, _told(rows), _seen(acknowledged))
    return f"seen by {seen.by}" if seen else OPEN
