"""What the facts of a journal say that no record holds: recommendations, and data queries."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.current_facts import Query
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
    link_participants,
)
from services.safety_rules.domain.participant.received_message import group_by_message
from services.store import journal, participants
from services.store.session import Connection
from services.vocabulary.recommendation import Advice


def advised(
    conn: Connection, rules: Rules, at: datetime, participant: str | None = None
) -> Iterator[tuple[str, Sequence[Advice]]]:
    """Yield each participant with what is recommended, from what was known at *at*.

    A participant whose facts belong to another's records is left out.

    Args:
        conn: Of one `Database.read`.
        rules: The running rules.
        at: Facts that became known later are left out.
        participant: Only this one, or whoever their facts belong to; None: everybody.
    """
    for group, family in _families(conn, rules, at, participant):
        for member in group:
            fold = family.find_fold(member)
            if fold is not None:
                yield member, fold.find_advice(at)[0]


def queries(
    conn: Connection, rules: Rules, at: datetime, participant: str | None = None
) -> Iterator[Query]:
    """Yield what a person has to look into, from what was known at *at*; see `advised`."""
    for group, family in _families(conn, rules, at, participant):
        for member in group:
            fold = family.find_fold(member)
            if fold is not None:
                yield from fold.list_queries()


def _families(
    conn: Connection, rules: Rules, at: datetime, participant: str | None
) -> Iterator[tuple[tuple[str, ...], LinkedParticipants]]:
    study = rules.protocol.study
    people = [p for p in participants.load_participants(conn, study) if p != study]
    joining = [known.fact for known in journal.load_joining_facts(conn) if known.received_at <= at]
    for group in link_participants(people, joining):
        if participant is None or participant in group:
            family = LinkedParticipants(group, rules)
            known = [one for member in group for one in journal.load_facts_as_of(conn, member, at)]
            for message in group_by_message(known):
                family.receive(message.subject, message.facts)
            yield group, family
