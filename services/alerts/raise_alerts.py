"""Alerts that the alerts service raises by itself: of silence, of deadlines, of the day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.store import alerts
from services.store.session import Connection
from services.vocabulary.alert import Alert, AlertKind, ClosingReason, Detail, Level
from services.vocabulary.person import Role

_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c21")
_TIME_LIMIT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class OperationsEvent:
    """The subject of an alert of this service.

    Args:
        kind: Of the alert.
        key: Parts that tell it from every other of its kind.
        subject: Site, pseudonym, record or study.
        detail: For its words.
        grade: A rise is told again.
        participant: Pseudonym, or empty.
    """

    kind: AlertKind
    key: tuple[str, ...]
    subject: str
    detail: Detail
    grade: int = 1
    participant: str = ""


def make_operations_alert(study: str, event: OperationsEvent, instant: datetime) -> Alert:
    """Return the alert of *event*, raised at *instant* (aware), with the roles of its kind."""
    is_for_desk = event.kind in (AlertKind.SAE_CLOCK, AlertKind.DAILY_NOTE)
    is_note = event.kind is AlertKind.DAILY_NOTE
    return Alert(
        id=str(uuid5(_NAMESPACE, "|".join((study, event.kind, *event.key)))),
        level=Level.PARTICIPANT if event.kind is AlertKind.SAE_CLOCK else Level.OPERATIONS,
        kind=event.kind,
        study=study,
        about=event.subject,
        participant=event.participant,
        grade=event.grade,
        roles=(Role.SAFETY_OFFICER,) if is_for_desk else (Role.OPERATOR,),
        escalate_to=() if is_note else (Role.OPERATOR,) if is_for_desk else (Role.SAFETY_OFFICER,),
        acknowledge_within_s=0 if is_note else int(_TIME_LIMIT.total_seconds()),
        opened_at=instant,
        detail=event.detail,
        protocol="Aegis",
        suspected=False,
    )


def replace_alerts(
    conn: Connection, study: str, kinds: Collection[AlertKind], wanted_alerts: Sequence[Alert]
) -> list[Alert]:
    """Let the open alerts of *kinds* be *wanted_alerts*; return the rows that are new.

    One that is no longer wanted is closed; one that is wanted again is open again.
    """
    stored_alerts = {
        alert.id: alert for alert in alerts.load_alerts_of_kinds(conn, study, sorted(kinds))
    }
    rows = []
    for alert in wanted_alerts:
        stored_alert = stored_alerts.get(alert.id)
        if stored_alert is None:
            rows.append(alert)
            continue
        current = replace(alert, opened_at=stored_alert.opened_at, version=stored_alert.version)
        if current != stored_alert:
            rows.append(replace(current, version=stored_alert.version + 1))
    wanted_ids = {alert.id for alert in wanted_alerts}
    rows += [
        replace(alert, closed=ClosingReason.NO_LONGER_SO, version=alert.version + 1)
        for alert in stored_alerts.values()
        if alert.is_open and alert.id not in wanted_ids
    ]
    return alerts.upsert_alerts(conn, rows)
