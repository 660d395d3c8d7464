"""Decisions of stopping rules at a knowledge cut, complete enough to draw and to mail."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.vocabulary.protocol import BoundaryStep, PersonTimeBoundary, spell_time


class Signal(StrEnum):
    """The three answers of a rule."""

    CONTINUE = "continue"
    BOUNDARY_LIKELY = "boundary likely"
    BOUNDARY_REACHED = "boundary reached: review required"


@dataclass(frozen=True, slots=True)
class PathPoint:
    """The count on the clinical date *at*: *events* at effective size *ess*, against *boundary*."""

    at: datetime
    ess: float
    events: int
    boundary: int
    crossed: bool


@dataclass(frozen=True, slots=True)
class Contributor:
    """An event that counts in the operative number, as the DSMB may see it."""

    participant: str
    grade: int
    confirmed: bool
    transplant_day: int | None
    treatment_day: int | None


_MISSING_ANCHORS: Mapping[str, str] = {
    "transplant": "the date of transplant is not known",
    "enrolment": "the date of enrolment is not known",
    "first_infusion": "the first infusion is not known",
    "each_course": "no course is known",
}


def describe_missing_anchor(anchor: str) -> str:
    """Return words for an anchor that is not known.

    >>> describe_missing_anchor("transplant")
    'the date of transplant is not known'
    """
    return _MISSING_ANCHORS[anchor]


@dataclass(frozen=True, slots=True)
class Uncountable:
    """A treated participant who cannot be counted for want of *missing_anchor*.

    *may_have_event*: the participant has an event that may lie in the window.
    """

    participant: str
    missing_anchor: str
    may_have_event: bool

    def __str__(self) -> str:
        """Return the participant and the reason in a sentence, without a full stop."""
        event = "; may have an event" if self.may_have_event else ""
        reason = describe_missing_anchor(self.missing_anchor)
        return f"{self.participant} cannot be counted, because {reason}{event}"


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same facts under another counting policy or onset curve."""

    counting: str
    ess: float
    events: int
    boundary: int
    crossed: bool


@dataclass(frozen=True, slots=True)
class Reversal:
    """The later knowledge by which a boundary is no longer reached.

    Args:
        events: Operative count.
        ess: Effective sample size.
        gone: Participants whose event no longer counts, in the order of the events.
    """

    events: int
    ess: float
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of one rule at one cut; probabilities are one-sided, in [0, 1].

    Args:
        study: Id.
        rule: Id.
        title: Of the rule.
        in_words: The event and period that it counts; empty when the protocol gives none.
        signal: Its answer.
        data_to: The last instant at which any counted participant was observed; None: no data.
        as_of: The knowledge cut.
        events: Operative count y.
        confirmed: Events that a clinician confirmed.
        upper: Events when incomplete grades are taken at their upper ends.
        evaluable: Participants exposed, within the plan.
        not_exposed: Enrolled but not counted.
        beyond_plan: Exposed after the first n; listed, outside the rule.
        complete: m, events and competing included.
        pending: q.
        ess: Effective sample size.
        boundary: b(ceil(ess)); above the sample size when it cannot be reached yet.
        events_left: Events to the boundary at this size, 0 when reached.
        events_left_from_new: The same when each comes from a new participant, who adds to the
            size; 0 when reached, None: no number of them reaches it, or not recorded.
        free_until_rise: Event-free participants until the boundary next rises; None: never.
        crossed_since: First event date on the path at which it was reached; None.
        certain: No event-free completion can undo it.
        possible: Some completion of those pending crosses.
        p_cross_p0: P(cross once all pending are complete) at p0.
        p_cross_posterior: The same at the posterior mean.
        predictive: Predictive probability of ever crossing by n.
        conditional_p0: Probability of ever crossing by n when the event rate is p0; None: not
            recorded.
        posterior: Mean, lower and upper 95 % of the event rate.
        confirmed_crossed: The decision when only confirmed events count.
        upper_crossed: The decision at upper grades.
        path: In clinical time.
        pending_weights: Weight w of each pending participant, in entry order.
        sensitivity: Under the other policies.
        contributors: The events, by date.
        steps: The signed boundary.
        looks: Sizes at which it is compared; empty: every one.
        n: Planned maximum.
        recommend: The rule's ``then``.
        tell: Roles.
        acknowledge_within_s: Seconds.
        protocol: Label with version and signature.
        watch_only: Never alerts the DSMB.
        determination: The DSMB's last answer, or empty.
        silenced_at_events: After *continue*: the count up to which it stays silent; None.
        cut: Knowledge cut ``{participant: folded_through}``.
        uncountable: Treated participants outside all counts but *upper*, by pseudonym.
        prior: Beta prior behind *predictive*, *posterior* and *p_cross_posterior*, of a rule of
            person-time the gamma prior of its hazard ratio, in expected events; None: not recorded.
        method: Family of the rule, as its protocol names it; empty: not recorded.
        p0: Its acceptable event rate; None: not recorded.
        alpha: Its nominal one-sided type I error; None: not recorded.
        undone: The reversal of a boundary that was reached; None without one.
        person_time: The signed boundary of a rule of person-time, whose *ess* and weights are in
            its unit, and whose *steps* and *looks* are empty; None: the rule counts participants.
    """

    study: str
    rule: str
    title: str
    signal: Signal
    data_to: datetime | None
    as_of: datetime
    events: int
    confirmed: int
    upper: int
    evaluable: int
    not_exposed: int
    beyond_plan: int
    complete: int
    pending: int
    ess: float
    boundary: int
    events_left: int
    free_until_rise: int | None
    crossed_since: datetime | None
    certain: bool
    possible: bool
    p_cross_p0: float
    p_cross_posterior: float
    predictive: float
    posterior: tuple[float, float, float]
    confirmed_crossed: bool
    upper_crossed: bool
    path: tuple[PathPoint, ...]
    pending_weights: tuple[float, ...]
    sensitivity: tuple[Sensitivity, ...]
    contributors: tuple[Contributor, ...]
    steps: tuple[BoundaryStep, ...]
    n: int
    recommend: str
    tell: tuple[str, ...]
    acknowledge_within_s: int
    protocol: str
    watch_only: bool = False
    determination: str = ""
    silenced_at_events: int | None = None
    cut: Mapping[str, int] | None = None
    in_words: str = ""
    conditional_p0: float | None = None
    looks: tuple[int, ...] = ()
    undone: Reversal | None = None
    uncountable: tuple[Uncountable, ...] = ()
    person_time: PersonTimeBoundary | None = None
    events_left_from_new: int | None = None
    prior: tuple[float, float] | None = None
    method: str = ""
    p0: float | None = None
    alpha: float | None = None

    @property
    def can_stop(self) -> bool:
        """True if some number of events stops at this size, or at the next look."""
        if self.person_time is not None:
            return self.boundary <= self.n
        size = math.ceil(self.ess - 1e-9)  # sums of weights that are whole but for rounding
        next_size = next((x for x in self.looks if x >= size), None) if self.looks else size
        return next_size is not None and self.boundary <= next_size

    @property
    def first_crossing(self) -> PathPoint | None:
        """The first point of the path that reached the boundary; None: none did."""
        return next((point for point in self.path if point.crossed), None)


def describe_prior(decision: Decision) -> str:
    """Return the prior of the event rate, or of the hazard ratio; empty: it is not recorded."""
    if decision.prior is None:
        return ""
    family = "Gamma" if decision.person_time else "Beta"
    return f"{family}({', '.join(f'{number:g}' for number in decision.prior)})"


def describe_rule_design(decision: Decision) -> str:
    """Return family, errors, plan and looks of the rule; empty: they are not recorded."""
    if not decision.method or decision.p0 is None or decision.alpha is None:
        return ""
    compared_sizes = decision.person_time.looks if decision.person_time else decision.looks
    when = (
        f"compared at {', '.join(f'{size:g}' for size in compared_sizes)}"
        if compared_sizes
        else "compared at each event"
    )
    return (
        f"{decision.method}, p0 {decision.p0:g}, alpha {decision.alpha:g}, planned"
        f" {describe_plan_end(decision)}, {when}"
    )


def describe_size(decision: Decision, size: float) -> str:
    """Return a size as people read it: ``an effective 12.3``, or a person-time."""
    boundary = decision.person_time
    return spell_time(boundary.unit, size) if boundary else f"an effective {size:.1f}"


def describe_plan_end(decision: Decision) -> str:
    """Return the end of the rule's plan: its participants, or its person-time."""
    boundary = decision.person_time
    return spell_time(boundary.unit, boundary.planned) if boundary else f"{decision.n}"
