"""Readings of a record by two persons, where the protocol asks for four eyes.

A first verdict is kept as an act and is no fact: the rules see nothing of it. A second one by
another person that is the same becomes the decision; one that differs leaves it to the chair. A
reading is of the record as it was seen: when that changes, both have to read it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.acts.record_signatures import load_record_signatures
from services.acts.refusal import ActRefusedError
from services.acts.seen_content import hash_seen
from services.store.session import Connection
from services.vocabulary.act import Act, ActKind
from services.vocabulary.episode import Episode
from services.vocabulary.person import Actor, Role


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of one record as it stands, the newest of each person."""

    acts: Sequence[Act]

    @property
    def differ(self) -> bool:
        """True if two persons have given different verdicts: the chair decides."""
        return len({act.new_value for act in self.acts}) > 1

    def choose_kind(self, actor: Actor, verdict: str) -> ActKind:
        """Return the kind of the act by which *actor* gives *verdict*.

        Raises:
            ActRefusedError: Two readers differ, and *actor* is not the chair; or there is nothing
                for the chair to settle.
        """
        if self.differ:
            if actor.role is not Role.DSMB_CHAIR:
                raise ActRefusedError(f"two readers differ ({self.describe()}): the chair decides")
            return ActKind.SETTLE
        if actor.role is Role.DSMB_CHAIR:
            raise ActRefusedError("the readers of this record do not differ: nothing is to settle")
        other_verdicts = {act.new_value for act in self.acts if act.actor.id != actor.id}
        return ActKind.ADJUDICATE if verdict in other_verdicts else ActKind.READ_RECORD

    def describe(self) -> str:
        """Return who said what."""
        return "; ".join(f"{act.actor.name}: {act.new_value}" for act in self.acts)


def load_readings(conn: Connection, record: Episode) -> Readings:
    """Return the readings of *record* as it stands, since it was last decided."""
    by_person: dict[str, Act] = {}
    for act in load_record_signatures(conn, [record.id]).get(record.id, []):
        if act.kind is not ActKind.READ_RECORD:
            by_person.clear()
        elif act.seen_hash == hash_seen(record):
            by_person[act.actor.id] = act
    return Readings(tuple(by_person.values()))
