"""Endpoints by group: the curves of each, and whether they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.endpoints.curves import estimate_curve
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS, Endpoint, find_spell
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.endpoints.gray_test import GrayTest, compare_incidence
from services.safety_rules.domain.endpoints.risk_sets import Spell
from services.safety_rules.reports.endpoints import load_cohort, require_plan
from services.store.session import Connection
from services.vocabulary.endpoint import EndpointClock, EndpointCurve

_CLOCK: EndpointClock = "first_infusion"  # Gray's test has no delayed entry


class UnknownParticipantError(LookupError):
    """A group has somebody who was never treated, or is not known; names them."""


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """One endpoint: its curve in each group, and Gray's test; None: nothing to compare."""

    id: str
    title: str
    curves: Mapping[str, EndpointCurve]
    test: GrayTest | None


@dataclass(frozen=True, slots=True)
class GroupReport:
    """Every endpoint by group, the clock from the first infusion.

    *as_of* is the knowledge cut; *left_out* are treated participants without a group.
    """

    study: str
    as_of: datetime
    protocol: str
    groups: Mapping[str, int]
    left_out: tuple[str, ...]
    comparisons: tuple[GroupComparison, ...]


def report_groups(
    conn: Connection,
    rules: Rules,
    group_of: Mapping[str, str],
    as_of: datetime | None = None,
) -> GroupReport | None:
    """Return every endpoint by group from what was known at *as_of* (None: from all).

    None when nothing was known of anybody by then.

    Args:
        conn: To the study's data.
        rules: Of the study.
        group_of: The group of each participant, by pseudonym.
        as_of: The knowledge cut.

    Raises:
        NoEndpointsError: The protocol has no plan of endpoints.
        UnknownParticipantError: Somebody in *group_of* was not treated by then, or is not known.
    """
    landmarks = require_plan(rules).landmarks
    cohort = load_cohort(conn, rules, as_of)
    if cohort is None:
        return None
    treated = {follow_up.participant: follow_up for follow_up in cohort.treated}
    if missing := sorted(group_of.keys() - treated.keys()):
        raise UnknownParticipantError(", ".join(missing))
    members: dict[str, list[FollowUp]] = {group: [] for group in sorted(set(group_of.values()))}
    for participant, group in sorted(group_of.items()):
        members[group].append(treated[participant])
    return GroupReport(
        study=rules.protocol.study,
        as_of=cohort.as_of,
        protocol=rules.protocol.label,
        groups={group: len(follow_ups) for group, follow_ups in members.items()},
        left_out=tuple(sorted(treated.keys() - group_of.keys())),
        comparisons=tuple(_compare_groups(endpoint, members, landmarks) for endpoint in ENDPOINTS),
    )


def _compare_groups(
    endpoint: Endpoint, members: Mapping[str, Sequence[FollowUp]], landmarks: Sequence[int]
) -> GroupComparison:
    spells = {
        group: [
            spell
            for follow_up in follow_ups
            if isinstance(spell := find_spell(endpoint, follow_up, _CLOCK), Spell)
        ]
        for group, follow_ups in members.items()
    }
    curves = {
        group: estimate_curve(endpoint, follow_ups, _CLOCK, landmarks)
        for group, follow_ups in members.items()
    }
    return GroupComparison(
        endpoint.id, endpoint.title, curves, compare_incidence(spells, endpoint.id)
    )
