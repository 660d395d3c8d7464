"""Notices: planned in one transaction, sent, and what came of it recorded."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from services.alerts import links
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.alerts.domain.why_send import Notice, Reason, Seen, Told, why_send
from services.alerts.domain.wording import DeathDetail, Detail, Text, notice, short_name
from services.alerts.ports import Failed, Letter, Send, Sent
from services.charts.boundary import boundary_chart
from services.runtime import wire
from services.runtime.clock import Clock
from services.runtime.failpoints import reached
from services.store import alerts
from services.store.alerts import AcknowledgementRow, DeliveryRow
from services.store.session import Connection, Database
from services.store.vault import Keys
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.decision import Decision

Row = TypeVar("Row")

_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c20")
WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt to deliver: by which channel, and what came of it."""

    channel: str
    result: str
    alert: Alert
    at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that sending needs.

    Args:
        db: Migrated.
        keys: For the links.
        study: Id.
        recipients: Of the study.
        channels: How each channel sends.
        clock: The machine's.
        url: Start of every link, without a slash at its end.
    """

    db: Database
    keys: Keys
    study: str
    recipients: Recipients
    channels: Mapping[Channel, Send]
    clock: Clock
    url: str
    on_delivered: Callable[[Delivered], None] = lambda _delivered: None


def plan(desk: Desk) -> int:
    """Record the notices that are needed now, and return how many there are."""
    now = desk.clock()
    with desk.db.read() as conn:
        planned = _planned(conn, desk, now)
    if not planned:
        return 0
    with desk.db.write() as conn:
        planned = _planned(conn, desk, now)
        alerts.add_deliveries(conn, planned)
    return len(planned)


def _planned(conn: Connection, desk: Desk, now: datetime) -> list[DeliveryRow]:
    found = []
    open_alerts = alerts.load_alerts(conn, desk.study)
    told = _grouped(alerts.load_deliveries(conn), lambda row: row.alert)
    seen = _grouped(alerts.load_acknowledgements(conn), lambda row: row.alert)
    for alert in open_alerts:
        rows = told.get(alert.id, [])
        needed = why_send(
            alert,
            [Told(row.recorded_at, Reason(row.reason), row.grade, row.role) for row in rows],
            [Seen(row.at, row.grade) for row in seen.get(alert.id, [])],
            now,
        )
        if needed is not None:
            people = (
                _same_people(rows, desk) if alert.retracted else desk.recipients.of(needed.roles)
            )
            found += [_delivery(alert, needed, one, now) for one in people]
    return found


def _same_people(told: Sequence[DeliveryRow], desk: Desk) -> list[Recipient]:
    """Return everybody who was told, each once."""
    rows = {(row.recipient, row.channel): row for row in told}.values()
    found = (desk.recipients.find(row.role, row.recipient, row.channel) for row in rows)
    return [one for one in found if one is not None]


def _grouped(rows: Sequence[Row], key: Callable[[Row], str]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _delivery(alert: Alert, needed: Notice, to: Recipient, now: datetime) -> DeliveryRow:
    parts = (alert.id, str(needed.round), needed.reason, to.channel, to.role, to.name)
    return DeliveryRow(
        id=str(uuid5(_NAMESPACE, "|".join(parts))),
        alert=alert.id,
        role=to.role,
        recipient=to.name,
        channel=to.channel,
        reason=needed.reason,
        grade=alert.grade,
        recorded_at=now,
        state=WAITING,
        next_attempt_at=now,
    )


def deliver(desk: Desk) -> int:
    """Send what is due, and return how many attempts that made.

    An attempt is recorded before it is made, and its result after: what is interrupted between the
    two is sent again under the same id.
    """
    with desk.db.read() as conn:
        due = alerts.due_deliveries(conn, desk.clock(), _AT_ONCE)
        about = {one.id: one for one in alerts.load_alerts(conn, ids=[row.alert for row in due])}
    return sum(_attempt(desk, row, about[row.alert]) for row in due)


def _attempt(desk: Desk, row: DeliveryRow, alert: Alert) -> bool:
    now = desk.clock()
    tried = replace(row, attempts=row.attempts + 1, next_attempt_at=now + _wait(row))
    with desk.db.write() as conn:
        if not alerts.change_delivery(conn, row, tried):
            return False
    reached("alerts.attempt_recorded")
    result = _send(desk, tried, alert, now)
    reached("alerts.sent")
    with desk.db.write() as conn:
        alerts.change_delivery(conn, tried, _after(tried, result, desk.clock()))
    reached("alerts.result_recorded")
    outcome = "sent" if isinstance(result, Sent) else "failed"
    desk.on_delivered(Delivered(row.channel, outcome, alert, now))
    return True


def _after(row: DeliveryRow, result: Sent | Failed, now: datetime) -> DeliveryRow:
    if isinstance(result, Sent):
        return replace(row, state=SENT, sent_at=now, next_attempt_at=None, error="")
    if result.can_retry:
        return replace(row, error=result.problem)
    return replace(row, state=GIVEN_UP, next_attempt_at=None, error=result.problem)


def _wait(row: DeliveryRow) -> timedelta:
    """Return how long to wait before the next attempt: twice as long each time, spread by id."""
    spread = 1 + int(row.id[:2], 16) / 512
    waited_s = _FIRST_WAIT.total_seconds() * spread * 2.0**row.attempts
    return min(timedelta(seconds=waited_s), _LONGEST_WAIT)


def _send(desk: Desk, row: DeliveryRow, alert: Alert, now: datetime) -> Sent | Failed:
    recipient = desk.recipients.find(row.role, row.recipient, row.channel)
    if recipient is None:
        return Failed("recipients.yaml no longer names this recipient", can_retry=False)
    channel = desk.channels.get(recipient.channel)
    if channel is None:
        return Failed(f"no channel {recipient.channel} is set up")
    return channel(letter(desk, row, alert, recipient, now), recipient.address)


def letter(
    desk: Desk, row: DeliveryRow, alert: Alert, recipient: Recipient, now: datetime
) -> Letter:
    """Return what is sent for *row*."""
    detail = read_detail(alert)
    link = f"{desk.url}/alerts/{links.token(desk.keys, alert.id, recipient.name, now)}"
    text = notice(alert, detail, Reason(row.reason), link)
    picture = boundary_chart(detail, "png") if isinstance(detail, Decision) else None
    return Letter(row.id, alert, row.reason, text, picture, now)


def name_of(alert: Alert) -> str:
    """Return the four characters by which people speak of *alert*."""
    return short_name(alert.id)


def text_of(alert: Alert, link: str) -> Text:
    """Return what *alert* says now, as a first notice would."""
    reason = Reason.RETRACTED if alert.retracted else Reason.FIRST
    return notice(alert, read_detail(alert), reason, link)


def read_detail(alert: Alert) -> Detail:
    """Return what the rules wrote beside the alert."""
    match alert.kind:
        case AlertKind.BOUNDARY_REACHED | AlertKind.BOUNDARY_LIKELY:
            return wire.read_decision(alert.detail)
        case AlertKind.EPISODE | AlertKind.POSSIBLE:
            return wire.read_episode_content(alert.detail)
        case AlertKind.DEATH:
            return DeathDetail(**json.loads(alert.detail))
    return None


def acknowledge(db: Database, alert_id: str, by: str, comment: str, at: datetime) -> Alert | None:
    """Record that *by* has seen the alert; None when there is none of that id. Again is no change.

    It says nothing about what to do: that is a determination.
    """
    with db.write() as conn:
        alert = alerts.load_alert(conn, alert_id)
        if alert is None:
            return None
        row = AcknowledgementRow(
            id=str(uuid5(_NAMESPACE, f"{alert.id}|{alert.version}|{by}")),
            alert=alert.id,
            by=by,
            comment=comment,
            at=at,
            grade=alert.grade,
        )
        alerts.append_acknowledgement(conn, row)
    return alert
