"""The endpoints of the trial as known at a data cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.endpoints.adverse_events import find_worst_grades, tabulate_terms
from services.safety_rules.domain.endpoints.curves import estimate_curve
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS
from services.safety_rules.domain.endpoints.engraftment import find_engraftment
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.facts.anchors import (
    WindowPeriod,
    find_window_periods,
)
from services.safety_rules.reports.follow_ups import StudyFacts, load_study_facts, make_follow_ups
from services.store import participants, records
from services.store.session import Connection
from services.vocabulary.endpoint import AdverseEvents, EndpointClock, EndpointReport
from services.vocabulary.engraftment import Engraftment
from services.vocabulary.protocol import EndpointPlan
from services.vocabulary.protocol_event import EventPattern

IDS = tuple(endpoint.id for endpoint in ENDPOINTS)
CLOCKS: tuple[EndpointClock, ...] = ("transplant", "first_infusion")


class NoEndpointsError(LookupError):
    """The protocol has no plan of endpoints."""


@dataclass(frozen=True, slots=True)
class KnownCohort:
    """Everybody of whom something was known at the knowledge cut *as_of*.

    *treated* are those of *follow_ups* with a first infusion.
    """

    as_of: datetime
    study_facts: StudyFacts
    follow_ups: Sequence[FollowUp]

    @property
    def treated(self) -> list[FollowUp]:
        """The participants who are in the curves."""
        return [of for of in self.follow_ups if of.anchors.first_infusion_at is not None]


def load_cohort(
    conn: Connection, rules: Rules, as_of: datetime | None = None
) -> KnownCohort | None:
    """Return the cohort as known at *as_of* (None: now); None: nothing was known of anybody."""
    study = rules.protocol.study
    participants_by_id = participants.load_participants(conn, study)
    received = [
        p.last_received_at for p in participants_by_id.values() if p.last_received_at is not None
    ]
    cut_at = as_of or max(received, default=None)
    subjects = sorted(participants_by_id.keys() - {study})
    if cut_at is None or not subjects:
        return None
    study_facts = load_study_facts(conn, subjects, cut_at)
    follow_ups = make_follow_ups(conn, rules, study_facts, cut_at)
    return KnownCohort(cut_at, study_facts, follow_ups) if follow_ups else None


def require_plan(rules: Rules) -> EndpointPlan:
    """Return the plan of endpoints of the protocol.

    Raises:
        NoEndpointsError: It has none.
    """
    plan = rules.protocol.endpoints
    if plan is None:
        raise NoEndpointsError(f"the protocol of {rules.protocol.study} names no endpoints")
    return plan


def report_endpoints(
    conn: Connection, rules: Rules, as_of: datetime | None = None
) -> EndpointReport | None:
    """Return every endpoint from what was known at *as_of* (None: from all that is known).

    None when nothing was known of anybody by then.

    Raises:
        NoEndpointsError: The protocol has no plan of endpoints.
    """
    plan = require_plan(rules)
    cohort = load_cohort(conn, rules, as_of)
    if cohort is None:
        return None
    treated = cohort.treated
    return EndpointReport(
        study=rules.protocol.study,
        as_of=cohort.as_of,
        data_to=max((of.ends_at for of in treated), default=None),
        protocol=rules.protocol.label,
        enrolled=sum(of.anchors.enrolled_at is not None for of in cohort.follow_ups),
        treated=len(treated),
        curves=tuple(
            estimate_curve(endpoint, treated, clock, plan.landmarks)
            for clock in CLOCKS
            for endpoint in ENDPOINTS
        ),
        adverse_events=_tabulate_adverse_events(conn, rules, plan, treated, cohort.as_of),
        engraftment=_list_engraftment(rules, cohort.study_facts, cohort.follow_ups),
    )


def _list_engraftment(
    rules: Rules, study_facts: StudyFacts, follow_ups: Sequence[FollowUp]
) -> tuple[Engraftment, ...]:
    engraftments = (
        find_engraftment(
            follow_up.participant,
            study_facts.by_participant[follow_up.participant],
            follow_up.anchors,
            rules.measures,
        )
        for follow_up in follow_ups
    )
    return tuple(one for one in engraftments if one is not None)


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
