"""Notices to record now, for each recipient, and waiting ones that are no longer true."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.alerts.alert_history import AlertRows, load_alert_rows, withdraw
from services.alerts.alert_states import find_status
from services.alerts.delivery_context import GIVEN_UP, SENT, WAITING, DeliveryContext
from services.alerts.domain.due_notice import DueNotice, Reason, find_due_notice
from services.alerts.domain.routes import Recipient, Recipients, remove_repeated_addresses
from services.alerts.recipient_people import resolve_people
from services.runtime.failpoints import pass_failpoint
from services.store import alerts
from services.store.alert_states import (
    AlertStateRow,
    load_alert_states,
    replace_alert_states,
)
from services.store.alerts import DeliveryRow
from services.store.session import Connection
from services.vocabulary.alert import Alert
from services.vocabulary.person import Role

_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c20")
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
            alerts.replace_delivery(conn, row, withdraw(row))
        alerts.add_deliveries(conn, changes.notices)
        replace_alert_states(conn, changes.states)
        pass_failpoint("alerts.before_plan")
    pass_failpoint("alerts.after_plan")
    return len(changes.obsolete) + len(changes.notices)


@dataclass(frozen=True, slots=True)
class _PlanChanges:
    """Notices to add, waiting ones that are no longer true, and states that have changed."""

    notices: Sequence[DeliveryRow]
    obsolete: Sequence[DeliveryRow]
    states: Sequence[AlertStateRow]

    def __bool__(self) -> bool:
        return bool(self.notices or self.obsolete or self.states)


@dataclass(frozen=True, slots=True)
class _AlertPlan:
    """One alert at an instant: its rows, those that are obsolete, and the notice that is due."""

    rows: AlertRows  # with the obsolete notices withdrawn
    obsolete: Sequence[DeliveryRow]
    due: DueNotice | None
    recorded_at: datetime


def _plan_alerts(
    conn: Connection,
    study: str,
    recipients: Recipients,
    instant: datetime,
    ids: Sequence[str] | None = None,
) -> Iterator[_AlertPlan]:
    for stored_rows in load_alert_rows(conn, study, ids):
        rows = stored_rows.withdraw_obsolete()
        recorded_at = _find_recording_time(rows, instant)
        due = find_due_notice(rows.alert, rows.history, recipients, recorded_at)
        yield _AlertPlan(rows, stored_rows.obsolete_deliveries, due, recorded_at)


def _find_changes(
    conn: Connection, context: DeliveryContext, instant: datetime, ids: Sequence[str] | None
) -> _PlanChanges:
    recipients = resolve_people(conn, context.recipients, instant)
    notices: list[DeliveryRow] = []
    obsolete: list[DeliveryRow] = []
    states: list[AlertStateRow] = []
    stored_states = load_alert_states(conn, ids)
    for plan in _plan_alerts(conn, context.study, recipients, instant, ids):
        obsolete += plan.obsolete
        status = find_status(plan.rows, recipients, instant)
        state = AlertStateRow(
            status.alert.id, status.state.value, status.missing_people, plan.recorded_at
        )
        if _differs(stored_states.get(state.alert), state):
            states.append(state)
        if (due := plan.due) is not None:
            notices += [
                _make_delivery(plan.rows.alert, due, recipient, plan.recorded_at, instant)
                for recipient in find_notice_recipients(
                    recipients.select_for(plan.rows.alert.level), due, plan.rows.deliveries
                )
            ]
    return _PlanChanges(notices, obsolete, states)


def _differs(stored_state: AlertStateRow | None, state: AlertStateRow) -> bool:
    return stored_state is None or state != replace(stored_state, changed_at=state.changed_at)


def is_notice_due(conn: Connection, study: str, recipients: Recipients, instant: datetime) -> bool:
    """Return True when the state of an alert calls for a notice that is not recorded."""
    present_recipients = resolve_people(conn, recipients, instant)
    plans = _plan_alerts(conn, study, present_recipients, instant)
    return any(one.obsolete or one.due is not None for one in plans)


def _find_recording_time(rows: AlertRows, instant: datetime) -> datetime:
    """Return the time of a new notice: *instant*, or just after the last row of the alert.

    Its place among them says who was told, and who has seen what; a clock may be set back.
    """
    last = [row.recorded_at for row in rows.deliveries[-1:]]
    last += [row.at for row in rows.acknowledgements[-1:]] + [
        row.acted_at for row in rows.acts[-1:]
    ]
    return max([instant, *(at + _TICK for at in last)])


def find_notice_recipients(
    recipients: Recipients, due: DueNotice, rows: Sequence[DeliveryRow]
) -> list[Recipient]:
    """Return the recipients; a retraction goes to everybody who may have been told, each once.

    What is for one channel goes to those who are told by it.
    A reminder goes to nobody who has acknowledged; where a role has no recipient, or a person of it
    is absent, the operator is told; also of a retraction when nobody who was told is left.
    """
    if due.channel is not None:
        people = recipients.list_in_roles(due.roles)
        return [one for one in people if one.channel is due.channel]
    if due.reason is not Reason.RETRACTED:
        roles = (*due.roles, Role.OPERATOR) if recipients.lacks_somebody(due.roles) else due.roles
        people = recipients.list_in_roles(roles)
        return [
            one for one in people if one.name not in due.acknowledged_by
        ] or recipients.list_in_roles((Role.OPERATOR,))
    attempted_rows = [
        row for row in rows if row.state == SENT or (row.attempts and row.state != GIVEN_UP)
    ]
    candidates = (recipients.find(row.role, row.recipient, row.channel) for row in attempted_rows)
    people = remove_repeated_addresses(one for one in candidates if one is not None)
    return people if people or not attempted_rows else recipients.list_in_roles((Role.OPERATOR,))


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
