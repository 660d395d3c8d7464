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
from services.safety_rules.domain.facts.current_facts import select_standing_facts
from services.safety_rules.domain.facts.ownership import Ownership
from services.safety_rules.domain.participant.linked_participants import link_participants
from services.store import journal, participants, records
from services.store.session import Connection
from services.vocabulary.endpoint import AdverseEvents, EndpointClock, EndpointReport
from services.vocabulary.fact import ChronicGvhd, Fact, GvhdStage
from services.vocabulary.protocol import EndpointPlan
from services.vocabulary.protocol_event import EventPattern

IDS = tuple(endpoint.id for endpoint in ENDPOINTS)
CLOCKS: tuple[EndpointClock, ...] = ("transplant", "first_infusion")
_KINDS = (
    "enrolment", "transplant", "administration", "relapse", "death", "withdrawal", "gvhd-stage",
    "chronic-gvhd",
)  # fmt: skip


class NoEndpointsError(LookupError):
    """The protocol does not say what the trial's endpoints are read at."""


def report(conn: Connection, rules: Rules, as_of: datetime | None = None) -> EndpointReport | None:
    """Return every endpoint from what was known at *as_of* (None: from all that is known).

    None when nothing was known of anybody by then.

    Raises:
        NoEndpointsError: The protocol has no plan of endpoints.
    """
    protocol = rules.protocol
    plan = protocol.endpoints
    if plan is None:
        raise NoEndpointsError(f"the protocol of {protocol.study} names no endpoints")
    known = participants.load_participants(conn, protocol.study)
    received = [p.last_received_at for p in known.values() if p.last_received_at is not None]
    cut_at = as_of or max(received, default=None)
    subjects = sorted(known.keys() - {protocol.study})
    if cut_at is None or not subjects:
        return None
    everybody = _follow_ups(conn, rules, subjects, cut_at)
    if not everybody:
        return None
    treated = [of for of in everybody if of.anchors.first_infusion_at is not None]
    return EndpointReport(
        study=protocol.study,
        as_of=cut_at,
        data_to=max((of.ends_at for of in treated), default=None),
        protocol=protocol.label,
        enrolled=sum(of.anchors.enrolled_at is not None for of in everybody),
        treated=len(treated),
        curves=tuple(
            estimate_curve(endpoint, treated, clock, plan.landmarks)
            for clock in CLOCKS
            for endpoint in ENDPOINTS
        ),
        adverse_events=_adverse_events(conn, rules, plan, treated, cut_at),
    )


def _follow_ups(
    conn: Connection, rules: Rules, subjects: Sequence[str], cut_at: datetime
) -> list[FollowUp]:
    """Return the follow-up of everybody of whom something was known, merged ones as one."""
    wanted = set(subjects)
    joining = [
        known.fact
        for known in journal.load_joining_facts(conn)
        if known.received_at <= cut_at and known.fact.subject in wanted
    ]
    of_kind = [
        known.fact
        for kind in _KINDS
        for known in journal.load_facts_of_kind(conn, kind)
        if known.fact.subject in wanted and known.received_at <= cut_at
    ]
    ownership = _ownership(subjects, [*joining, *of_kind])
    facts: dict[str, list[Fact]] = {}
    for fact in of_kind:
        facts.setdefault(ownership[fact.subject].find_owner(fact), []).append(fact)
    until: dict[str, datetime] = {}
    for subject, at in journal.find_last_observations(conn, cut_at, rules.protocol.study).items():
        if subject in wanted:
            who = ownership[subject].survivor_of[subject]
            until[who] = max(at, until.get(who, at))
    return [
        _follow_up(who, rules, facts[who], until.get(who, cut_at), cut_at) for who in sorted(facts)
    ]


def _ownership(subjects: Sequence[str], facts: Sequence[Fact]) -> Mapping[str, Ownership]:
    """Return for each subject whose its facts are."""
    found: dict[str, Ownership] = {}
    for group in link_participants(subjects, facts):
        ownership = Ownership(group)
        found |= dict.fromkeys(group, ownership)
    for subject, its in _by_subject(facts).items():
        found[subject].add_facts(its)
    return found


def _by_subject(facts: Iterable[Fact]) -> Mapping[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.subject, []).append(fact)
    return found


def _follow_up(
    who: str, rules: Rules, facts: Sequence[Fact], seen: datetime, cut_at: datetime
) -> FollowUp:
    stands = [fact for fact in select_standing_facts(facts) if fact.observed_at <= cut_at]
    found = find_anchors(stands, rules.protocol)
    ends = [seen, cut_at, *([found.withdrawn_at] if found.withdrawn_at else [])]
    return FollowUp(
        who,
        found,
        min(ends),
        tuple((f.observed_at, f.body) for f in stands if isinstance(f.body, GvhdStage)),
        tuple((f.observed_at, f.body.severity) for f in stands if isinstance(f.body, ChronicGvhd)),
    )


@dataclass(frozen=True, slots=True)
class _InWindow:
    """Who can be counted, and where the window of each lies."""

    windows: Mapping[str, Sequence[WindowPeriod]]
    followed: int


def _in_window(rules: Rules, plan: EndpointPlan, treated: Sequence[FollowUp]) -> _InWindow:
    window = rules.protocol.windows[plan.window]
    windows: dict[str, Sequence[WindowPeriod]] = {}
    followed = 0
    for of in treated:
        first, found = of.anchors.first_infusion_at, find_window_periods(window, of.anchors)
        ends_at = max((stretch.end for stretch in found), default=None)
        if first is not None and ends_at is not None and first < ends_at:
            windows[of.participant] = found
            died_at = of.anchors.died_at
            followed += of.ends_at >= ends_at or (died_at is not None and died_at <= of.ends_at)
    return _InWindow(windows, followed)


def _adverse_events(
    conn: Connection,
    rules: Rules,
    plan: EndpointPlan,
    treated: Sequence[FollowUp],
    cut_at: datetime,
) -> AdverseEvents:
    counted = _in_window(rules, plan, treated)
    pattern = EventPattern(term_set=plan.term_set)
    contents = [
        one.content
        for one in records.load_latest_episodes(conn, as_of=cut_at)
        if not one.retracted and one.content.participant in counted.windows
    ]
    worst = find_worst_grades(
        contents, counted.windows, lambda c: rules.matches_pattern(c, pattern)
    )
    evaluable = len(counted.windows)
    return AdverseEvents(
        term_set=plan.term_set,
        window=plan.window,
        evaluable=evaluable,
        followed=counted.followed,
        outside=len(treated) - evaluable,
        rows=tabulate_terms(worst, evaluable, f"Any {plan.term_set} adverse event"),
    )
