"""The curve of one endpoint on one clock, from the follow-up of everybody treated."""

from collections import Counter
from collections.abc import Iterable, Sequence

from services.safety_rules.domain.endpoints.definitions import (
    Endpoint,
    find_spell,
    is_event_assessed,
    may_have_event,
)
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.endpoints.incidence import aalen_johansen
from services.safety_rules.domain.endpoints.risk_sets import (
    RiskSet,
    Spell,
    count_at_risk,
    find_risk_sets,
)
from services.safety_rules.domain.endpoints.survival import kaplan_meier
from services.vocabulary.endpoint import (
    CurvePoint,
    EndpointClock,
    EndpointCurve,
    Estimate,
    Landmark,
    NotAtRisk,
)

FEW_AT_RISK = 5  # with fewer at risk one event moves the curve too far to be read alone


def estimate_curve(
    endpoint: Endpoint,
    participants: Sequence[FollowUp],
    clock: EndpointClock,
    landmarks: Sequence[int],
) -> EndpointCurve:
    """Return the curve, read at *landmarks*.

    Args:
        endpoint: One of `definitions.ENDPOINTS`.
        participants: Everybody with a first infusion, in any order.
        clock: With ``transplant`` entry is delayed to the day of the first infusion.
        landmarks: Days of the clock.

    Raises:
        ValueError: Somebody was never treated.
    """
    outcomes = [(of, find_spell(endpoint, of, clock)) for of in participants]
    followed_participants = [(of, one) for of, one in outcomes if isinstance(one, Spell)]
    spells = [one for _, one in followed_participants]
    sets = find_risk_sets(spells)
    points = tuple(_estimate_points(endpoint, sets))
    causes = Counter(one.cause for one in spells)
    left_out = [one for _, one in outcomes if isinstance(one, NotAtRisk)]
    return EndpointCurve(
        id=endpoint.id,
        title=endpoint.title,
        kind=endpoint.kind,
        clock=clock,
        participants=len(spells),
        events=causes[endpoint.id],
        competing={name: causes[name] for name in endpoint.competing},
        points=points,
        others={
            name: tuple((p.day, p.estimate.value) for p in aalen_johansen(sets, name))
            for name in endpoint.competing
        },
        landmarks=tuple(_read_landmark(endpoint, points, spells, day) for day in landmarks),
        not_at_risk=tuple(sorted(left_out, key=lambda one: one.participant)),
        possible=_list_names(
            of for of, one in followed_participants if may_have_event(endpoint, of, one)
        ),
        never_assessed=_list_names(
            of for of, one in followed_participants if not is_event_assessed(endpoint, of, one)
        ),
        few_at_risk=tuple(
            (p.day, p.at_risk) for p in points if p.events and p.at_risk < FEW_AT_RISK
        ),
        spans=tuple(sorted((one.entry, one.last) for one in spells)),
    )


def _list_names(follow_ups: Iterable[FollowUp]) -> tuple[str, ...]:
    return tuple(sorted(one.participant for one in follow_ups))


def _estimate_points(endpoint: Endpoint, sets: Sequence[RiskSet]) -> Sequence[CurvePoint]:
    if endpoint.kind == "survival":
        return list(kaplan_meier(sets))
    return list(aalen_johansen(sets, endpoint.id))


def _read_landmark(
    endpoint: Endpoint, points: Sequence[CurvePoint], spells: Sequence[Spell], day: int
) -> Landmark:
    """Return the landmark of *day*; its estimate is None when no follow-up reaches that day."""
    points_by_day = [point for point in points if point.day <= day]
    events = sum(point.events for point in points_by_day)
    begins = min((one.entry for one in spells), default=day + 1)
    ends = max((one.last for one in spells), default=day)
    is_final = bool(points_by_day) and all(one.cause for one in spells if one.last == ends)
    estimate = None
    if begins <= day and (day <= ends or is_final):
        at_start = Estimate(1.0 if endpoint.kind == "survival" else 0.0)
        estimate = points_by_day[-1].estimate if points_by_day else at_start
    return Landmark(day, count_at_risk(spells, day), events, estimate)
