"""Recommendations and data queries, stored or computed from the journal."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.safety_rules.domain.participant.fold import Fold
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
)
from services.safety_rules.domain.participant.received_message import group_by_message
from services.store import journal, participants
from services.store.participant_advice import load_current_advice
from services.store.participant_queries import load_current_queries
from services.store.session import Connection
from services.vocabulary.data_query import Query
from services.vocabulary.recommendation import Advice


def list_advice(
    conn: Connection, rules: Rules, as_of: datetime, participant: str | None = None
) -> Iterator[tuple[str, Sequence[Advice]]]:
    """Yield each participant with the recommendations from what was known at *as_of*.

    A participant whose facts belong to another's records is left out, or has none.

    Args:
        conn: Of one `Database.read`.
        rules: The running rules.
        as_of: Facts that became known later are left out.
        participant: Only this one, or whoever their facts belong to; None: everybody.
    """
    stored_advice = load_current_advice(conn, rules.protocol.study, rules.version, as_of)
    for group in _list_families(conn, rules, as_of, participant):
        if stored_advice.keys() >= set(group):
            yield from ((member, stored_advice[member]) for member in group)
        else:
            for fold in _fold_family(conn, rules, group, as_of):
                yield fold.participant, fold.find_advice(as_of)[0]


def list_queries(
    conn: Connection, rules: Rules, as_of: datetime, participant: str | None = None
) -> Iterator[Query]:
    """Yield the data queries from what was known at *as_of*; see `list_advice`."""
    stored_queries = load_current_queries(conn, rules.protocol.study, rules.version, as_of)
    for group in _list_families(conn, rules, as_of, participant):
        if stored_queries.keys() >= set(group):
            yield from (query for member in group for query in stored_queries[member])
        else:
            for fold in _fold_family(conn, rules, group, as_of):
                yield from fold.list_queries(as_of)


def _list_families(
    conn: Connection, rules: Rules, as_of: datetime, participant: str | None
) -> Iterator[tuple[str, ...]]:
    study = rules.protocol.study
    people = [p for p in participants.load_participants(conn, study) if p != study]
    linking_facts = [
        known.fact for known in journal.load_joining_facts(conn) if known.received_at <= as_of
    ]
    for group in link_participants(people, linking_facts):
        if participant is None or participant in group:
            yield group


def _fold_family(
    conn: Connection, rules: Rules, group: tuple[str, ...], as_of: datetime
) -> Iterator[Fold]:
    """Yield the fold of each member whose facts do not belong to another's records."""
    family = LinkedParticipants(group, rules)
    entries = [one for member in group for one in journal.load_facts_as_of(conn, member, as_of)]
    for message in group_by_message(entries):
        family.receive(message.subject, message.facts)
    for member in group:
        fold = family.find_fold(member)
        if fold is not None:
            yield fold
