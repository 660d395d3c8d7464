"""One criterion that is graded from numbers, followed through one participant's readings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.circumstances import Circumstances
from services.safety_rules.domain.compiled import CompiledCriterion
from services.safety_rules.domain.criteria import Comparison
from services.safety_rules.domain.exact import meets
from services.safety_rules.domain.findings import (
    NOTHING_SEEN,
    SeenAt,
    nothing_seen,
    unseen,
)
from services.safety_rules.domain.grading import Baseline, Reading, grade
from services.safety_rules.domain.runs import Run
from services.safety_rules.domain.segments import Graded, Segments, exposed, extended
from services.vocabulary.episode import Span
from services.vocabulary.fact import Assessment, Fact, Observation, Status
from services.vocabulary.grade import Grade, Input, Outcome
from services.vocabulary.grade import Graded as Exact
from services.vocabulary.quantity import Quantity

# What a clinician sees and a number does not show.
# Source: docs/decisions/grading.md, "Symptoms"
SEEN = frozenset(
    {
        *(Input.SYMPTOMS, Input.SEVERITY, Input.INTERVENTION, Input.INFARCTION),
        *(Input.AT_REST, Input.FASTING, Input.ANTICOAGULATION),
    }
)
FINAL = frozenset(
    {Status.FINAL, Status.PROMOTED, Status.CORRECTED, Status.AMENDED, Status.APPENDED}
)

Nearest = Callable[[str, datetime], Quantity | None]
Lasting = Mapping[Comparison, timedelta]
About = Callable[[str, datetime, datetime | None], Circumstances]


@dataclass(frozen=True, slots=True)
class Course:
    """The runs of one criterion so far, and since when what has to last has held without a break.

    *held_since* is for criteria that ask how long (fever above 40 degrees).
    """

    segments: Segments = field(default_factory=Segments)
    held_since: Mapping[Comparison, datetime] = field(default_factory=dict)


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
        nearest: What was measured beside: the albumin of a calcium, the count of a fever.
        about: What was so of the participant when something was measured.
        seen: What clinicians saw about a criterion then.
    """

    criterion: CompiledCriterion | None
    baseline_at: datetime | None
    baseline: Baseline
    baseline_grade: Grade
    before: Baseline
    merge_gap: timedelta
    nearest: Nearest
    about: About
    seen: SeenAt = nothing_seen

    def step(
        self, course: Course, at: datetime, facts: Sequence[Fact]
    ) -> tuple[Course, Run | None]:
        """Return the course after all readings of one instant, and the run that they end."""
        segments, cut = course.segments, None
        if segments.before_exposure and self.baseline_at is not None and at >= self.baseline_at:
            segments, cut = exposed(segments, self.baseline_at, self.baseline_grade)
        held_since = self._held(course, at, facts)
        sustained = {compared: at - since for compared, since in held_since.items()}
        baseline = self.before if segments.before_exposure else self.baseline
        outcomes = [self._outcome(fact, baseline, sustained) for fact in facts]
        reading = _together(at, facts, outcomes)
        segments, over = extended(segments, reading, self.merge_gap)
        return Course(segments, held_since), cut or over

    def unended(self, course: Course) -> Run | None:
        """Return the last run, cut at the baseline anchor even when nothing was read after it."""
        segments = course.segments
        if segments.before_exposure and self.baseline_at is not None:
            return exposed(segments, self.baseline_at, self.baseline_grade)[1]
        return segments.open

    def _outcome(self, fact: Fact, baseline: Baseline, sustained: Lasting) -> Outcome:
        body = fact.body
        if isinstance(body, Assessment):
            return Exact(Grade(body.grade), f"assessed by {body.by}")
        if self.criterion is None or not isinstance(body, Observation):
            raise TypeError(f"{fact.id} is no reading of a criterion")
        reading = self.reading(fact, sustained)
        outcome = grade(self.criterion, reading, baseline)
        seen = self.seen(self.criterion.id, fact.observed_at)
        if seen is NOTHING_SEEN:
            return outcome
        return seen.told(outcome, grade(self.criterion, unseen(reading), baseline))

    def reading(self, fact: Fact, sustained: Lasting | None = None) -> Reading:
        """Return *fact* as the criterion reads it."""
        body = fact.body
        if not isinstance(body, Observation):
            raise TypeError(f"{fact.id} is no observation")
        wants_albumin = body.measure == "calcium"
        about = self.about(body.measure, fact.observed_at, self.baseline_at)
        seen = self.seen(self.criterion.id, fact.observed_at) if self.criterion else NOTHING_SEEN
        return Reading(
            measure=body.measure,
            value=body.value,
            lln=body.lln,
            uln=body.uln,
            albumin=self.nearest("albumin", fact.observed_at) if wants_albumin else None,
            symptoms=seen.symptoms,
            infarction=seen.infarction,
            fasting=body.fasting,
            at_rest=body.at_rest,
            treatment=about.treatment,
            replaced=about.replaced,
            anticoagulated=about.anticoagulated,
            sustained=sustained,
            beside=self._beside(body.measure, fact.observed_at),
        )

    def _beside(self, measure: str, at: datetime) -> Mapping[str, Quantity]:
        wanted = () if self.criterion is None else self.criterion.measured[measure].beside
        return {other: found for other in wanted if (found := self.nearest(other, at))}

    def _held(
        self, course: Course, at: datetime, facts: Sequence[Fact]
    ) -> Mapping[Comparison, datetime]:
        """Return since when each comparison that has to last has held, by the worst of *facts*.

        Source: docs/decisions/grading.md, "how long a value has lasted"
        """
        held = dict(course.held_since)
        for measure, measured in self.criterion.measured.items() if self.criterion else ():
            for compared in measured.lasting:
                met = [
                    meets(fact.body.value, compared)
                    for fact in facts
                    if isinstance(fact.body, Observation)
                    and fact.body.measure == measure
                    and fact.body.value is not None
                ]
                if True in met:
                    held.setdefault(compared, at)
                elif False in met:
                    held.pop(compared, None)
        return held


def _together(at: datetime, facts: Sequence[Fact], outcomes: Sequence[Outcome]) -> Graded:
    """Return all readings of one instant as one: the worst at each end."""
    outcomes = _seen(facts, outcomes)
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


def _seen(facts: Sequence[Fact], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return *outcomes*; where only what a clinician sees is missing, the one who graded says it.

    Source: docs/decisions/grading.md, "Symptoms"
    """
    assessed = [o for f, o in zip(facts, outcomes, strict=True) if isinstance(f.body, Assessment)]
    if not assessed:
        return outcomes
    worst = max(assessed, key=lambda outcome: outcome.at_least)
    return [
        worst
        if one.missing and one.missing <= SEEN and one.at_least <= worst.at_least <= one.at_most
        else one
        for one in outcomes
    ]
