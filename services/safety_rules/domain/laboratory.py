"""One criterion that is graded from numbers, followed through one participant's readings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.compiled import CompiledCriterion
from services.safety_rules.domain.grading import Baseline, Reading, Treatment, grade
from services.safety_rules.domain.segments import Graded, Segments, exposed, extended
from services.safety_rules.domain.units import rescaled
from services.vocabulary.episode import Span
from services.vocabulary.fact import Assessment, Fact, Observation, Status
from services.vocabulary.grade import Grade, Outcome
from services.vocabulary.grade import Graded as Exact
from services.vocabulary.quantity import Quantity

GLUCOSE = ("glucose", "glucose-fasting")
FINAL = frozenset(
    {Status.FINAL, Status.PROMOTED, Status.CORRECTED, Status.AMENDED, Status.APPENDED}
)

AlbuminAt = Callable[[datetime], Quantity | None]
InsulinStarted = Callable[[datetime, datetime | None], bool]


@dataclass(frozen=True, slots=True)
class Course:
    """The runs of one criterion so far, and since when its value has been beyond the lasting limit.

    *beyond_since* is for criteria that ask how long (fever above 40 degrees).
    """

    segments: Segments = field(default_factory=Segments)
    beyond_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Following:
    """How one criterion is followed in one participant.

    Args:
        criterion: Compiled; None for a term that only a clinician can grade.
        baseline_at: The baseline anchor; None before any exposure.
        baseline: What the criterion knows about the value before it.
        baseline_grade: The grade of that value.
        before: What stands for the baseline up to the anchor.
        merge_gap: Longest silence inside one run.
        albumin_at: The albumin that corrects a calcium of that instant.
        insulin_started: Whether insulin, not used before exposure, was given about an instant.
    """

    criterion: CompiledCriterion | None
    baseline_at: datetime | None
    baseline: Baseline
    baseline_grade: Grade
    before: Baseline
    merge_gap: timedelta
    albumin_at: AlbuminAt
    insulin_started: InsulinStarted

    def step(self, course: Course, at: datetime, facts: Sequence[Fact]) -> Course:
        """Return the course after all readings of one instant."""
        segments = course.segments
        if segments.before_exposure and self.baseline_at is not None and at >= self.baseline_at:
            segments = exposed(segments, self.baseline_at, self.baseline_grade)
        beyond_since = self._beyond(course, at, facts)
        sustained = None if beyond_since is None else at - beyond_since
        baseline = self.before if segments.before_exposure else self.baseline
        outcomes = [self._outcome(fact, baseline, sustained) for fact in facts]
        reading = _together(at, facts, outcomes)
        return Course(extended(segments, reading, self.merge_gap), beyond_since)

    def finished(self, course: Course) -> Segments:
        """Return the runs, cut at the baseline anchor even when nothing was read after it."""
        segments = course.segments
        if segments.before_exposure and self.baseline_at is not None:
            return exposed(segments, self.baseline_at, self.baseline_grade)
        return segments

    def _outcome(self, fact: Fact, baseline: Baseline, sustained: timedelta | None) -> Outcome:
        body = fact.body
        if isinstance(body, Assessment):
            return Exact(Grade(body.grade), f"assessed by {body.by}")
        if self.criterion is None or not isinstance(body, Observation):
            raise TypeError(f"{fact.id} is no reading of a criterion")
        return grade(self.criterion, self.reading(fact, sustained), baseline)

    def reading(self, fact: Fact, sustained: timedelta | None = None) -> Reading:
        """Return *fact* as the criterion reads it."""
        body = fact.body
        if not isinstance(body, Observation):
            raise TypeError(f"{fact.id} is no observation")
        wants_albumin = body.measure == "calcium"
        on_insulin = body.measure in GLUCOSE and self.insulin_started(
            fact.observed_at, self.baseline_at
        )
        return Reading(
            measure=body.measure,
            value=body.value,
            lln=body.lln,
            uln=body.uln,
            albumin=self.albumin_at(fact.observed_at) if wants_albumin else None,
            treatment=Treatment.INSULIN if on_insulin else None,
            sustained=sustained,
        )

    def _beyond(self, course: Course, at: datetime, facts: Sequence[Fact]) -> datetime | None:
        limit = self.criterion.sustained_above if self.criterion is not None else None
        if limit is None:
            return None
        values = [f.body.value for f in facts if isinstance(f.body, Observation) and f.body.value]
        comparable = [v for value in values if (v := rescaled(value, limit.unit)) is not None]
        if not comparable:
            return course.beyond_since
        if max(v.value for v in comparable) <= limit.value:
            return None
        return course.beyond_since or at


def _together(at: datetime, facts: Sequence[Fact], outcomes: Sequence[Outcome]) -> Graded:
    """Return all readings of one instant as one: the worst at each end."""
    lead = max(range(len(facts)), key=lambda i: (outcomes[i].at_least, outcomes[i].at_most))
    first = outcomes[lead]
    at_most = max(outcome.at_most for outcome in outcomes)
    missing = sorted({name for outcome in outcomes for name in outcome.missing})
    return Graded(
        at,
        Span(first.at_least, at_most),
        first.because,
        tuple(missing),
        tuple(fact.id for fact in facts),
        provisional=any(fact.status not in FINAL for fact in facts),
    )
