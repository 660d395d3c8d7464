"""Clinicians' findings about a criterion, and the readings near which they were made.

Source: docs/decisions/grading.md, "Findings beside a reading"
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.vocabulary.fact import Fact
from services.vocabulary.grade import GradingOutcome, Symptoms
from services.vocabulary.judgement import Finding

FINDING_WINDOW = timedelta(hours=12)  # of a reading
_LAST = "\uffff"  # after every id


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """Findings near one reading: symptoms, infarction, and their wording for a reason."""

    symptoms: Symptoms | None = None
    infarction: bool | None = None
    wording: str = ""

    def explain_outcome(self, outcome: GradingOutcome, unseen: GradingOutcome) -> GradingOutcome:
        """Return *outcome*, with the findings in its reason when it is not the outcome *unseen*."""
        if outcome == unseen:
            return outcome
        return replace(outcome, because=f"{outcome.because}; {self.wording}")


NO_FINDINGS = FindingSummary()
FindingLookup = Callable[[str, datetime], FindingSummary]


def look_up_no_findings(_criterion: str, _at: datetime) -> FindingSummary:
    """Return no findings."""
    return NO_FINDINGS


class ParticipantFindings:
    """The standing findings of one participant."""

    def __init__(self) -> None:
        """Start with none."""
        self._times_by_criterion: dict[str, list[tuple[datetime, str]]] = {}
        self._findings: dict[str, Finding] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*, a finding."""
        if not isinstance(fact.body, Finding):
            return
        times = self._times_by_criterion.setdefault(fact.body.criterion, [])
        if stands:
            insort(times, (fact.observed_at, fact.id))
            self._findings[fact.id] = fact.body
        else:
            times.remove((fact.observed_at, fact.id))
            del self._findings[fact.id]

    def summarize_nearest(self, criterion: str, instant: datetime) -> FindingSummary:
        """Return the findings about *criterion* nearest to *instant*; of two as near, the earlier.

        Of several findings of one instant the worst counts.
        """
        if criterion not in self._times_by_criterion:
            return NO_FINDINGS
        findings = self._select_near(criterion, instant)
        with_symptoms = _select_nearest(
            instant, [one for one in findings if one[1].symptoms is not None]
        )
        with_infarction = _select_nearest(
            instant, [one for one in findings if one[1].infarction is not None]
        )
        if not with_symptoms and not with_infarction:
            return NO_FINDINGS
        phrases = []
        symptoms, infarction = None, None
        if with_symptoms:
            worst = max(with_symptoms, key=lambda one: (_rank_symptoms(one), one.by))
            symptoms = worst.symptoms
            phrases.append(f"{_describe_symptoms(symptoms)}, seen by {worst.by}")
        if with_infarction:
            worst = max(with_infarction, key=lambda one: (one.infarction is True, one.by))
            infarction = worst.infarction
            level = "at" if infarction else "below"
            phrases.append(f"{level} the level of infarction, seen by {worst.by}")
        return FindingSummary(symptoms, infarction, "; ".join(phrases))

    def _select_near(self, criterion: str, instant: datetime) -> list[tuple[datetime, Finding]]:
        times = self._times_by_criterion[criterion]
        first = bisect_left(times, (instant - FINDING_WINDOW, ""))
        end = bisect_right(times, (instant + FINDING_WINDOW, _LAST))
        return [(seen_at, self._findings[name]) for seen_at, name in times[first:end]]


def _select_nearest(instant: datetime, findings: list[tuple[datetime, Finding]]) -> list[Finding]:
    """Return those of the one instant that is nearest to *instant*."""
    nearest_at = min(
        (seen_at for seen_at, _ in findings), key=lambda t: (abs(t - instant), t), default=None
    )
    return [finding for seen_at, finding in findings if seen_at == nearest_at]


def _rank_symptoms(finding: Finding) -> int:
    return -1 if finding.symptoms is None else finding.symptoms.rank


def _describe_symptoms(symptoms: Symptoms | None) -> str:
    match symptoms:
        case Symptoms.NONE:
            return "no symptoms"
        case Symptoms.PRESENT | None:
            return "symptoms"
    return f"{symptoms} symptoms"
