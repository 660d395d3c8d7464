"""The readings of one instant under one criterion, as one grade."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.safety_rules.domain.grade_runs.join_grades import GradePoint
from services.safety_rules.domain.grade_runs.lasting_grades import ASSESSMENT
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.episode import Span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, GradingOutcome, Input
from services.vocabulary.judgement import Assessment

# Inputs that a clinician sees and a number does not show.
# Source: docs/decisions/grading.md, "Symptoms"
CLINICIAN_INPUTS = frozenset(
    {
        *(Input.SYMPTOMS, Input.SEVERITY, Input.INTERVENTION, Input.INFARCTION),
        *(Input.AT_REST, Input.FASTING, Input.ANTICOAGULATION),
    }
)


def group_by_measure(facts: Sequence[Fact]) -> Mapping[str, Sequence[Fact]]:
    """Return *facts* by measure; assessments are a group of their own."""
    facts_by_measure: dict[str, list[Fact]] = {}
    for fact in facts:
        body = fact.body
        measure = body.measure if isinstance(body, Observation) else ASSESSMENT
        facts_by_measure.setdefault(measure, []).append(fact)
    return facts_by_measure


def combine_outcomes(
    instant: datetime,
    facts: Sequence[Fact],
    outcomes: Sequence[GradingOutcome],
    supporting_facts: Sequence[Fact],
) -> GradePoint:
    """Return all readings of one instant as one: the worst at each end."""
    if len(outcomes) > 1:
        outcomes = _drop_answered(_apply_assessments(facts, outcomes))
    lead = max(outcomes, key=_severity)
    at_most = max(map(_upper_end, outcomes))
    missing = {name for outcome in outcomes for name in outcome.missing}
    return GradePoint(
        instant,
        Span(lead.at_least, at_most),
        lead.because,
        tuple(sorted(missing)) if missing else (),
        tuple(dict.fromkeys(fact.id for fact in (*facts, *supporting_facts))),
        provisional=any(not fact.status.is_final for fact in (*facts, *supporting_facts)),
    )


def _upper_end(outcome: GradingOutcome) -> Grade:
    return outcome.at_most


def _drop_answered(outcomes: Sequence[GradingOutcome]) -> Sequence[GradingOutcome]:
    """Return *outcomes*; a core temperature of the same instant answers for one at the skin."""
    answers = [one for one in outcomes if Input.CORE_TEMPERATURE not in one.missing]
    return answers or outcomes


def _severity(outcome: GradingOutcome) -> tuple[Grade, Grade]:
    return outcome.at_least, outcome.at_most


def _apply_assessments(
    facts: Sequence[Fact], outcomes: Sequence[GradingOutcome]
) -> Sequence[GradingOutcome]:
    """Return *outcomes*; those that lack only clinician inputs take the assessed grade.

    Source: docs/decisions/grading.md, "Symptoms"
    """
    assessments = [
        o for f, o in zip(facts, outcomes, strict=True) if isinstance(f.body, Assessment)
    ]
    if not assessments:
        return outcomes
    worst = max(assessments, key=lambda outcome: outcome.at_least)
    return [
        worst
        if one.missing
        and one.missing <= CLINICIAN_INPUTS
        and one.at_least <= worst.at_least <= one.at_most
        else one
        for one in outcomes
    ]
