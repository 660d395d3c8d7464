"""The acts of persons, in the order of time; a row never changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from services.store import audit
from services.store.tables import act
from services.vocabulary.act import Act, ActKind, Meaning
from services.vocabulary.person import Actor, Role, SignedBy


@dataclass(frozen=True, slots=True)
class ActFilter:
    """The acts that are asked for; what is empty or None asks for nothing in particular.

    Args:
        targets: Ids of what they are about.
        participants: Pseudonyms.
        person: Id.
        not_before: Aware; acts of then and later.
        kinds: Of the acts.
    """

    targets: Sequence[str] = ()
    participants: Sequence[str] = ()
    person: str = ""
    not_before: datetime | None = None
    kinds: Sequence[ActKind] = ()


def append_act(conn: Connection, row: Act) -> None:
    """Append *row*, within the transaction that has its effect; the audit names the person.

    Raises:
        ValueError: Its reason is blank.
    """
    if not row.reason.strip():
        raise ValueError("an act without a reason")
    audit.insert_audited(conn, act, [_make_row(row)], actor=row.actor.id)


def load_acts(conn: Connection, act_filter: ActFilter | None = None) -> list[Act]:
    """Return all acts, or those of *act_filter*, the oldest first."""
    act_filter = act_filter or ActFilter()
    table = act.c
    query = select(act).order_by(table.at, table.id)
    if act_filter.targets:
        query = query.where(table.about.in_(act_filter.targets))
    if act_filter.participants:
        query = query.where(table.participant.in_(act_filter.participants))
    if act_filter.person:
        query = query.where(table.person == act_filter.person)
    if act_filter.not_before is not None:
        query = query.where(table.at >= act_filter.not_before)
    if act_filter.kinds:
        query = query.where(table.kind.in_([str(kind) for kind in act_filter.kinds]))
    return [_read_act(row) for row in conn.execute(query).mappings()]


def _make_row(row: Act) -> dict[str, object]:
    actor = row.actor
    return {
        "id": row.id,
        "at": row.acted_at,
        "person": actor.id,
        "name": actor.name,
        "role": str(actor.role or ""),
        "kind": str(row.kind),
        "about": row.target,
        "participant": row.participant,
        "seen": row.seen_hash,
        "meaning": str(row.meaning),
        "old": row.old_value,
        "new": row.new_value,
        "reason": row.reason,
        "signed_by": str(actor.signed_by),
    }


def _read_act(row: RowMapping) -> Act:
    role = Role(row["role"]) if row["role"] else None
    return Act(
        row["id"],
        row["at"],
        Actor(row["person"], row["name"], role, SignedBy(row["signed_by"])),
        ActKind(row["kind"]),
        row["about"],
        row["reason"],
        row["participant"],
        row["seen"],
        Meaning(row["meaning"]),
        row["old"],
        row["new"],
    )
