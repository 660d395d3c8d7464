"""Chronic graft-versus-host disease: global severity by NIH, from a person's word or organ scores.

Sources: Jagasia et al. 2015, Biol Blood Marrow Transplant 21:389-401; where it is silent:
docs/decisions/gvhd.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import get_args

from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.safety_rules.domain.grade_runs.join_grades import (
    GradePoint,
    GradeRunState,
    extend_run,
)
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.vocabulary.clinical_fact import ChronicGvhd, ChronicSeverity
from services.vocabulary.episode import Span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.graft_fact import ChronicGvhdScores, ChronicOrgan
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol

# Global severities, and the grades that stand for them in records.
SEVERITY: Mapping[ChronicSeverity, Grade] = {
    "none": Grade.NONE,
    "mild": Grade.MILD,
    "moderate": Grade.MODERATE,
    "severe": Grade.SEVERE,
}
ORGANS: Sequence[ChronicOrgan] = get_args(ChronicOrgan)
_WORST_SCORE = 3
_SEVERAL_ORGANS = 3
_FEV1_PERCENT = (Decimal(80), Decimal(60), Decimal(40))
_UNTIL_SCORED_AGAIN = timedelta.max


def grade_chronic_gvhd(
    scores: Mapping[ChronicOrgan, int | None],
) -> tuple[ChronicSeverity, ChronicSeverity]:
    """Return the least and the greatest global severity that organ scores allow.

    >>> grade_chronic_gvhd({"skin": 1, "mouth": 1, "lungs": 0})
    ('mild', 'severe')
    >>> grade_chronic_gvhd(dict.fromkeys(ORGANS, 0) | {"lungs": 1})
    ('moderate', 'moderate')

    Args:
        scores: By organ, 0 to 3; None or left out: not assessed. That of the lungs is by FEV1.

    Raises:
        ValueError: There is no such organ or score.

    Source: Jagasia et al. 2015, Biol Blood Marrow Transplant 21:389-401, table 3
    """
    for organ, score in scores.items():
        if organ not in ORGANS or not (score is None or 0 <= score <= _WORST_SCORE):
            raise ValueError(f"there is no score {score} of {organ}")
    organ_scores = {organ: scores.get(organ) for organ in ORGANS}
    lowest_scores = {organ: score or 0 for organ, score in organ_scores.items()}
    highest_scores = {
        organ: _WORST_SCORE if score is None else score for organ, score in organ_scores.items()
    }
    return _grade_scores(lowest_scores), _grade_scores(highest_scores)


def _grade_scores(scores: Mapping[ChronicOrgan, int]) -> ChronicSeverity:
    lungs = scores["lungs"]
    worst = max(score for organ, score in scores.items() if organ != "lungs")
    affected_organs = sum(score > 0 for score in scores.values())
    if worst >= _WORST_SCORE or lungs > 1:
        return "severe"
    if worst > 1 or lungs == 1 or affected_organs >= _SEVERAL_ORGANS:
        return "moderate"
    return "mild" if affected_organs else "none"


def score_lungs(fev1_percent: Decimal) -> int:
    """Return the score of the lungs by FEV1 (per cent of predicted), which alone counts globally.

    A value between two written bands is of the worse one.

    >>> [score_lungs(Decimal(n)) for n in ("80", "79.5", "60", "59.5", "40", "39.5")]
    [0, 1, 1, 2, 2, 3]
    """
    return sum(fev1_percent < limit for limit in _FEV1_PERCENT)


def read_scores(body: ChronicGvhdScores) -> Mapping[ChronicOrgan, int | None]:
    """Return the score that counts for each organ; None: not assessed."""
    scores: dict[ChronicOrgan, int | None] = {organ: getattr(body, organ) for organ in ORGANS}
    if body.fev1_percent is not None:
        scores["lungs"] = score_lungs(body.fev1_percent)
    return scores | dict.fromkeys(body.other_cause, 0)


@dataclass(frozen=True, slots=True)
class ChronicState:
    """The state of the disease between visits."""

    run_state: GradeRunState = field(default_factory=lambda: GradeRunState(before_exposure=False))


def reads_fact(fact: Fact, _protocol: Protocol) -> bool:
    """Return True when *fact* may change the disease."""
    return isinstance(fact.body, ChronicGvhd | ChronicGvhdScores)


def make_initial_state(
    _protocol: Protocol, _measures: Mapping[str, Measure], _context: BedsideContext
) -> ChronicState:
    """Return the state before any fact."""
    return ChronicState()


def step_state(
    state: ChronicState, instant: datetime, facts: Sequence[Fact]
) -> tuple[ChronicState, GradeRun | None]:
    """Return the state after the visit at *instant*, and the episode that it ends."""
    run_state, ended_run = extend_run(
        state.run_state, grade_visit(instant, facts), _UNTIL_SCORED_AGAIN
    )
    return ChronicState(run_state), ended_run


def grade_visit(instant: datetime, facts: Sequence[Fact]) -> GradePoint:
    """Return the severity at *instant*: the worst, at each end, that any of *facts* says.

    Args:
        instant: Of the visit.
        facts: At least one, each of a kind that `reads_fact`.
    """
    points = [_grade_fact(instant, fact) for fact in facts]
    lead = max(points, key=lambda point: (point.span.at_least, point.span.at_most, point.facts))
    return GradePoint(
        instant,
        Span(lead.span.at_least, max(point.span.at_most for point in points)),
        lead.because,
        tuple(sorted({name for point in points for name in point.missing})),
        tuple(sorted(fact.id for fact in facts)),
        provisional=any(point.provisional for point in points),
    )


def _grade_fact(instant: datetime, fact: Fact) -> GradePoint:
    body, is_provisional = fact.body, not fact.status.is_final
    if isinstance(body, ChronicGvhd):
        grade, because = SEVERITY[body.severity], f"{body.severity} by NIH, as a clinician says"
        return GradePoint(instant, Span(grade, grade), because, (), (fact.id,), is_provisional)
    if not isinstance(body, ChronicGvhdScores):
        raise TypeError(f"no assessment of chronic GVHD: {body.kind}")
    scores = read_scores(body)
    lowest, highest = grade_chronic_gvhd(scores)
    span = Span(SEVERITY[lowest], SEVERITY[highest])
    missing = [f"score of {_spell_out(name)}" for name, score in scores.items() if score is None]
    affected_organs = [f"{_spell_out(name)} {score}" for name, score in scores.items() if score]
    because = f"{lowest} by NIH ({', '.join(affected_organs) or 'no organ scored above 0'})"
    is_exact = lowest == highest
    return GradePoint(
        instant, span, because, () if is_exact else tuple(missing), (fact.id,), is_provisional
    )


def _spell_out(organ: str) -> str:
    return organ.replace("_", " ").replace("gi tract", "GI tract")


def find_open_run(state: ChronicState) -> GradeRun | None:
    """Return the episode that may still change, if there is one."""
    return state.run_state.open_run


def find_last_seen_at(state: ChronicState) -> datetime | None:
    """Return the last instant at which the open episode was scored."""
    return state.run_state.last_at


def list_readings(_state: ChronicState) -> Sequence[Fact]:
    """Return no reading: each visit scores every organ anew."""
    return ()


def list_earlier_readings(_state: ChronicState) -> Sequence[Fact]:
    """Return no reading: there is no baseline."""
    return ()
