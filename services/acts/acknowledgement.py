"""The acknowledgement of an alert: a person whom it is for has seen it.

Whoever acknowledges ends the reminders of their role: that is for nobody else to do.
"""

from collections.abc import Iterable

from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.alerts.acknowledgement import acknowledge as record_acknowledgement
from services.alerts.acknowledgement import find_short_name
from services.people.rights import covers_site, list_roles_called
from services.runtime.clock import now_utc
from services.store import alert_states, alerts, participants, people
from services.store.session import Connection, Database
from services.vocabulary.alert import Alert
from services.vocabulary.person import Actor, Person


def acknowledge(
    db: Database, actor: Actor, alert_id: str, comment: str, *, version: int | None = None
) -> Alert:
    """Record that *actor* has seen the alert at *version* (None: as it is); return it.

    Raises:
        ActRefusedError: There is no such alert, or it is for others to acknowledge.
        ChangedSinceSeenError: It is at another version.
    """
    with db.read() as conn:
        stored_alert = alerts.load_alert(conn, alert_id)
        if stored_alert is None:
            raise ActRefusedError(f"there is no alert {alert_id}")
        if problem := find_acknowledger_fault(conn, stored_alert, actor):
            raise ActRefusedError(problem)
    alert = record_acknowledgement(db, alert_id, actor, comment, now_utc(), version=version)
    if alert is not None:
        return alert
    name = find_short_name(stored_alert)
    raise ChangedSinceSeenError(
        f"alert {name} is not version {version}: read it again with"
        f" `aegis alerts show {name}`; nothing is acknowledged"
    )


def find_acknowledger_fault(conn: Connection, alert: Alert, actor: Actor) -> str:
    """Return the refusal of *actor* as who acknowledges *alert*, naming others; empty: they may.

    Those may who were told, for whom it waits, or who are in a role of it; nobody for a
    participant of another site than theirs.
    """
    person = _load_person(conn, actor)
    deliveries = alerts.load_deliveries(conn, [alert.id])
    words = dict.fromkeys([*alert.roles, *(row.role for row in deliveries)])
    state = alert_states.load_alert_states(conn, [alert.id]).get(alert.id)
    names = {row.recipient for row in deliveries} | set(state.missing_people if state else ())
    row = participants.load_participant(conn, alert.participant) if alert.participant else None
    site = "" if row is None else row.site
    is_told = person.id in names and (not alert.participant or person.site in ("", site))
    if is_told or _is_in_role(person, words, site):
        return ""
    readable_words = ", ".join(word.replace("_", " ") for word in words)
    of_site = f", those of one site for {site}" if site else ""
    return (
        f"alert {find_short_name(alert)} is not for {actor.id}: {readable_words} acknowledge it,"
        f" or whoever was told of it{of_site}"
    )


def _is_in_role(person: Person, words: Iterable[str], site: str) -> bool:
    roles = {role for word in words for role in list_roles_called(word)}
    return any(covers_site(person, role, site) for role in roles & person.roles)


def _load_person(conn: Connection, actor: Actor) -> Person:
    """Return the person who acts, in all their roles; a machine has none."""
    stored_person = people.load_person(conn, actor.id)
    if stored_person is not None:
        return stored_person.person
    return Person(actor.id, actor.name, "", frozenset({actor.role} if actor.role else ()))
