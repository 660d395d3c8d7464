"""The records of a journal from nothing: what `aegis assess` prints and what proofs compare."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.current_facts import Query
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
    link_participants,
)
from services.safety_rules.domain.participant.record_history import (
    RecordHistory,
    StandingChange,
    group_by_message,
)
from services.safety_rules.domain.stopping.look_back import (
    find_crossings,
    find_first_crossings,
    list_knowledge_changes,
)
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.store.journal import NOT_CLINICAL
from services.store.participant_order import compute_known_at
from services.vocabulary.decision import Decision
from services.vocabulary.episode import Episode
from services.vocabulary.fact import Determination, Fact, JournalEntry
from services.vocabulary.standing import ObservedStanding, Standing


@dataclass(frozen=True, slots=True)
class Recounted:
    """What the journal of one family says: its history, and where it ends."""

    members: tuple[str, ...]
    versions: tuple[Episode, ...]
    stood: tuple[StandingChange, ...]
    latest: tuple[Episode, ...]
    standings: tuple[Standing, ...]
    queries: tuple[Query, ...]


def recount(
    rules: Rules, members: Sequence[str], known: Iterable[JournalEntry], until: datetime
) -> Recounted:
    """Fold the journals of one family from their beginning.

    Args:
        rules: The running rules.
        members: Everybody whom merges and moves name together.
        known: All their facts, in any order.
        until: Timers due by then are applied.
    """
    chronicle = RecordHistory(LinkedParticipants(members, rules), rules)
    for message in group_by_message(known):
        chronicle.receive(message)
    chronicle.pass_time(until)
    versions, stood = chronicle.take_changes()
    return Recounted(
        tuple(members),
        tuple(versions),
        tuple(stood),
        tuple(one for member in members for one in chronicle.list_latest_versions(member)),
        tuple(one for member in members for one in chronicle.list_standings(member)),
        tuple(chronicle.list_queries()),
    )


@dataclass(frozen=True, slots=True)
class Assessed:
    """Records (current, none retracted), standings, decisions and what a person must look into.

    *ever_crossed* is since when each rule, by id, was first known to be at its boundary.
    """

    episodes: tuple[Episode, ...]
    standings: tuple[Standing, ...]
    decisions: tuple[Decision, ...]
    queries: tuple[Query, ...]
    ever_crossed: Mapping[str, datetime | None]


def assess(rules: Rules, facts: Sequence[Fact], as_of: datetime | None = None) -> Assessed:
    """Return what *facts* say: the same records, standings and decisions as the service's.

    Each fact is a message of its own, known since it was reported.

    Args:
        rules: The running rules.
        facts: Of any number of participants, in any order.
        as_of: What was reported later is left out; None: nothing is.
    """
    study = rules.protocol.study
    known = [fact for fact in facts if as_of is None or fact.reported_at <= as_of]
    if not known:
        return Assessed((), (), (), (), {})
    until = as_of or max(fact.reported_at for fact in known)
    journals = _journals(fact for fact in known if fact.subject != study)
    found = [
        recount(rules, group, [k for member in group for k in journals.get(member, ())], until)
        for group in link_participants(journals, known)
    ]
    standings = [one for family in found for one in family.standings]
    seen = _seen(known)
    decisions = [
        decide_rule(
            rules.protocol,
            rule,
            [
                ObservedStanding(one, seen.get(one.participant, until))
                for one in standings
                if one.rule == rule.id
            ],
            until,
            last_answer(known, rule.id),
        )
        for rule in rules.protocol.rules
    ]
    episodes = [one for family in found for one in family.latest if not one.retracted]
    queries = [query for family in found for query in family.queries]
    stood = [(one.known_at, one.standing) for family in found for one in family.stood]
    learned = list_knowledge_changes(stood, _observed(journals))
    upto = max(until, learned[-1].known_at) if learned else until
    past = find_crossings(rules.protocol.rules, learned, upto)
    return Assessed(
        tuple(episodes),
        tuple(standings),
        tuple(decisions),
        tuple(queries),
        find_first_crossings(past),
    )


def last_answer(facts: Iterable[Fact], rule: str) -> Determination | None:
    """Return the DSMB's last answer to *rule* among *facts*; None when there is none."""
    answers = [
        (fact.reported_at, fact.digest, fact.body)
        for fact in facts
        if isinstance(fact.body, Determination) and fact.body.rule == rule
    ]
    return max(answers, key=lambda answer: answer[:2])[2] if answers else None


def _journals(facts: Iterable[Fact]) -> Mapping[str, list[JournalEntry]]:
    """Return a journal of each subject, as if every fact had come once, when it was reported."""
    journals: dict[str, list[JournalEntry]] = defaultdict(list)
    once = {fact.id: fact for fact in facts}
    known_at: datetime | None = None
    for fact in sorted(once.values(), key=lambda f: (f.reported_at, f.id)):
        journal, known_at = journals[fact.subject], compute_known_at(known_at, fact.reported_at)
        journal.append(JournalEntry(len(journal) + 1, known_at, fact.id, fact))
    return journals


def _observed(
    journals: Mapping[str, Sequence[JournalEntry]],
) -> list[tuple[datetime, str, datetime]]:
    return sorted(
        (one.received_at, subject, one.fact.observed_at)
        for subject, journal in journals.items()
        for one in journal
        if one.fact.body.kind not in NOT_CLINICAL
    )


def _seen(facts: Iterable[Fact]) -> Mapping[str, datetime]:
    """Return the last instant at which each participant was observed."""
    seen: dict[str, datetime] = {}
    for fact in facts:
        if fact.body.kind not in NOT_CLINICAL:
            seen[fact.subject] = max(fact.observed_at, seen.get(fact.subject, fact.observed_at))
    return seen
