"""Notices to record now, for each recipient, and waiting ones that are no longer true."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from services.alerts.delivery_context import GIVEN_UP, SENT, WAITING, WITHDRAWN, DeliveryContext
from services.alerts.domain.due_notice import (
    Acknowledgement,
    DueNotice,
    Reason,
    RecordedNotice,
    find_acknowledgement,
    find_due_notice,
)
from services.alerts.domain.routes import Recipient, remove_repeated_addresses
from services.runtime.failpoints import pass_failpoint
from services.store import alerts
from services.store.alerts import AcknowledgementRow, DeliveryRow
from services.store.session import Connection
from services.vocabulary.alert import OPERATOR, Alert

Row = TypeVar("Row")

OPEN = "open"
_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c20")
_FAILING_FROM = 8  # attempts, some ten minutes
_TICK = timedelta(microseconds=1)


def plan_notices(
    context: DeliveryContext, instant: datetime, alert_ids: Collection[str] | None = None
) -> int:
    """Record the notices that are due at *instant*, and return the number of rows written.

    Looks at all alerts of the study, or at those of *alert_ids*.
    """
    ids = None if alert_ids is None else sorted(alert_ids)
    with context.db.read() as conn:
        if not _find_changes(conn, context, instant, ids):
            return 0
    with context.db.write() as conn:
        changes = _find_changes(conn, context, instant, ids)
        for row in changes.obsolete:
            alerts.replace_delivery(conn, row, _withdraw(row))
        alerts.add_deliveries(conn, changes.notices)
        pass_failpoint("alerts.before_plan")
    pass_failpoint("alerts.after_plan")
    return len(changes.obsolete) + len(changes.notices)


@dataclass(frozen=True, slots=True)
class _PlanChanges:
    """Notices to add, and waiting ones that are no longer true."""

    notices: Sequence[DeliveryRow]
    obsolete: Sequence[DeliveryRow]

    def __bool__(self) -> bool:
        return bool(self.notices or self.obsolete)


@dataclass(frozen=True, slots=True)
class _AlertPlan:
    """One alert at an instant: its notices, those that are obsolete, and the one that is due."""

    alert: Alert
    rows: Sequence[DeliveryRow]  # with the obsolete ones withdrawn
    obsolete: Sequence[DeliveryRow]
    due: DueNotice | None
    recorded_at: datetime


def _plan_alerts(
    conn: Connection, study: str, instant: datetime, ids: Sequence[str] | None = None
) -> Iterator[_AlertPlan]:
    deliveries = _group_by(alerts.load_deliveries(conn, ids), lambda row: row.alert)
    acknowledgements = _group_by(alerts.load_acknowledgements(conn, ids), lambda row: row.alert)
    for alert in alerts.load_alerts(conn, study, ids):
        recorded = deliveries.get(alert.id, [])
        obsolete = [row for row in recorded if _is_obsolete(row, alert)]
        rows = [_withdraw(row) if row in obsolete else row for row in recorded]
        alert_acknowledgements = acknowledgements.get(alert.id, [])
        recorded_at = _find_recording_time(rows, alert_acknowledgements, instant)
        due = find_due_notice(
            alert, _read_notices(rows), _read_acknowledgements(alert_acknowledgements), recorded_at
        )
        yield _AlertPlan(alert, rows, obsolete, due, recorded_at)


def _find_changes(
    conn: Connection, context: DeliveryContext, instant: datetime, ids: Sequence[str] | None
) -> _PlanChanges:
    notices: list[DeliveryRow] = []
    obsolete: list[DeliveryRow] = []
    for plan_of_alert in _plan_alerts(conn, context.study, instant, ids):
        obsolete += plan_of_alert.obsolete
        if (due := plan_of_alert.due) is not None:
            notices += [
                _make_delivery(
                    plan_of_alert.alert, due, recipient, plan_of_alert.recorded_at, instant
                )
                for recipient in _find_recipients(context, due, plan_of_alert.rows)
            ]
    return _PlanChanges(notices, obsolete)


def is_notice_due(conn: Connection, study: str, instant: datetime) -> bool:
    """Return True when the state of an alert calls for a notice that is not recorded."""
    return any(one.obsolete or one.due is not None for one in _plan_alerts(conn, study, instant))


def _find_recording_time(
    rows: Sequence[DeliveryRow], acknowledgements: Sequence[AcknowledgementRow], instant: datetime
) -> datetime:
    """Return the time of a new notice: *instant*, or just after the last row of the alert.

    Its place among them says who was told, and who has seen what; a clock may be set back.
    """
    last = [row.recorded_at for row in rows[-1:]] + [row.at for row in acknowledgements[-1:]]
    return max([instant, *(at + _TICK for at in last)])


def _read_notices(rows: Iterable[DeliveryRow]) -> list[RecordedNotice]:
    return [
        RecordedNotice(
            row.recorded_at,
            Reason(row.reason),
            row.grade,
            row.role,
            is_failing=is_failing(row),
            is_withdrawn=row.state == WITHDRAWN and not row.attempts,
        )
        for row in rows
    ]


def is_failing(row: DeliveryRow) -> bool:
    """True when the channel refused it for good, or has not taken it for long."""
    return row.state == GIVEN_UP or (row.state == WAITING and row.attempts >= _FAILING_FROM)


def _read_acknowledgements(rows: Iterable[AcknowledgementRow]) -> list[Acknowledgement]:
    return [Acknowledgement(row.at, row.grade, row.by) for row in rows]


def _is_obsolete(row: DeliveryRow, alert: Alert) -> bool:
    """True when a notice that waits would say what is no longer so."""
    retracts = row.reason == Reason.RETRACTED
    return row.state == WAITING and retracts == alert.is_open


def _withdraw(row: DeliveryRow) -> DeliveryRow:
    return replace(row, state=WITHDRAWN, next_attempt_at=None)


def _find_recipients(
    context: DeliveryContext, due: DueNotice, rows: Sequence[DeliveryRow]
) -> list[Recipient]:
    """Return the recipients; a retraction goes to everybody who may have been told, each once."""
    if due.reason is not Reason.RETRACTED:
        return context.recipients.list_in_roles(due.roles) or context.recipients.list_in_roles(
            (OPERATOR,)
        )
    attempted_rows = [
        row for row in rows if row.state == SENT or (row.attempts and row.state != GIVEN_UP)
    ]
    candidates = (
        context.recipients.find(row.role, row.recipient, row.channel) for row in attempted_rows
    )
    return remove_repeated_addresses(one for one in candidates if one is not None)


def _group_by(rows: Sequence[Row], key: Callable[[Row], str]) -> Mapping[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _make_delivery(
    alert: Alert, due: DueNotice, recipient: Recipient, recorded_at: datetime, instant: datetime
) -> DeliveryRow:
    person = (recipient.channel, recipient.role, recipient.name)
    parts = (alert.id, str(due.number), due.reason, *person)
    return DeliveryRow(
        id=str(uuid5(_NAMESPACE, "|".join(parts))),
        alert=alert.id,
        role=recipient.role,
        recipient=recipient.name,
        channel=recipient.channel,
        reason=due.reason,
        grade=alert.grade,
        recorded_at=recorded_at,
        state=WAITING,
        next_attempt_at=instant,
    )


def load_alert_states(conn: Connection, study: str) -> list[tuple[Alert, str]]:
    """Return every alert of *study*, the oldest first, with its state in a few words."""
    deliveries = _group_by(alerts.load_deliveries(conn), lambda row: row.alert)
    acknowledgements = _group_by(alerts.load_acknowledgements(conn), lambda row: row.alert)
    return [
        (one, _describe_state(one, deliveries.get(one.id, []), acknowledgements.get(one.id, [])))
        for one in alerts.load_alerts(conn, study)
    ]


def _describe_state(
    alert: Alert, rows: Sequence[DeliveryRow], acknowledgements: Sequence[AcknowledgementRow]
) -> str:
    if not alert.is_open:
        return "retracted" if alert.closed is None else alert.closed.value
    acknowledgement = find_acknowledgement(
        alert, _read_notices(rows), _read_acknowledgements(acknowledgements)
    )
    return f"seen by {acknowledgement.person}" if acknowledgement else OPEN
