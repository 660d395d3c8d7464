"""Endpoints of the trial at a data cut, complete enough to print and to draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.vocabulary.engraftment import Engraftment

EndpointClock = Literal["transplant", "first_infusion"]
EndpointKind = Literal["survival", "incidence"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A probability with its two-sided 95 % interval.

    The ends are None where the interval does not exist: before the first event, and where the
    estimate is 0 or 1.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The curve on *day*: numbers at risk and of events, and the estimate from then on."""

    day: int
    at_risk: int
    events: int
    competing: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Landmark:
    """The curve on *day*, with all events by then; None: follow-up does not reach it."""

    day: int
    at_risk: int
    events: int
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class NotAtRisk:
    """A treated participant that the curve leaves out, because of *why* on *day*."""

    participant: str
    why: str
    day: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointCurve:
    """One endpoint on one clock.

    Args:
        id: E.g. ``nrm``.
        title: As printed.
        kind: Survival falls from 1, incidence rises from 0.
        clock: The event of day 0.
        participants: Number at risk on any day.
        events: Of the endpoint.
        competing: Number of participants by their first competing event.
        points: One for each day with an event of any kind, in order.
        others: Cumulative incidence of each competing event, (day, probability) in order.
        landmarks: In order.
        not_at_risk: Treated participants who are left out: prevalent cases and unknown clocks.
        possible: At risk and without a certain event, but an assessment leaves it open.
        never_assessed: At risk and without the event, but never assessed for it after entry.
        few_at_risk: Days with an event while fewer than five were at risk, with that number.
        spans: First and last day at risk of each participant, sorted, without pseudonyms.
    """

    id: str
    title: str
    kind: EndpointKind
    clock: EndpointClock
    participants: int
    events: int
    competing: Mapping[str, int]
    points: tuple[CurvePoint, ...]
    others: Mapping[str, tuple[tuple[int, float], ...]]
    landmarks: tuple[Landmark, ...]
    not_at_risk: tuple[NotAtRisk, ...]
    possible: tuple[str, ...]
    never_assessed: tuple[str, ...]
    few_at_risk: tuple[tuple[int, int], ...]
    spans: tuple[tuple[int, int], ...]

    def at_risk(self, day: int) -> int:
        """Return the number at risk on *day*."""
        return sum(entry <= day <= last for entry, last in self.spans)


@dataclass(frozen=True, slots=True)
class Proportion:
    """The proportion *count* / *of* with its exact two-sided 95 % interval; None when *of* is 0."""

    count: int
    of: int
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class TermRow:
    """The number of participants with *term*, by the worst grade that is certain.

    *by_grade* is of grades 1 to 5; each participant stands under one of them. *severe* is of grade
    3 or worse; *severe_at_most* counts it at the upper ends of incomplete grades.
    """

    term: str
    by_grade: tuple[int, int, int, int, int]
    any_grade: Proportion
    severe: Proportion
    severe_at_most: int


@dataclass(frozen=True, slots=True)
class AdverseEvents:
    """Adverse events of treated participants in a window, by term and worst grade.

    Args:
        term_set: Name of the set of terms.
        window: An event begins in it, and its grade counts to the end of it.
        evaluable: Treated inside the window.
        followed: Those of them observed to the end of the window, or dead before.
        outside: Treated, first after the window.
        rows: All terms together, then each, the most frequent first.
    """

    term_set: str
    window: str
    evaluable: int
    followed: int
    outside: int
    rows: tuple[TermRow, ...]


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """All endpoints of a study.

    *as_of* is the knowledge cut, *data_to* the last instant at which a treated participant was
    observed; *protocol* is the label with version and signature; *engraftment* is of everybody with
    a graft, treated or not, by name.
    """

    study: str
    as_of: datetime
    data_to: datetime | None
    protocol: str
    enrolled: int
    treated: int
    curves: tuple[EndpointCurve, ...]
    adverse_events: AdverseEvents
    engraftment: tuple[Engraftment, ...] = ()
