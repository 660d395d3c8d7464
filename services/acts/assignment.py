"""The assignment of a record or an alert to the person who looks after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.acts.append_act import Subject, Values, append_act
from services.acts.refusal import ActRefusedError
from services.people.rights import may_look_after
from services.store import acts, participants, people
from services.store.session import Connection, Database
from services.vocabulary.act import Act, ActKind
from services.vocabulary.person import Actor, Person


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment of *target* (id, about *participant*) to *owner* (id; empty: to nobody)."""

    target: str
    participant: str
    owner: str
    reason: str


def assign(db: Database, actor: Actor, assignment: Assignment, instant: datetime) -> Act:
    """Record who looks after something from now on.

    Raises:
        ActRefusedError: There is no such person, they may do nothing now, or they do not see
            records of that site; or the reason is blank.
    """
    owner = assignment.owner
    with db.write() as conn:
        stored_person = people.load_person(conn, owner) if owner else None
        if owner and (stored_person is None or not stored_person.is_active(instant)):
            raise ActRefusedError(f"nobody who is active is called {owner[:40]}")
        if stored_person is not None:
            _require_owner(conn, stored_person.person, assignment.participant)
        return append_act(
            conn,
            actor,
            ActKind.ASSIGN,
            Subject(assignment.target, assignment.participant),
            Values(load_owners(conn).get(assignment.target, ""), owner or "nobody"),
            reason=assignment.reason,
            acted_at=instant,
        )


def _require_owner(conn: Connection, owner: Person, participant: str) -> None:
    row = participants.load_participant(conn, participant)
    site = "" if row is None else row.site
    if not may_look_after(owner, site):
        roles = ", ".join(sorted(owner.roles))
        of_site = f" of site {owner.site}" if owner.site else ""
        raise ActRefusedError(
            f"{owner.id} ({roles}{of_site}) sees no records of {site or 'no site'}: a safety"
            " officer or an investigator of the site can look after it"
        )


def load_owners(conn: Connection) -> Mapping[str, str]:
    """Return the id of the person who looks after each record or alert, by its id."""
    last_acts = {one.target: one for one in acts.load_acts(conn, _ASSIGNMENTS)}
    return {target: one.new_value for target, one in last_acts.items() if one.new_value != "nobody"}


_ASSIGNMENTS = acts.ActFilter(kinds=(ActKind.ASSIGN,))
