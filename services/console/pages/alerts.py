"""Alerts: who was told of what, who has seen it, and one alert with its notices."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from starlette.responses import Response

from services.acts.acknowledgement import find_acknowledger_fault
from services.alerts.acknowledgement import describe_grade, find_short_name, write_alert_text
from services.alerts.alert_states import AlertState
from services.alerts.load_evidence import load_evidence
from services.console.list_page import cut_page
from services.console.respond import render
from services.console.visit import NotFoundError, Visit
from services.people.rights import find_acting_role, list_levels
from services.store import alerts
from services.store.alert_states import AlertStateRow, load_alert_states
from services.store.alerts import AcknowledgementRow
from services.store.people import load_people
from services.store.session import Connection
from services.vocabulary.act import ActKind
from services.vocabulary.alert import Alert, Level
from services.vocabulary.person import Actor

_LEVELS = {level: number for number, level in enumerate(Level)}
_NO_LINK = "on this page"


def show_list(visit: Visit) -> Response:
    """Show the alerts that the visitor sees, the open ones unless all are asked for."""
    rows = _load_seen(visit)
    with visit.context.db.read() as conn:
        acknowledgements = _load_acknowledgements(conn, rows)
        alert_states = load_alert_states(conn)
        names = _load_names(conn, [one for seen in acknowledgements.values() for one in seen])
    wants_all = "all" in visit.query
    listed_alerts = [row for row in rows if wants_all or row.is_open]
    return render(
        visit,
        "alerts.html",
        page=cut_page(sorted(listed_alerts, key=_rank), visit.query),
        all_count=len(rows),
        wants_all=wants_all,
        acknowledgements=acknowledgements,
        names=names,
        alert_states=alert_states,
        describe_grade=describe_grade,
        find_short_name=find_short_name,
        find_due_time=find_due_time,
    )


def show(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show one alert: its text, its notices and who has seen it."""
    alert = find_alert(visit, visit.path["alert"])
    with visit.context.db.read() as conn:
        deliveries = alerts.load_deliveries(conn, [alert.id])
        acknowledgements = alerts.load_acknowledgements(conn, [alert.id])
        alert_state = load_alert_states(conn, [alert.id]).get(alert.id)
        evidence = [load_evidence(conn, alert)] if visit.sees_participants else []
        stranger_fault = find_acknowledger_fault(conn, alert, _make_actor(visit))
        names = _load_names(conn, acknowledgements)
    text = write_alert_text(alert, _NO_LINK, *evidence)
    may_acknowledge = find_acting_role(visit.person, ActKind.ACKNOWLEDGE) is not None
    return render(
        visit,
        "alert.html",
        status,
        alert=alert,
        short_name=find_short_name(alert),
        subject=text.subject,
        lines=text.body.splitlines(),
        deliveries=deliveries,
        acknowledgements=acknowledgements,
        names=names,
        due_at=find_due_time(alert, alert_state),
        missing_people=alert_state.missing_people if alert_state else (),
        may_acknowledge=may_acknowledge and not stranger_fault,
        who_acknowledges=stranger_fault if may_acknowledge else "",
        may_snooze=find_acting_role(visit.person, ActKind.SNOOZE) is not None,
        may_escalate=find_acting_role(visit.person, ActKind.ESCALATE) is not None,
        fault=fault,
    )


def find_alert(visit: Visit, alert_id: str) -> Alert:
    """Return an alert.

    Raises:
        NotFoundError: There is none, or it is about a participant of another site.
    """
    alert = next((row for row in _load_seen(visit) if row.id == alert_id), None)
    if alert is None:
        raise NotFoundError
    return alert


def find_due_time(alert: Alert, alert_state: AlertStateRow | None) -> datetime | None:
    """Return the instant by which *alert* has to be acknowledged still; None: nobody has to.

    One that the DSMB has answered, or that is snoozed, waits for nobody. Without *alert_state* its
    state is not known yet.
    """
    is_settled = alert_state is not None and alert_state.state != AlertState.OPEN
    return alert.due_at if alert.is_open and not is_settled else None


def _make_actor(visit: Visit) -> Actor:
    return Actor(visit.person.id, visit.person.name)


def _load_seen(visit: Visit) -> list[Alert]:
    """Return the alerts that the visitor sees."""
    context = visit.context
    with context.db.read() as conn:
        rows = context.alerts.load(conn)
        records_by_participant = context.records.load(conn)
    levels = list_levels(visit.person)
    return [
        row
        for row in rows
        if row.level in levels
        and (
            not visit.person.site
            or (
                row.participant in records_by_participant
                and visit.sees_site(records_by_participant[row.participant].site)
            )
        )
    ]


def _load_acknowledgements(
    conn: Connection, rows: Sequence[Alert]
) -> Mapping[str, Sequence[AcknowledgementRow]]:
    """Return by id who has seen each alert of *rows* as it stands."""
    grades = {row.id: row.grade for row in rows}
    by_alert: dict[str, list[AcknowledgementRow]] = {row.id: [] for row in rows}
    for acknowledgement in alerts.load_acknowledgements(conn):
        alert_id = acknowledgement.alert
        if alert_id in by_alert and acknowledgement.grade >= grades[alert_id]:
            by_alert[alert_id].append(acknowledgement)
    return by_alert


def _load_names(conn: Connection, rows: Sequence[AcknowledgementRow]) -> Mapping[str, str]:
    """Return the name of each person, by id, who acknowledged; a mailbox is called as it is."""
    stored_people = load_people(conn, {row.by for row in rows})
    return {one.person.id: one.person.name for one in stored_people}


def _rank(alert: Alert) -> tuple[int, float]:
    """Return the order of the list: the widest scope first, in each the newest."""
    return _LEVELS[alert.level], -alert.opened_at.timestamp()
