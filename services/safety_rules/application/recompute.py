"""Records recomputed from the facts alone, for `aegis assess` and for proofs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.application.decide_study import find_last_determination
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
)
from services.safety_rules.domain.participant.received_message import group_by_message
from services.safety_rules.domain.participant.record_history import RecordHistory, StandingChange
from services.safety_rules.domain.stopping.look_back import (
    find_crossings,
    find_first_crossings,
    list_knowledge_changes,
)
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.observation import observe_standings
from services.store.observation_times import NOT_CLINICAL
from services.store.participant_order import compute_known_at
from services.vocabulary.data_query import Query, QueryPeriod
from services.vocabulary.decision import Decision
from services.vocabulary.episode import Episode
from services.vocabulary.fact import Fact, JournalEntry
from services.vocabulary.standing import Standing


@dataclass(frozen=True, slots=True)
class RecomputedFamily:
    """The history of one family from its journal: all versions, and the latest."""

    members: tuple[str, ...]
    versions: tuple[Episode, ...]
    standing_changes: tuple[StandingChange, ...]
    latest: tuple[Episode, ...]
    standings: tuple[Standing, ...]
    queries: tuple[Query, ...]
    query_periods: Mapping[str, tuple[QueryPeriod, ...]]


def recompute_family(
    rules: Rules, members: Sequence[str], entries: Iterable[JournalEntry], end: datetime
) -> RecomputedFamily:
    """Fold the journals of one family from their beginning.

    Args:
        rules: The running rules.
        members: Everybody whom merges and moves name together.
        entries: All their facts, in any order.
        end: Timers due by then are applied.
    """
    history = fold_history(rules, members, entries, end)
    versions, standing_changes = history.take_changes()
    return RecomputedFamily(
        tuple(members),
        tuple(versions),
        tuple(standing_changes),
        tuple(one for member in members for one in history.list_latest_versions(member)),
        tuple(one for member in members for one in history.list_standings(member)),
        tuple(history.list_queries(end)),
        {member: history.list_query_periods(member) for member in members},
    )


def fold_history(
    rules: Rules, members: Sequence[str], entries: Iterable[JournalEntry], end: datetime
) -> RecordHistory:
    """Return the history of a family, in the arguments of `recompute_family`."""
    history = RecordHistory(LinkedParticipants(members, rules), rules)
    for message in group_by_message(entries):
        history.receive(message)
    history.pass_time(end)
    return history


@dataclass(frozen=True, slots=True)
class TrialAssessment:
    """Records (current, none retracted), standings, decisions and data queries.

    *ever_crossed* is the first crossing of each rule, by id, as known then; None: there was none.
    """

    episodes: tuple[Episode, ...]
    standings: tuple[Standing, ...]
    decisions: tuple[Decision, ...]
    queries: tuple[Query, ...]
    ever_crossed: Mapping[str, datetime | None]


def assess(rules: Rules, facts: Sequence[Fact], as_of: datetime | None = None) -> TrialAssessment:
    """Return the records, standings and decisions of *facts*: the same as the service's.

    Each fact is a message of its own, known since it was reported.

    Args:
        rules: The running rules.
        facts: Of any number of participants, in any order.
        as_of: What was reported later is left out; None: nothing is.
    """
    study = rules.protocol.study
    known_facts = [fact for fact in facts if as_of is None or fact.reported_at <= as_of]
    if not known_facts:
        return TrialAssessment((), (), (), (), {})
    end = as_of or max(fact.reported_at for fact in known_facts)
    journals = make_journals(fact for fact in known_facts if fact.subject != study)
    families = [
        recompute_family(
            rules, group, [k for member in group for k in journals.get(member, ())], end
        )
        for group in link_participants(journals, known_facts)
    ]
    standings = [one for family in families for one in family.standings]
    last_observations = _find_last_observations(known_facts)
    decisions = [
        decide_rule(
            rules.protocol,
            rule,
            observe_standings(
                (one for one in standings if one.rule == rule.id), last_observations, end
            ),
            end,
            find_last_determination(known_facts, rule.id),
        )
        for rule in rules.protocol.rules
    ]
    episodes = [one for family in families for one in family.latest if not one.retracted]
    queries = [query for family in families for query in family.queries]
    standings_by_time = [
        (one.known_at, one.standing) for family in families for one in family.standing_changes
    ]
    changes = list_knowledge_changes(standings_by_time, _list_observations(journals))
    last_change = max(end, changes[-1].known_at) if changes else end
    crossings = find_crossings(rules.protocol.rules, changes, last_change)
    return TrialAssessment(
        tuple(episodes),
        tuple(standings),
        tuple(decisions),
        tuple(queries),
        find_first_crossings(crossings),
    )


def make_journals(facts: Iterable[Fact]) -> Mapping[str, list[JournalEntry]]:
    """Return a journal of each subject, as if every fact had come once, when it was reported."""
    journals: dict[str, list[JournalEntry]] = defaultdict(list)
    facts_by_id = {fact.id: fact for fact in facts}
    known_at: datetime | None = None
    for fact in sorted(facts_by_id.values(), key=lambda f: (f.reported_at, f.id)):
        journal, known_at = journals[fact.subject], compute_known_at(known_at, fact.reported_at)
        journal.append(JournalEntry(len(journal) + 1, known_at, fact.id, fact))
    return journals


def _list_observations(
    journals: Mapping[str, Sequence[JournalEntry]],
) -> list[tuple[datetime, str, datetime]]:
    return sorted(
        (one.received_at, subject, one.fact.observed_at)
        for subject, journal in journals.items()
        for one in journal
        if one.fact.body.kind not in NOT_CLINICAL
    )


def _find_last_observations(facts: Iterable[Fact]) -> Mapping[str, datetime]:
    """Return the last instant at which each participant was observed."""
    last_observations: dict[str, datetime] = {}
    for fact in facts:
        if fact.body.kind not in NOT_CLINICAL:
            last_observations[fact.subject] = max(
                fact.observed_at, last_observations.get(fact.subject, fact.observed_at)
            )
    return last_observations
