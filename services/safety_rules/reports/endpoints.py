"""The endpoints of the trial as known at a data cut."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.endpoints.adverse_events import find_worst_grades, tabulate_terms
from services.safety_rules.domain.endpoints.curves import estimate_curve
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.facts.anchors import (
    WindowPeriod,
    find_anchors,
    find_window_periods,
)
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.safety_rules.domain.facts.ownership import Ownership
from services.safety_rules.domain.participant.linked_participants import link_participants
from services.store import journal, participants, records
from services.store.session import Connection
from services.vocabulary.clinical_fact import ChronicGvhd, GvhdStage
from services.vocabulary.endpoint import AdverseEvents, EndpointClock, EndpointReport
from services.vocabulary.fact import Fact
from services.vocabulary.protocol import EndpointPlan
from services.vocabulary.protocol_event import EventPattern

IDS = tuple(endpoint.id for endpoint in ENDPOINTS)
CLOCKS: tuple[EndpointClock, ...] = ("transplant", "first_infusion")
_KINDS = (
    "enrolment", "transplant", "administration", "relapse", "death", "withdrawal", "gvhd-stage",
    "chronic-gvhd",
)  # fmt: skip


class NoEndpointsError(LookupError):
    """The protocol has no plan of endpoints."""


def report_endpoints(
    conn: Connection, rules: Rules, as_of: datetime | None = None
) -> EndpointReport | None:
    """Return every endpoint from what was known at *as_of* (None: from all that is known).

    None when nothing was known of anybody by then.

    Raises:
        NoEndpointsError: The protocol has no plan of endpoints.
    """
    protocol = rules.protocol
    plan = protocol.endpoints
    if plan is None:
        raise NoEndpointsError(f"the protocol of {protocol.study} names no endpoints")
    participants_by_id = participants.load_participants(conn, protocol.study)
    received = [
        p.last_received_at for p in participants_by_id.values() if p.last_received_at is not None
    ]
    cut_at = as_of or max(received, default=None)
    subjects = sorted(participants_by_id.keys() - {protocol.study})
    if cut_at is None or not subjects:
        return None
    follow_ups = _load_follow_ups(conn, rules, subjects, cut_at)
    if not follow_ups:
        return None
    treated = [of for of in follow_ups if of.anchors.first_infusion_at is not None]
    return EndpointReport(
        study=protocol.study,
        as_of=cut_at,
        data_to=max((of.ends_at for of in treated), default=None),
        protocol=protocol.label,
        enrolled=sum(of.anchors.enrolled_at is not None for of in follow_ups),
        treated=len(treated),
        curves=tuple(
            estimate_curve(endpoint, treated, clock, plan.landmarks)
            for clock in CLOCKS
            for endpoint in ENDPOINTS
        ),
        adverse_events=_tabulate_adverse_events(conn, rules, plan, treated, cut_at),
    )


def _load_follow_ups(
    conn: Connection, rules: Rules, subjects: Sequence[str], cut_at: datetime
) -> list[FollowUp]:
    """Return the follow-up of every participant with a fact, merged ones as one."""
    subject_set = set(subjects)
    linking_facts = [
        known.fact
        for known in journal.load_joining_facts(conn)
        if known.received_at <= cut_at and known.fact.subject in subject_set
    ]
    endpoint_facts = [
        known.fact
        for kind in _KINDS
        for known in journal.load_facts_of_kind(conn, kind)
        if known.fact.subject in subject_set and known.received_at <= cut_at
    ]
    ownership = _find_owners(subjects, [*linking_facts, *endpoint_facts])
    facts: dict[str, list[Fact]] = {}
    for fact in endpoint_facts:
        facts.setdefault(ownership[fact.subject].find_owner(fact), []).append(fact)
    observed_until: dict[str, datetime] = {}
    for subject, observed_at in journal.find_last_observations(
        conn, cut_at, rules.protocol.study
    ).items():
        if subject in subject_set:
            owner = ownership[subject].survivor_of[subject]
            observed_until[owner] = max(observed_at, observed_until.get(owner, observed_at))
    return [
        _make_follow_up(who, rules, facts[who], observed_until.get(who, cut_at), cut_at)
        for who in sorted(facts)
    ]


def _find_owners(subjects: Sequence[str], facts: Sequence[Fact]) -> Mapping[str, Ownership]:
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


def _make_follow_up(
    participant: str,
    rules: Rules,
    facts: Sequence[Fact],
    observed_until: datetime,
    cut_at: datetime,
) -> FollowUp:
    current_facts = [fact for fact in select_current_facts(facts) if fact.observed_at <= cut_at]
    anchors = find_anchors(current_facts, rules.protocol)
    ends = [observed_until, cut_at, *([anchors.withdrawn_at] if anchors.withdrawn_at else [])]
    return FollowUp(
        participant,
        anchors,
        min(ends),
        tuple((f.observed_at, f.body) for f in current_facts if isinstance(f.body, GvhdStage)),
        tuple(
            (f.observed_at, f.body.severity)
            for f in current_facts
            if isinstance(f.body, ChronicGvhd)
        ),
    )


@dataclass(frozen=True, slots=True)
class _WindowCohort:
    """The participants who can be counted, with their windows."""

    windows: Mapping[str, Sequence[WindowPeriod]]
    followed_count: int


def _select_window_cohort(
    rules: Rules, plan: EndpointPlan, treated: Sequence[FollowUp]
) -> _WindowCohort:
    window = rules.protocol.windows[plan.window]
    windows: dict[str, Sequence[WindowPeriod]] = {}
    followed_count = 0
    for follow_up in treated:
        first_dose_at, periods = (
            follow_up.anchors.first_infusion_at,
            find_window_periods(window, follow_up.anchors),
        )
        ends_at = max((stretch.end for stretch in periods), default=None)
        if first_dose_at is not None and ends_at is not None and first_dose_at < ends_at:
            windows[follow_up.participant] = periods
            died_at = follow_up.anchors.died_at
            followed_count += follow_up.ends_at >= ends_at or (
                died_at is not None and died_at <= follow_up.ends_at
            )
    return _WindowCohort(windows, followed_count)


def _tabulate_adverse_events(
    conn: Connection,
    rules: Rules,
    plan: EndpointPlan,
    treated: Sequence[FollowUp],
    cut_at: datetime,
) -> AdverseEvents:
    cohort = _select_window_cohort(rules, plan, treated)
    pattern = EventPattern(term_set=plan.term_set)
    contents = [
        one.content
        for one in records.load_latest_episodes(conn, as_of=cut_at)
        if not one.retracted and one.content.participant in cohort.windows
    ]
    worst = find_worst_grades(contents, cohort.windows, lambda c: rules.matches_pattern(c, pattern))
    evaluable = len(cohort.windows)
    return AdverseEvents(
        term_set=plan.term_set,
        window=plan.window,
        evaluable=evaluable,
        followed=cohort.followed_count,
        outside=len(treated) - evaluable,
        rows=tabulate_terms(worst, evaluable, f"Any {plan.term_set} adverse event"),
    )
