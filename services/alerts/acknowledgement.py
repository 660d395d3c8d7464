"""Alerts as people read and acknowledge them; no picture is drawn here, nothing is sent."""

from datetime import datetime
from uuid import UUID, uuid5

from services.alerts.domain.due_notice import Reason
from services.alerts.domain.evidence import NO_EVIDENCE, Evidence
from services.alerts.domain.wording import Text, make_short_name, write_notice
from services.runtime.canonical_json import digest_canonical
from services.store import acts, alerts
from services.store.alerts import AcknowledgementRow
from services.store.session import Connection, Database
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.alert import Alert
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.person import Actor
from services.vocabulary.reason import trim_reason
from services.vocabulary.recommendation import Advice

_DEFAULT_REASON = "seen"  # the reason of whoever leaves no comment
_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c20")


def find_short_name(alert: Alert) -> str:
    """Return the four characters by which people speak of *alert*."""
    return make_short_name(alert.id)


def describe_grade(alert: Alert) -> str:
    """Return its grade as far as it is known, its number of events, or what is recommended."""
    match alert.detail:
        case Advice(says=recommendation):
            return recommendation
        case EpisodeContent(worst=worst):
            return str(worst)
    return str(alert.grade)


def write_alert_text(alert: Alert, link: str, evidence: Evidence = NO_EVIDENCE) -> Text:
    """Return the text of *alert* as it stands, in the words of a first notice."""
    reason = Reason.RETRACTED if alert.retracted else Reason.FIRST
    return write_notice(alert, reason, link, evidence)


def acknowledge(
    db: Database,
    alert_id: str,
    actor: Actor,
    comment: str,
    instant: datetime,
    *,
    version: int | None = None,
) -> Alert | None:
    """Record that *actor* has seen the alert, in a transaction; see `acknowledge_within`."""
    with db.write() as conn:
        return acknowledge_within(conn, alert_id, actor, comment, instant, version=version)


def acknowledge_within(
    conn: Connection,
    alert_id: str,
    actor: Actor,
    comment: str,
    instant: datetime,
    *,
    version: int | None = None,
    highest_grade: int | None = None,
) -> Alert | None:
    """Record that *actor* has seen the alert, as an act too; again is no change.

    It says nothing about what to do: that is a determination. It is recorded at *instant* (aware),
    or when the last notice was: whoever acknowledges has seen that one, also by a clock set back.

    Returns:
        The alert; None, and nothing is recorded, when there is none of that id, it is no longer at
        *version*, or its grade is above *highest_grade*.
    """
    alert = alerts.load_alert(conn, alert_id)
    if alert is None or version not in (None, alert.version):
        return None
    if highest_grade is not None and alert.grade > highest_grade:
        return None
    deliveries = alerts.load_deliveries(conn, [alert.id])
    row = AcknowledgementRow(
        id=str(uuid5(_NAMESPACE, f"{alert.id}|{alert.version}|{actor.id}")),
        alert=alert.id,
        by=actor.id,
        comment=comment,
        at=max([instant, *(one.recorded_at for one in deliveries)]),
        grade=alert.grade,
    )
    if alerts.append_acknowledgement(conn, row):
        acts.append_act(conn, _make_act(alert, actor, row))
    return alert


def _make_act(alert: Alert, actor: Actor, row: AcknowledgementRow) -> Act:
    return Act(
        row.id,
        row.at,
        actor,
        ActKind.ACKNOWLEDGE,
        alert.id,
        trim_reason(row.comment) or _DEFAULT_REASON,
        alert.participant,
        digest_canonical(alert),
        Meaning.REVIEW,
        new_value=f"seen at version {alert.version}, grade or events {describe_grade(alert)}",
    )
