"""The course of one criterion in one participant: its readings, its baseline, its runs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    OwnLimits,
    grade_reading,
)
from services.safety_rules.domain.ctcae.worst_value import select_worst_value
from services.safety_rules.domain.episodes.lab_course import GradingContext, LabCourse
from services.safety_rules.domain.episodes.supporting_facts import SupportingFacts
from services.safety_rules.domain.grade_runs.fact_timeline import FactTimeline
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.grade_runs.join_grades import start_exposure
from services.safety_rules.domain.queries.data_queries import PlausibilityCheck
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.measure import Ion


class CriterionCourse:
    """The readings of one criterion, graded again from the start when the baseline changes."""

    def __init__(
        self,
        criterion: CompiledCriterion | None,
        merge_gap: timedelta,
        supporting_facts: SupportingFacts,
    ) -> None:
        """Start with no readings and before any exposure."""
        self._context = GradingContext(
            criterion=criterion,
            anchor=None,
            baseline=BaselineUnknown(),
            baseline_grade=Grade.NONE,
            baseline_before_anchor=NoBaseline(),
            merge_gap=merge_gap,
            supporting_facts=supporting_facts,
        )
        self.checked_values = PlausibilityCheck()
        self.timeline: FactTimeline[LabCourse] = FactTimeline(LabCourse(), self._context.advance)

    @property
    def context(self) -> GradingContext:
        """The context in which its readings are graded."""
        return self._context

    @property
    def baseline_grade(self) -> Grade:
        """The grade above which a run after exposure counts."""
        return self._context.baseline_grade

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*."""
        (self.timeline.insert if stands else self.timeline.remove)(fact)

    def update_baseline(self, anchor: datetime | None) -> None:
        """Take the last final value before *anchor* as baseline; if it changed, grade again.

        Source: docs/decisions/grading.md, "Baseline"
        """
        baseline, baseline_grade = self._find_baseline(anchor)
        context = replace(
            self._context, anchor=anchor, baseline=baseline, baseline_grade=baseline_grade
        )
        if context != self._context:
            self._context = context
            self.timeline.restart(LabCourse(), context.advance)

    def find_open_run(self) -> GradeRun | None:
        """Return the run that has not ended, or None.

        It is cut at the baseline anchor even when there is no reading after the anchor.
        """
        run_state, context = self.timeline.compute_state().run_state, self._context
        if run_state.before_exposure and context.anchor is not None:
            return start_exposure(run_state, context.anchor, context.baseline_grade)[1]
        return run_state.open_run

    def find_last_seen_at(self) -> datetime | None:
        """Return the instant of the last reading, or None."""
        return self.timeline.compute_state().run_state.last_at

    def _find_baseline(self, anchor: datetime | None) -> tuple[Baseline, Grade]:
        criterion = self._context.criterion
        if anchor is None or criterion is None:
            return BaselineUnknown(), Grade.NONE
        for facts in reversed(self.timeline.list_facts_before(anchor)):
            baselines = [
                self._grade_baseline(criterion, fact, anchor)
                for fact in facts
                if fact.status.is_final and _has_a_value(fact)
            ]
            if baselines:
                return _select_mildest_baseline(baselines, criterion, _find_ion(criterion, facts))
        return BaselineUnknown(), Grade.NONE

    def _grade_baseline(
        self, criterion: CompiledCriterion, fact: Fact, anchor: datetime
    ) -> tuple[Baseline, Grade]:
        reading = replace(self._context, anchor=anchor).make_reading(fact)
        if reading.value is None:
            return BaselineUnknown(), Grade.NONE
        baseline_grade = grade_reading(criterion, reading, BaselineKnown(reading.value)).at_least
        own_limits = OwnLimits(reading.lln, reading.uln)
        return BaselineKnown(reading.value, own_limits), baseline_grade


def _select_mildest_baseline(
    baselines: Sequence[tuple[Baseline, Grade]], criterion: CompiledCriterion, ion: Ion | None
) -> tuple[Baseline, Grade]:
    """Return the baseline that explains the least of what follows, and its grade."""
    least_grade = min(grade for _, grade in baselines)
    candidates = {
        baseline.quantity: baseline
        for baseline, grade in baselines
        if grade is least_grade and isinstance(baseline, BaselineKnown)
    }
    mildest_value = select_worst_value(list(candidates), criterion.direction.opposite, ion)
    return candidates[mildest_value] if mildest_value else BaselineUnknown(), least_grade


def _find_ion(criterion: CompiledCriterion, facts: Sequence[Fact]) -> Ion | None:
    """Return the ion of the measure of *facts*; None: it is none."""
    measures = {fact.body.measure for fact in facts if isinstance(fact.body, Observation)}
    return next((criterion.gradings[name].ion for name in sorted(measures)), None)


def _has_a_value(fact: Fact) -> bool:
    return isinstance(fact.body, Observation) and fact.body.value is not None
