"""One participant, folded from the journal: the records as they are now, and what they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.participant.fold import Fold
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import group_by_message
from services.store import journal
from services.store.participant_order import find_families
from services.store.session import Connection
from services.vocabulary.fact import JournalEntry


@dataclass(frozen=True, slots=True)
class FoldedParticipant:
    """The fold of one participant, and the facts of everybody whom merges and moves link to it."""

    fold: Fold
    entries: Sequence[JournalEntry]


def fold_participant(conn: Connection, rules: Rules, participant: str) -> FoldedParticipant:
    """Return *participant* folded by *rules*; without a record where others have all the facts."""
    (members,) = find_families(conn, [participant])
    entries = [one for member in members for one in journal.load_facts_between(conn, member, 0)]
    family = LinkedParticipants(members, rules)
    for message in group_by_message(entries):
        family.receive(message.subject, message.facts)
    return FoldedParticipant(family.find_fold(participant) or Fold(participant, rules), entries)
