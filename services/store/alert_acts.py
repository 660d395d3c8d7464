"""Acts of persons about alerts and their links that change who is told, and when."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from services.store import audit
from services.store.tables import alert_act, link_revocation
from services.store.wakeups import ALERTS_CHANGED, notify_channel


class AlertActKind(StrEnum):
    """The kind of an act about an alert."""

    SNOOZE = "snooze"
    ESCALATION = "escalation"


@dataclass(frozen=True, slots=True)
class AlertActRow:
    """One act of *person* about an alert.

    Args:
        id: A uuid.
        alert: Id.
        kind: Snooze or escalation.
        person: Id.
        reason: Never blank.
        acted_at: Aware.
        grade: Of the alert then.
        role: That it is escalated to; empty of a snooze.
        ends_at: Aware; end of a snooze, None of an escalation.
    """

    id: str
    alert: str
    kind: AlertActKind
    person: str
    reason: str
    acted_at: datetime
    grade: int
    role: str = ""
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LinkRevocationRow:
    """End of the links that *recipient* was sent until *revoked_at*; *alert* empty: of all."""

    id: str
    recipient: str
    alert: str
    person: str
    reason: str
    revoked_at: datetime


def append_alert_act(conn: Connection, row: AlertActRow) -> None:
    """Insert *row*, with its *person* as the actor of the audit."""
    audit.insert_audited(conn, alert_act, [asdict(row) | {"kind": str(row.kind)}], actor=row.person)
    notify_channel(conn, ALERTS_CHANGED)


def load_alert_acts(conn: Connection, alerts: Sequence[str] | None = None) -> list[AlertActRow]:
    """Return all acts, or those about *alerts* (ids), the oldest first."""
    query = select(alert_act).order_by(alert_act.c.acted_at, alert_act.c.id)
    if alerts is not None:
        query = query.where(alert_act.c.alert.in_(alerts))
    return [
        AlertActRow(**{**row, "kind": AlertActKind(row["kind"])})
        for row in conn.execute(query).mappings()
    ]


def append_link_revocation(conn: Connection, row: LinkRevocationRow) -> None:
    """Insert *row*, with its *person* as the actor of the audit."""
    audit.insert_audited(conn, link_revocation, [asdict(row)], actor=row.person)


def load_link_revocations(conn: Connection, recipient: str) -> list[LinkRevocationRow]:
    """Return the revocations of links of *recipient*, the oldest first."""
    query = (
        select(link_revocation)
        .where(link_revocation.c.recipient == recipient)
        .order_by(link_revocation.c.revoked_at, link_revocation.c.id)
    )
    return [LinkRevocationRow(**row) for row in conn.execute(query).mappings()]
