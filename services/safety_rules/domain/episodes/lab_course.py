"""The course of a criterion that is graded from numbers, through one participant's readings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.clinician_findings import NO_FINDINGS, FindingSummary
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.concomitant_drugs import NO_DRUG_CONTEXT, DrugContext
from services.safety_rules.domain.ctcae.criterion import Comparison, Direction
from services.safety_rules.domain.ctcae.exact import meets_comparison
from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    HeldDurations,
    Reading,
    grade_reading,
)
from services.safety_rules.domain.ctcae.prepared_grading import PreparedGrading
from services.safety_rules.domain.ctcae.shared_inputs import (
    ReadingContext,
    SharedInputs,
    find_prepared_grading,
)
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.ctcae.worst_value import select_worst_value
from services.safety_rules.domain.episodes.combined_outcomes import (
    combine_outcomes,
    group_by_measure,
)
from services.safety_rules.domain.episodes.supporting_facts import SupportingFacts
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.grade_runs.join_grades import (
    GradeRunState,
    extend_run,
    start_exposure,
)
from services.safety_rules.domain.grade_runs.lasting_grades import (
    LastingEvidence,
    extend_lasting_run,
)
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Body, Fact
from services.vocabulary.grade import ExactGrade as Exact
from services.vocabulary.grade import Grade, GradingOutcome
from services.vocabulary.judgement import Assessment
from services.vocabulary.quantity import Quantity

HeldSince = Mapping[Comparison, datetime]
_NO_DURATIONS: HeldDurations = {}


@dataclass(frozen=True, slots=True)
class LabCourse:
    """The runs of one criterion so far.

    *held_since* is the instant from which each comparison has held without a break, for criteria
    that ask how long (fever above 40 degrees). *lasting_evidence*: for terms whose definition needs
    time.
    """

    run_state: GradeRunState = field(default_factory=GradeRunState)
    held_since: HeldSince = field(default_factory=dict)
    lasting_evidence: LastingEvidence = field(default_factory=LastingEvidence)


@dataclass(frozen=True, slots=True)
class _GradedInstant:
    """The outcomes of the facts of one instant, by id, all graded from the same other inputs."""

    instant: datetime
    baseline: Baseline
    durations: HeldDurations
    contexts: Mapping[str, ReadingContext]  # by measure
    outcomes: dict[str, GradingOutcome] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class GradingContext:
    """The context in which the readings of one criterion in one participant are graded.

    Args:
        criterion: Compiled; None for a term that only a clinician can grade.
        anchor: The baseline anchor; None before any exposure.
        baseline: The value before the anchor, as far as it is known.
        baseline_grade: The grade of that value.
        baseline_before_anchor: The baseline of readings up to the anchor.
        merge_gap: Longest silence inside one run.
        supporting_facts: Of the participant: companion values (the albumin of a calcium, the count
            of a fever), drugs and clinicians' findings.
    """

    criterion: CompiledCriterion | None
    anchor: datetime | None
    baseline: Baseline
    baseline_grade: Grade
    baseline_before_anchor: Baseline
    merge_gap: timedelta
    supporting_facts: SupportingFacts
    _last: dict[str, tuple[SharedInputs, Baseline, PreparedGrading]] = field(  # of each measure
        default_factory=dict, init=False, repr=False, compare=False
    )
    _graded_instants: list[_GradedInstant] = field(  # at most one
        default_factory=list, init=False, repr=False, compare=False
    )

    def advance(
        self, course: LabCourse, instant: datetime, facts: Sequence[Fact]
    ) -> tuple[LabCourse, GradeRun | None]:
        """Return the course after all readings of one instant, and the run that they ended."""
        run_state, ended_run = course.run_state, None
        if run_state.before_exposure and self.anchor is not None and instant >= self.anchor:
            run_state, ended_run = start_exposure(run_state, self.anchor, self.baseline_grade)
        baseline = self.baseline_before_anchor if run_state.before_exposure else self.baseline
        if self.criterion is not None and self.criterion.min_duration is not None:
            exposed_course = LabCourse(run_state, lasting_evidence=course.lasting_evidence)
            new_course, merged_run = self._advance_lasting(exposed_course, baseline, instant, facts)
            return course if new_course == course else new_course, ended_run or merged_run
        held_since = course.held_since
        if self.criterion is not None and self.criterion.has_lasting_thresholds:
            held_since = self._update_held_since(held_since, instant, facts)
        durations = (
            {c: instant - since for c, since in held_since.items()} if held_since else _NO_DURATIONS
        )
        outcomes = self._find_outcomes(facts, baseline, durations)
        worst = max(outcome.at_most for outcome in outcomes)
        if run_state.open_run or worst > run_state.baseline_grade:
            supporting_facts = self._list_deciding(facts, baseline, durations)
            reading = combine_outcomes(instant, facts, outcomes, supporting_facts)
            run_state, merged_run = extend_run(run_state, reading, self.merge_gap)
            ended_run = ended_run or merged_run
        if run_state is course.run_state and held_since is course.held_since:
            return course, ended_run
        return LabCourse(run_state, held_since), ended_run

    def _advance_lasting(
        self, course: LabCourse, baseline: Baseline, instant: datetime, facts: Sequence[Fact]
    ) -> tuple[LabCourse, GradeRun | None]:
        """Return the course of a term whose definition needs time, and the run that ended.

        Each reading has the grade that it has once it has lasted; the run decides if it has.
        """
        criterion = self.criterion
        if criterion is None or criterion.min_duration is None:
            raise TypeError("the definition needs no time")
        durations = timedelta.max if criterion.has_lasting_thresholds else _NO_DURATIONS
        readings = {}
        for measure, measure_facts in group_by_measure(facts).items():
            outcomes = self._find_outcomes(measure_facts, baseline, durations)
            supporting_facts = self._list_deciding(measure_facts, baseline, durations)
            readings[measure] = combine_outcomes(instant, measure_facts, outcomes, supporting_facts)
        evidence, (run_state, ended_run) = extend_lasting_run(
            course.run_state,
            course.lasting_evidence,
            readings,
            criterion.min_duration,
            self.merge_gap,
        )
        return LabCourse(run_state, lasting_evidence=evidence), ended_run

    def _find_outcomes(
        self, facts: Sequence[Fact], baseline: Baseline, durations: HeldDurations
    ) -> list[GradingOutcome]:
        """Return the outcome of each of *facts*, of one instant.

        A device whose clock stands still sends thousands of one instant, one by one: each is graded
        once, as long as the other inputs are the same.
        """
        if len(facts) == 1:
            return [self._find_outcome(facts[0], baseline, durations)]
        outcomes = self._find_graded_instant(facts, baseline, durations).outcomes
        for fact in facts:
            if fact.id not in outcomes:
                outcomes[fact.id] = self._find_outcome(fact, baseline, durations)
        return [outcomes[fact.id] for fact in facts]

    def _find_graded_instant(
        self, facts: Sequence[Fact], baseline: Baseline, durations: HeldDurations
    ) -> _GradedInstant:
        """Return what is graded already of the instant of *facts*, from the same other inputs."""
        example_by_measure = {_get_measure(fact): fact for fact in facts}
        contexts = {
            measure: self._find_reading_context(
                measure, fact.observed_at, self._summarize_findings(fact)
            )
            for measure, fact in example_by_measure.items()
            if measure
        }
        graded_instant = _GradedInstant(facts[0].observed_at, baseline, durations, contexts)
        if self._graded_instants != [graded_instant]:
            self._graded_instants[:] = [graded_instant]
        return self._graded_instants[0]

    def _find_outcome(
        self, fact: Fact, baseline: Baseline, durations: HeldDurations
    ) -> GradingOutcome:
        body = fact.body
        if isinstance(body, Assessment):
            return Exact(Grade(body.grade), f"assessed by {body.by}")
        if self.criterion is None or not isinstance(body, Observation):
            raise TypeError(f"{fact.id} is no reading of a criterion")
        findings = self._summarize_findings(fact)
        outcome = self._grade_fact(self.criterion, fact, baseline, durations, findings)
        if findings is NO_FINDINGS:
            return outcome
        outcome_without_findings = self._grade_fact(
            self.criterion, fact, baseline, durations, NO_FINDINGS
        )
        return findings.explain_outcome(outcome, outcome_without_findings)

    def _grade_fact(
        self,
        criterion: CompiledCriterion,
        fact: Fact,
        baseline: Baseline,
        durations: HeldDurations,
        findings: FindingSummary,
    ) -> GradingOutcome:
        body = _get_observation(fact)
        context = self._find_reading_context(body.measure, fact.observed_at, findings)
        if durations:
            return grade_reading(
                criterion,
                SharedInputs.from_observation(body, context).make_reading(body.value, durations),
                baseline,
            )
        last = self._last.get(body.measure)
        if last is None or last[1] is not baseline or not last[0].matches(body, context):
            shared_inputs = SharedInputs.from_observation(body, context)
            last = (
                shared_inputs,
                baseline,
                find_prepared_grading(criterion, shared_inputs, baseline),
            )
            self._last[body.measure] = last
        return last[2].grade_value(body.value)

    def make_reading(self, fact: Fact, durations: HeldDurations | None = None) -> Reading:
        """Return *fact* as a reading of the criterion."""
        body = _get_observation(fact)
        context = self._find_reading_context(
            body.measure, fact.observed_at, self._summarize_findings(fact)
        )
        return SharedInputs.from_observation(body, context).make_reading(body.value, durations)

    def _summarize_findings(self, fact: Fact) -> FindingSummary:
        if self.criterion is None:
            return NO_FINDINGS
        return self.supporting_facts.findings.summarize_nearest(self.criterion.id, fact.observed_at)

    def _list_deciding(
        self, facts: Sequence[Fact], baseline: Baseline, durations: HeldDurations
    ) -> list[Fact]:
        """Return the companions of *facts*, and the findings and drugs that decide their grades."""
        deciding_facts: list[Fact] = []
        quiet_measures: set[str] = set()  # whose facts have the same companions, and no more
        seen_bodies: set[Body] = set()
        for fact in facts:
            measure = _get_measure(fact)
            if measure in quiet_measures or fact.body in seen_bodies:
                continue
            deciding_facts += self._find_deciding(fact, baseline, durations)
            if (
                self._summarize_findings(fact) is NO_FINDINGS
                and self._find_drug_context(measure, fact.observed_at) == NO_DRUG_CONTEXT
            ):
                quiet_measures.add(measure)
            else:
                seen_bodies.add(fact.body)
        return deciding_facts

    def _find_deciding(
        self, fact: Fact, baseline: Baseline, durations: HeldDurations
    ) -> Iterator[Fact]:
        """Yield the companions of *fact*, and the findings and drugs that decide its grade."""
        body, criterion = fact.body, self.criterion
        if criterion is None or not isinstance(body, Observation):
            return
        measure, instant, supporting_facts = body.measure, fact.observed_at, self.supporting_facts
        for name in criterion.list_companions(measure):
            yield from supporting_facts.list_companion_facts(name, instant)
        if self._summarize_findings(fact) is not NO_FINDINGS:
            reading = self.make_reading(fact, durations)
            reading_without_findings = replace(reading, symptoms=None, infarction=None)
            if _differ(criterion, reading, reading_without_findings, baseline):
                yield from supporting_facts.findings.list_nearest_facts(criterion.id, instant)
        if self._find_drug_context(measure, instant) != NO_DRUG_CONTEXT:
            reading = self.make_reading(fact, durations)
            reading_without_drugs = replace(
                reading, treatment=None, is_replaced=False, is_anticoagulated=None
            )
            if _differ(criterion, reading, reading_without_drugs, baseline):
                yield from supporting_facts.drugs.list_facts(measure, instant, self.anchor)

    def _find_reading_context(
        self, measure: str, instant: datetime, findings: FindingSummary
    ) -> ReadingContext:
        """Return the other inputs of a reading of *measure* at *instant*."""
        drug_context = self._find_drug_context(measure, instant)
        companion_measures = self.criterion.gradings[measure].companions if self.criterion else ()
        if measure == "calcium":
            return drug_context, findings, self._find_albumin(instant), ()
        if not companion_measures:
            return drug_context, findings, None, ()
        companions = (
            (name, value)
            for name in companion_measures
            if (
                value := select_worst_value(
                    self.supporting_facts.list_companion_values(name, instant), Direction.LOW
                )
            )
        )
        return drug_context, findings, None, tuple(companions)

    def _find_albumin(self, instant: datetime) -> Quantity | None:
        """Return the albumin nearest to *instant*: a low one raises the corrected calcium."""
        worst = self.criterion.direction.opposite if self.criterion else Direction.LOW
        albumins = self.supporting_facts.list_companion_values("albumin", instant)
        fits = [one for one in albumins if rescale_quantity(one, "g/L") is not None]
        return select_worst_value(fits or albumins, worst)

    def _find_drug_context(self, measure: str, instant: datetime) -> DrugContext:
        return self.supporting_facts.drugs.find_context(measure, instant, self.anchor)

    def _update_held_since(
        self, held_since: HeldSince, instant: datetime, facts: Sequence[Fact]
    ) -> HeldSince:
        """Return the instant from which each lasting comparison has held, by the worst of *facts*.

        Source: docs/decisions/grading.md, "how long a value has lasted"
        """
        is_met: dict[Comparison, bool] = {}
        for fact in facts:
            body = fact.body
            if self.criterion and isinstance(body, Observation) and body.value is not None:
                for comparison in self.criterion.gradings[body.measure].lasting_comparisons:
                    if is_met.get(comparison):
                        continue
                    holds = meets_comparison(body.value, comparison)
                    if holds or (holds is False and held_since):
                        is_met[comparison] = holds
        if not is_met:
            return held_since
        new_held_since = {
            comparison: since
            for comparison, since in held_since.items()
            if is_met.get(comparison, True)
        }
        new_held_since |= {
            comparison: held_since.get(comparison, instant)
            for comparison, holds in is_met.items()
            if holds
        }
        return held_since if new_held_since == held_since else new_held_since


def _differ(
    criterion: CompiledCriterion, first: Reading, second: Reading, baseline: Baseline
) -> bool:
    return grade_reading(criterion, first, baseline) != grade_reading(criterion, second, baseline)


def _get_measure(fact: Fact) -> str:
    """Return the measure of *fact*, empty for an assessment."""
    return fact.body.measure if isinstance(fact.body, Observation) else ""


def _get_observation(fact: Fact) -> Observation:
    if not isinstance(fact.body, Observation):
        raise TypeError(f"{fact.id} is no observation")
    return fact.body
