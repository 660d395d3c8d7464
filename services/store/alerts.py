"""Alerts, the deliveries that carry them to people, and their acknowledgements."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, func, or_, select, union, update

from services.runtime import wire
from services.runtime.canonical_json import write_canonical
from services.runtime.topic_names import ALERTS
from services.store import audit, outbox
from services.store.bulk import match_any
from services.store.tables import acknowledgement, alert, alert_act, delivery
from services.store.tables import audit as trail
from services.store.wakeups import ALERTS_CHANGED, notify_channel
from services.vocabulary.alert import Alert, AlertKind, ClosingReason, Level

_REPLACE_ALERT = (
    update(alert)
    .where(alert.c.id == bindparam("_id"))
    .values({column.name: bindparam(column.name) for column in alert.c})
)


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One notice of one alert to one person over one channel, written before it is sent.

    Args:
        id: uuid5 of alert, recipient, channel and what made it necessary.
        alert: Id.
        role: The role in which the recipient is notified.
        recipient: Key in the study's recipients, never an address.
        channel: ``email``, ``webhook``, ...
        reason: Why it is sent.
        grade: Of the alert then.
        recorded_at: Aware.
        state: Of the closed set of the alerts service, e.g. ``waiting``, ``sent``.
        attempts: How often sending was tried.
        next_attempt_at: Aware; None when it is not to be sent again.
        sent_at: Aware; None until a channel took it.
        error: Of the last attempt, without identifiers.
    """

    id: str
    alert: str
    role: str
    recipient: str
    channel: str
    reason: str
    grade: int
    recorded_at: datetime
    state: str
    attempts: int = 0
    next_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgementRow:
    """Confirmation that *by* has seen the alert at *grade*; not an answer to it."""

    id: str
    alert: str
    by: str
    comment: str
    at: datetime
    grade: int


def upsert_alerts(conn: Connection, alerts: Sequence[Alert]) -> list[Alert]:
    """Insert or update *alerts*; return those that are new or changed."""
    stored_by_id = {row.id: row for row in load_alerts(conn, ids=[row.id for row in alerts])}
    news = [row for row in alerts if stored_by_id.get(row.id) != row]
    contents = [_encode_detail(row) for row in news]
    rows = [_alert_row(content) for content in contents]
    audit.insert_audited(conn, alert, [row for row in rows if row["id"] not in stored_by_id])
    announcements = [(str(content["study"]), write_canonical(content)) for content in contents]
    outbox.announce(conn, ALERTS, announcements)
    replacements = [row for row in rows if row["id"] in stored_by_id]
    if replacements:
        conn.execute(_REPLACE_ALERT, [{**row, "_id": row["id"]} for row in replacements])
        audit.record_rows(conn, alert, replacements, action=audit.CHANGE)
    if news:
        notify_channel(conn, ALERTS_CHANGED)
    return news


def load_alerts(
    conn: Connection,
    study: str | None = None,
    ids: Sequence[str] | None = None,
    participants: Sequence[str] | None = None,
) -> list[Alert]:
    """Return all alerts, or those of *study*, *ids* or *participants*; the oldest first."""
    query = select(alert)
    if study is not None:
        query = query.where(alert.c.study == study)
    queries = [query]
    if ids is not None:
        of_ids = match_any(conn, alert.c.id, ids)
        queries = [one.where(is_wanted) for one in queries for is_wanted in of_ids]
    if participants is not None:
        of_participants = match_any(conn, alert.c.participant, participants)
        queries = [one.where(is_wanted) for one in queries for is_wanted in of_participants]
    alerts = [_alert(row) for one in queries for row in conn.execute(one).mappings()]
    return sorted(alerts, key=lambda one: (one.opened_at, one.id))


def load_alerts_of_kinds(conn: Connection, study: str, kinds: Sequence[AlertKind]) -> list[Alert]:
    """Return the alerts of *study* that are of *kinds*, the oldest first."""
    query = (
        select(alert)
        .where(alert.c.study == study, alert.c.kind.in_([str(kind) for kind in kinds]))
        .order_by(alert.c.opened_at, alert.c.id)
    )
    return [_alert(row) for row in conn.execute(query).mappings()]


def load_versions(conn: Connection, study: str) -> Mapping[str, int]:
    """Return the version of each alert of *study* by its id, in the order of `load_alerts`."""
    query = select(alert.c.id, alert.c.version).where(alert.c.study == study)
    rows = conn.execute(query.order_by(alert.c.opened_at, alert.c.id))
    return {row.id: row.version for row in rows}


def load_alert(conn: Connection, alert_id: str) -> Alert | None:
    """Return one alert; None when there is none of that id."""
    return next(iter(load_alerts(conn, ids=[alert_id])), None)


def find_alerts_written_since(conn: Connection, after_id: int, failing_from: int) -> set[str]:
    """Return the ids of alerts that the audit trail mentions after its row *after_id*.

    Of deliveries those alone that no longer wait for a first few attempts: refused for good, or
    tried *failing_from* times. What else becomes of them changes nothing that is to be sent.
    """
    of_alerts, of_deliveries, of_acknowledgements, of_acts = (
        select(trail.c.key).where(trail.c.id > after_id, trail.c.place == table.name)
        for table in (alert, delivery, acknowledgement, alert_act)
    )
    return set(
        conn.scalars(
            union(
                of_alerts,
                select(delivery.c.alert).where(
                    delivery.c.id.in_(of_deliveries),
                    delivery.c.sent_at.is_(None),
                    or_(delivery.c.next_attempt_at.is_(None), delivery.c.attempts >= failing_from),
                ),
                select(acknowledgement.c.alert).where(
                    acknowledgement.c.id.in_(of_acknowledgements)
                ),
                select(alert_act.c.alert).where(alert_act.c.id.in_(of_acts)),
            )
        )
    )


def add_deliveries(conn: Connection, rows: Sequence[DeliveryRow]) -> None:
    """Add *rows*.

    Raises:
        sqlalchemy.exc.IntegrityError: One of this id exists already.
    """
    audit.insert_audited(conn, delivery, [asdict(row) for row in rows])


def replace_delivery(conn: Connection, current: DeliveryRow, replacement: DeliveryRow) -> bool:
    """Replace *current* by *replacement*; return False when another process changed it first."""
    table = delivery.c
    row = asdict(replacement)
    result = conn.execute(
        update(delivery)
        .where(
            table.id == current.id, table.state == current.state, table.attempts == current.attempts
        )
        .values(row)
    )
    if result.rowcount == 1 and replacement != current:
        audit.record_rows(conn, delivery, [row], action=audit.CHANGE)
    return result.rowcount == 1


def load_due_deliveries(
    conn: Connection, instant: datetime, longest_wait: timedelta
) -> list[DeliveryRow]:
    """Return the first delivery that is due of each recipient and channel, the earliest first.

    A clock that was set back delays nothing: a delivery that was never attempted is due, and so
    is one whose next attempt is more than *longest_wait* away.
    """
    table = delivery.c
    order = table.next_attempt_at, table.id
    number = func.row_number().over(partition_by=(table.channel, table.recipient), order_by=order)
    due = select(table.id, number.label("number")).where(
        table.next_attempt_at.is_not(None),
        or_(
            table.next_attempt_at <= instant,
            table.attempts == 0,
            table.next_attempt_at > instant + longest_wait,
        ),
    )
    numbered_rows = due.subquery()
    first_ids = select(numbered_rows.c.id).where(numbered_rows.c.number == 1)
    query = select(delivery).where(table.id.in_(first_ids)).order_by(*order)
    return [DeliveryRow(**row) for row in conn.execute(query).mappings()]


def count_undelivered(conn: Connection) -> int:
    """Return the number of notices that are still to be sent."""
    query = select(func.count()).where(delivery.c.next_attempt_at.is_not(None))
    return int(conn.scalar(query) or 0)


def load_deliveries(conn: Connection, alerts: Sequence[str] | None = None) -> list[DeliveryRow]:
    """Return all deliveries, or those of *alerts* (ids), the oldest first."""
    query = select(delivery).order_by(delivery.c.recorded_at, delivery.c.id)
    if alerts is not None:
        query = query.where(delivery.c.alert.in_(alerts))
    return [DeliveryRow(**row) for row in conn.execute(query).mappings()]


def load_tried_deliveries(
    conn: Connection, alerts: Sequence[str], recipients: Sequence[str]
) -> list[tuple[str, str, str, str, datetime]]:
    """Return alert, channel, recipient, id and time of record of deliveries that may have arrived.

    Of *alerts* (ids) to *recipients*, the oldest first: sent, or tried and still to be sent.
    """
    table = delivery.c
    query = (
        select(table.alert, table.channel, table.recipient, table.id, table.recorded_at)
        .where(
            table.alert.in_(alerts),
            table.recipient.in_(recipients),
            table.attempts > 0,
            or_(table.sent_at.is_not(None), table.next_attempt_at.is_not(None)),
        )
        .order_by(table.recorded_at, table.id)
    )
    return [tuple(row) for row in conn.execute(query)]


def load_delivery(conn: Connection, delivery_id: str) -> DeliveryRow | None:
    """Return one delivery; None when there is none of that id."""
    rows = conn.execute(select(delivery).where(delivery.c.id == delivery_id)).mappings()
    return next((DeliveryRow(**row) for row in rows), None)


def append_acknowledgement(conn: Connection, row: AcknowledgementRow) -> bool:
    """Insert *row* with its *by* as the actor of the audit; return False when it exists already."""
    same_id_query = select(acknowledgement.c.id).where(acknowledgement.c.id == row.id)
    if conn.execute(same_id_query).one_or_none() is not None:
        return False
    audit.insert_audited(conn, acknowledgement, [asdict(row)], actor=row.by)
    notify_channel(conn, ALERTS_CHANGED)
    return True


def load_acknowledgements(
    conn: Connection, alerts: Sequence[str] | None = None
) -> list[AcknowledgementRow]:
    """Return all acknowledgements, or those of *alerts* (ids), the oldest first."""
    query = select(acknowledgement).order_by(acknowledgement.c.at, acknowledgement.c.id)
    if alerts is not None:
        query = query.where(acknowledgement.c.alert.in_(alerts))
    return [AcknowledgementRow(**row) for row in conn.execute(query).mappings()]


def _encode_detail(alert_value: Alert) -> dict[str, object]:
    """Return the fields of an alert; its detail is text, in the database and on the topic."""
    content = {field.name: getattr(alert_value, field.name) for field in fields(alert_value)}
    return content | {"detail": write_canonical(alert_value.detail)}


def _alert_row(content: Mapping[str, object]) -> dict[str, object]:
    return {
        **content,
        "level": str(content["level"]),
        "kind": str(content["kind"]),
        "roles": json.dumps(content["roles"]),
        "escalate_to": json.dumps(content["escalate_to"]),
        "closed": str(content["closed"] or ""),
    }


def _alert(row: RowMapping) -> Alert:
    kind = AlertKind(row["kind"])
    return Alert(
        **{
            **row,
            "level": Level(row["level"]),
            "kind": kind,
            "detail": wire.read_detail(kind, row["detail"]),
            "roles": tuple(json.loads(row["roles"])),
            "escalate_to": tuple(json.loads(row["escalate_to"])),
            "closed": ClosingReason(row["closed"]) if row["closed"] else None,
        }
    )
