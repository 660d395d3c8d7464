"""Acts about the reminders of an alert: snooze it, escalate it, end the links of a recipient."""

from datetime import datetime, timedelta
from uuid import uuid4

from services.acts.append_act import Subject, Values, append_act, require_reason
from services.acts.refusal import ActRefusedError
from services.runtime.canonical_json import digest_canonical
from services.store import alert_acts, alerts
from services.store.alert_acts import AlertActKind, AlertActRow, LinkRevocationRow
from services.store.session import Connection, Database
from services.vocabulary.act import ActKind
from services.vocabulary.alert import Alert, Level
from services.vocabulary.person import Actor

LONGEST_SNOOZE = timedelta(days=7)
_ACT_KINDS = {
    AlertActKind.SNOOZE: ActKind.SNOOZE,
    AlertActKind.ESCALATION: ActKind.ESCALATE,
}


def snooze_alert(
    db: Database, actor: Actor, alert_id: str, reason: str, instant: datetime, *, ends_at: datetime
) -> Alert:
    """Suspend the reminders of an alert until *ends_at* (aware), at most `LONGEST_SNOOZE` from now.

    A rise of its grade ends it at once. No alert of study level is snoozed.

    Raises:
        ActRefusedError: It is not open or of study level, or the end or the reason cannot be.
    """
    if not instant < ends_at <= instant + LONGEST_SNOOZE:
        raise ActRefusedError(
            f"a snooze ends later than now, and within {LONGEST_SNOOZE.days} days"
        )
    with db.write() as conn:
        alert = _load_open_alert(conn, alert_id)
        if alert.level is Level.STUDY:
            raise ActRefusedError(
                "an alert of study level is never snoozed: acknowledge it, or answer it"
            )
        row = _make_row(alert, actor, AlertActKind.SNOOZE, reason, instant, ends_at=ends_at)
        alert_acts.append_alert_act(conn, row)
        _append_act(conn, actor, alert, row, f"until {ends_at:%Y-%m-%dT%H:%MZ}")
    return alert


def escalate_alert(
    db: Database, actor: Actor, alert_id: str, reason: str, instant: datetime, *, role: str = ""
) -> str:
    """Have *role* told of an alert now; empty: the next role that has not been told; return it.

    Raises:
        ActRefusedError: It is not open, there is no further role, or the reason is blank.
    """
    with db.write() as conn:
        alert = _load_open_alert(conn, alert_id)
        deliveries = alerts.load_deliveries(conn, [alert.id])
        notified_roles = {*alert.roles, *(row.role for row in deliveries)}
        untold_roles = (one for one in alert.escalate_to if one not in notified_roles)
        next_role = role or next(untold_roles, "")
        if not next_role:
            raise ActRefusedError("everybody in the alert's roles has been told: name another role")
        # later than the notices of a clock that was ahead: they are told of it after them
        last_notices = (row.recorded_at + timedelta(microseconds=1) for row in deliveries)
        acted_at = max([instant, *last_notices])
        row = _make_row(alert, actor, AlertActKind.ESCALATION, reason, acted_at, role=next_role)
        alert_acts.append_alert_act(conn, row)
        _append_act(conn, actor, alert, row, f"to {next_role}")
    return next_role


def revoke_links(
    db: Database, actor: Actor, recipient: str, reason: str, instant: datetime, *, alert: str = ""
) -> None:
    """End the links that *recipient* was sent until now: of *alert* (id); empty: of all.

    Raises:
        ActRefusedError: The reason is blank.
    """
    row = LinkRevocationRow(
        str(uuid4()), recipient, alert, actor.id, require_reason(reason), instant
    )
    with db.write() as conn:
        alert_acts.append_link_revocation(conn, row)
        append_act(
            conn,
            actor,
            ActKind.REVOKE_LINK,
            Subject(recipient),
            Values(new_value=f"links sent until {instant:%Y-%m-%dT%H:%MZ} are void"),
            reason=reason,
            acted_at=instant,
        )


def _load_open_alert(conn: Connection, alert_id: str) -> Alert:
    alert = alerts.load_alert(conn, alert_id)
    if alert is None or not alert.is_open:
        raise ActRefusedError("the alert is not open: `aegis alerts list`")
    return alert


def _make_row(
    alert: Alert,
    actor: Actor,
    kind: AlertActKind,
    reason: str,
    acted_at: datetime,
    *,
    role: str = "",
    ends_at: datetime | None = None,
) -> AlertActRow:
    return AlertActRow(
        id=str(uuid4()),
        alert=alert.id,
        kind=kind,
        person=actor.id,
        reason=require_reason(reason),
        acted_at=acted_at,
        grade=alert.grade,
        role=role,
        ends_at=ends_at,
    )


def _append_act(conn: Connection, actor: Actor, alert: Alert, row: AlertActRow, words: str) -> None:
    append_act(
        conn,
        actor,
        _ACT_KINDS[row.kind],
        Subject(alert.id, alert.participant, digest_canonical(alert)),
        Values(new_value=words),
        reason=row.reason,
        acted_at=row.acted_at,
    )
