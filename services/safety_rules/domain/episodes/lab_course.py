"""One criterion that is graded from numbers, followed through one participant's readings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.clinician_findings import (
    NOTHING_SEEN,
    Seen,
    SeenAt,
    nothing_seen,
)
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.concomitant_drugs import Circumstances
from services.safety_rules.domain.ctcae.criterion import Comparison
from services.safety_rules.domain.ctcae.exact import meets
from services.safety_rules.domain.ctcae.grading import Baseline, Lasting, Reading, grade
from services.safety_rules.domain.ctcae.prepared_grading import Prepared
from services.safety_rules.domain.ctcae.shared_inputs import Alike, Beside, prepared_for
from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.runs.segments import (
    GradePoint,
    RunState,
    extend_run,
    start_exposure,
)
from services.vocabulary.episode import Span
from services.vocabulary.fact import Assessment, Fact, Observation
from services.vocabulary.grade import ExactGrade as Exact
from services.vocabulary.grade import Grade, GradingOutcome, Input
from services.vocabulary.quantity import Quantity

# What a clinician sees and a number does not show.
# Source: docs/decisions/grading.md, "Symptoms"
CLINICIAN_INPUTS = frozenset(
    {
        *(Input.SYMPTOMS, Input.SEVERITY, Input.INTERVENTION, Input.INFARCTION),
        *(Input.AT_REST, Input.FASTING, Input.ANTICOAGULATION),
    }
)

FindNearest = Callable[[str, datetime], Quantity | None]
HeldSince = Mapping[Comparison, datetime]
_NOTHING: Lasting = {}
FindCircumstances = Callable[[str, datetime, datetime | None], Circumstances]


@dataclass(frozen=True, slots=True)
class LabCourse:
    """The runs of one criterion so far, and since when what has to last has held without a break.

    *held_since* is for criteria that ask how long (fever above 40 degrees).
    """

    segments: RunState = field(default_factory=RunState)
    held_since: HeldSince = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GradingContext:
    """How one criterion is followed in one participant.

    Args:
        criterion: Compiled; None for a term that only a clinician can grade.
        anchor: The baseline anchor; None before any exposure.
        baseline: What the criterion knows about the value before it.
        baseline_grade: The grade of that value.
        baseline_before_anchor: What stands for the baseline up to the anchor.
        merge_gap: Longest silence inside one run.
        find_nearest: What was measured beside: the albumin of a calcium, the count of a fever.
        find_circumstances: What was so of the participant when something was measured.
        find_findings: What clinicians saw about a criterion then.
    """

    criterion: CompiledCriterion | None
    anchor: datetime | None
    baseline: Baseline
    baseline_grade: Grade
    baseline_before_anchor: Baseline
    merge_gap: timedelta
    find_nearest: FindNearest
    find_circumstances: FindCircumstances
    find_findings: SeenAt = nothing_seen
    _last: dict[str, tuple[Alike, Baseline, Prepared]] = field(  # of each measure
        default_factory=dict, init=False, repr=False, compare=False
    )

    def advance(
        self, course: LabCourse, at: datetime, facts: Sequence[Fact]
    ) -> tuple[LabCourse, Run | None]:
        """Return the course after all readings of one instant, and the run that they end."""
        segments, over = course.segments, None
        if segments.before_exposure and self.anchor is not None and at >= self.anchor:
            segments, over = start_exposure(segments, self.anchor, self.baseline_grade)
        held_since = course.held_since
        if self.criterion is not None and self.criterion.asks_how_long:
            held_since = self._held(held_since, at, facts)
        sustained = {c: at - since for c, since in held_since.items()} if held_since else _NOTHING
        baseline = self.baseline_before_anchor if segments.before_exposure else self.baseline
        outcomes = [self._outcome(fact, baseline, sustained) for fact in facts]
        if segments.open_run or max(map(_upper_end, outcomes)) > segments.baseline_grade:
            segments, ended = extend_run(segments, _together(at, facts, outcomes), self.merge_gap)
            over = over or ended
        if segments is course.segments and held_since is course.held_since:
            return course, over
        return LabCourse(segments, held_since), over

    def _outcome(self, fact: Fact, baseline: Baseline, sustained: Lasting) -> GradingOutcome:
        body = fact.body
        if isinstance(body, Assessment):
            return Exact(Grade(body.grade), f"assessed by {body.by}")
        if self.criterion is None or not isinstance(body, Observation):
            raise TypeError(f"{fact.id} is no reading of a criterion")
        seen = self.find_findings(self.criterion.id, fact.observed_at)
        outcome = self._graded(self.criterion, fact, baseline, sustained, seen)
        if seen is NOTHING_SEEN:
            return outcome
        unseen = self._graded(self.criterion, fact, baseline, sustained, NOTHING_SEEN)
        return seen.told(outcome, unseen)

    def _graded(
        self,
        criterion: CompiledCriterion,
        fact: Fact,
        baseline: Baseline,
        sustained: Lasting,
        seen: Seen,
    ) -> GradingOutcome:
        body = _observed(fact)
        beside = self._beside(body.measure, fact.observed_at, seen)
        if sustained:
            return grade(criterion, Alike.of(body, beside).reading(body.value, sustained), baseline)
        last = self._last.get(body.measure)
        if last is None or last[1] is not baseline or not last[0].is_of(body, beside):
            alike = Alike.of(body, beside)
            last = (alike, baseline, prepared_for(criterion, alike, baseline))
            self._last[body.measure] = last
        return last[2].grade(body.value)

    def make_reading(self, fact: Fact, sustained: Lasting | None = None) -> Reading:
        """Return *fact* as the criterion reads it."""
        body = _observed(fact)
        seen = (
            self.find_findings(self.criterion.id, fact.observed_at)
            if self.criterion
            else NOTHING_SEEN
        )
        alike = Alike.of(body, self._beside(body.measure, fact.observed_at, seen))
        return alike.reading(body.value, sustained)

    def _beside(self, measure: str, at: datetime, seen: Seen) -> Beside:
        """Return what stands beside a reading of *measure* at *at*."""
        about = self.find_circumstances(measure, at, self.anchor)
        wanted = self.criterion.measured[measure].beside if self.criterion else ()
        if measure == "calcium":
            return about, seen, self.find_nearest("albumin", at), ()
        if not wanted:
            return about, seen, None, ()
        others = ((name, found) for name in wanted if (found := self.find_nearest(name, at)))
        return about, seen, None, tuple(others)

    def _held(self, before: HeldSince, at: datetime, facts: Sequence[Fact]) -> HeldSince:
        """Return since when each comparison that has to last has held, by the worst of *facts*.

        Source: docs/decisions/grading.md, "how long a value has lasted"
        """
        met: dict[Comparison, bool] = {}
        for fact in facts:
            body = fact.body
            if self.criterion and isinstance(body, Observation) and body.value is not None:
                for compared in self.criterion.measured[body.measure].lasting:
                    does = meets(body.value, compared)
                    if does or (does is False and before):
                        met[compared] = does or met.get(compared, False)
        if not met:
            return before
        held = {compared: since for compared, since in before.items() if met.get(compared, True)}
        held |= {compared: before.get(compared, at) for compared, does in met.items() if does}
        return before if held == before else held


def _together(
    at: datetime, facts: Sequence[Fact], outcomes: Sequence[GradingOutcome]
) -> GradePoint:
    """Return all readings of one instant as one: the worst at each end."""
    if len(outcomes) > 1:
        outcomes = _seen(facts, outcomes)
    lead = max(outcomes, key=_severity)
    at_most = max(map(_upper_end, outcomes))
    missing = {name for outcome in outcomes for name in outcome.missing}
    return GradePoint(
        at,
        Span(lead.at_least, at_most),
        lead.because,
        tuple(sorted(missing)) if missing else (),
        tuple(fact.id for fact in facts),
        provisional=any(not fact.status.is_final for fact in facts),
    )


def _upper_end(outcome: GradingOutcome) -> Grade:
    return outcome.at_most


def _severity(outcome: GradingOutcome) -> tuple[Grade, Grade]:
    return outcome.at_least, outcome.at_most


def _seen(facts: Sequence[Fact], outcomes: Sequence[GradingOutcome]) -> Sequence[GradingOutcome]:
    """Return *outcomes*; where only what a clinician sees is missing, the one who graded says it.

    Source: docs/decisions/grading.md, "Symptoms"
    """
    assessed = [o for f, o in zip(facts, outcomes, strict=True) if isinstance(f.body, Assessment)]
    if not assessed:
        return outcomes
    worst = max(assessed, key=lambda outcome: outcome.at_least)
    return [
        worst
        if one.missing
        and one.missing <= CLINICIAN_INPUTS
        and one.at_least <= worst.at_least <= one.at_most
        else one
        for one in outcomes
    ]


def _observed(fact: Fact) -> Observation:
    if not isinstance(fact.body, Observation):
        raise TypeError(f"{fact.id} is no observation")
    return fact.body
