"""The follow-up of every participant of a study as known at a data cut."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.endpoints import engraftment
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.endpoints.gvhd_grades import (
    apply_decisions,
    list_acute_grades,
    list_chronic_grades,
)
from services.safety_rules.domain.facts.anchors import find_anchors
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.safety_rules.domain.facts.ownership import Ownership
from services.safety_rules.domain.syndromes.gvhd_criteria import (
    ACUTE_GVHD,
    CAUSED_BY_GRAFT,
    CHRONIC_GVHD,
)
from services.store import journal, observation_times, records
from services.store.session import Connection
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.protocol import Protocol

_KINDS = (
    "enrolment", "transplant", "administration", "relapse", "death", "withdrawal", "gvhd-stage",
    "gvhd-signs", "chronic-gvhd", "chronic-gvhd-scores", "graft-status",
)  # fmt: skip
_MEASURES = ("bilirubin", "weight", *sorted(engraftment.MEASURES))

_GvhdRecords = Mapping[tuple[str, str], Sequence[EpisodeContent]]


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """The facts that stand at a data cut and that endpoints read.

    Args:
        by_participant: By time, those of merged participants as one; nobody without a fact.
        ownership: Of the facts of each subject.
    """

    by_participant: Mapping[str, Sequence[Fact]]
    ownership: Mapping[str, Ownership]


def load_study_facts(conn: Connection, subjects: Iterable[str], cut_at: datetime) -> StudyFacts:
    """Return the facts of *subjects* as they stood at *cut_at*."""
    subject_set = set(subjects)
    entries = journal.load_facts_of_kinds(conn, _KINDS)
    entries += journal.load_observations(conn, _MEASURES)
    linking_facts, endpoint_facts = (
        [
            known.fact
            for known in known_facts
            if known.fact.subject in subject_set and known.received_at <= cut_at
        ]
        for known_facts in (journal.load_joining_facts(conn), entries)
    )
    ownership = _find_owners(subject_set, [*linking_facts, *endpoint_facts])
    facts: dict[str, list[Fact]] = {}
    for fact in endpoint_facts:
        facts.setdefault(ownership[fact.subject].find_owner(fact), []).append(fact)
    current_facts = {
        who: [fact for fact in select_current_facts(facts[who]) if fact.observed_at <= cut_at]
        for who in sorted(facts)
    }
    return StudyFacts(current_facts, ownership)


def make_follow_ups(
    conn: Connection, rules: Rules, study_facts: StudyFacts, cut_at: datetime
) -> list[FollowUp]:
    """Return the follow-up of every participant with a fact, in the order of their names."""
    observed_until = _find_last_observations(conn, rules.protocol, study_facts.ownership, cut_at)
    gvhd_records = _load_gvhd_records(conn, cut_at)
    return [
        _make_follow_up(who, rules, facts, observed_until.get(who, cut_at), gvhd_records)
        for who, facts in study_facts.by_participant.items()
    ]


def _find_owners(subjects: Iterable[str], facts: Sequence[Fact]) -> Mapping[str, Ownership]:
    """Return the ownership of the facts of each subject."""
    owners: dict[str, Ownership] = {}
    for group in link_participants(subjects, facts):
        ownership = Ownership(group)
        owners |= dict.fromkeys(group, ownership)
    for subject, subject_facts in _group_by_subject(facts).items():
        owners[subject].add_facts(subject_facts)
    return owners


def _group_by_subject(facts: Iterable[Fact]) -> Mapping[str, list[Fact]]:
    facts_by_subject: dict[str, list[Fact]] = {}
    for fact in facts:
        facts_by_subject.setdefault(fact.subject, []).append(fact)
    return facts_by_subject


def _find_last_observations(
    conn: Connection, protocol: Protocol, ownership: Mapping[str, Ownership], cut_at: datetime
) -> Mapping[str, datetime]:
    """Return the last instant at which each participant was observed, merged ones as one."""
    observed_until: dict[str, datetime] = {}
    for subject, observed_at in observation_times.find_last_observations(
        conn, cut_at, protocol.study
    ).items():
        if subject in ownership:
            owner = ownership[subject].survivor_of[subject]
            observed_until[owner] = max(observed_at, observed_until.get(owner, observed_at))
    return {who: min(instant, cut_at) for who, instant in observed_until.items()}


def _load_gvhd_records(conn: Connection, cut_at: datetime) -> _GvhdRecords:
    """Return the records of GVHD as they stood at *cut_at*, by participant and criterion."""
    records_by_key: dict[tuple[str, str], list[EpisodeContent]] = {}
    for episode in records.load_latest_episodes(conn, as_of=cut_at):
        if not episode.retracted and episode.content.criterion in CAUSED_BY_GRAFT:
            key = episode.content.participant, episode.content.criterion
            records_by_key.setdefault(key, []).append(episode.content)
    return records_by_key


def _make_follow_up(
    participant: str,
    rules: Rules,
    facts: Sequence[Fact],
    observed_until: datetime,
    gvhd_records: _GvhdRecords,
) -> FollowUp:
    anchors = find_anchors(facts, rules.protocol)
    stagings = list_acute_grades(facts, rules.protocol, rules.measures)
    visits = list_chronic_grades(facts, rules.protocol)
    return FollowUp(
        participant,
        anchors,
        min(observed_until, anchors.withdrawn_at or observed_until),
        acute=apply_decisions(stagings, gvhd_records.get((participant, ACUTE_GVHD), ())),
        chronic=apply_decisions(visits, gvhd_records.get((participant, CHRONIC_GVHD), ())),
        stagings=tuple(point.instant for point in stagings),
        visits=tuple(point.instant for point in visits),
    )
