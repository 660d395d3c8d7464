"""Clinicians' findings about a criterion, and the readings near which they were made.

Source: docs/decisions/grading.md, "Findings beside a reading"
"""

from bisect import bisect_left, bisect_right, insort
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


class ParticipantFindings:
    """The standing findings of one participant."""

    def __init__(self) -> None:
        """Start with none."""
        self._times_by_criterion: dict[str, list[tuple[datetime, str]]] = {}
        self._facts: dict[str, tuple[Fact, Finding]] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*, a finding."""
        if not isinstance(fact.body, Finding):
            return
        times = self._times_by_criterion.setdefault(fact.body.criterion, [])
        if stands:
            insort(times, (fact.observed_at, fact.id))
            self._facts[fact.id] = fact, fact.body
        else:
            times.remove((fact.observed_at, fact.id))
            del self._facts[fact.id]

    def summarize_nearest(self, criterion: str, instant: datetime) -> FindingSummary:
        """Return the findings about *criterion* nearest to *instant*; of two as near, the earlier.

        Of several findings of one instant the worst counts.
        """
        if criterion not in self._times_by_criterion:
            return NO_FINDINGS
        symptom_facts, infarction_facts = self._select_nearest(criterion, instant)
        with_symptoms = [self._facts[fact][1] for fact in symptom_facts]
        with_infarction = [self._facts[fact][1] for fact in infarction_facts]
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

    def list_nearest_facts(self, criterion: str, instant: datetime) -> list[Fact]:
        """Return the facts of `summarize_nearest`."""
        if criterion not in self._times_by_criterion:
            return []
        symptom_facts, infarction_facts = self._select_nearest(criterion, instant)
        return [self._facts[fact][0] for fact in dict.fromkeys((*symptom_facts, *infarction_facts))]

    def _select_nearest(self, criterion: str, instant: datetime) -> tuple[list[str], list[str]]:
        """Return the ids of the nearest findings of symptoms, and of those of infarction."""
        times = self._times_by_criterion[criterion]
        first = bisect_left(times, (instant - FINDING_WINDOW, ""))
        end = bisect_right(times, (instant + FINDING_WINDOW, _LAST))
        findings = [(seen_at, name, self._facts[name][1]) for seen_at, name in times[first:end]]
        return (
            _select_nearest(instant, [f[:2] for f in findings if f[2].symptoms is not None]),
            _select_nearest(instant, [f[:2] for f in findings if f[2].infarction is not None]),
        )


def _select_nearest(instant: datetime, times: list[tuple[datetime, str]]) -> list[str]:
    """Return those of the one instant that is nearest to *instant*."""
    nearest_at = min(
        (seen_at for seen_at, _ in times), key=lambda t: (abs(t - instant), t), default=None
    )
    return [name for seen_at, name in times if seen_at == nearest_at]


def _rank_symptoms(finding: Finding) -> int:
    return -1 if finding.symptoms is None else finding.symptoms.rank


def _describe_symptoms(symptoms: Symptoms | None) -> str:
    match symptoms:
        case Symptoms.NONE:
            return "no symptoms"
        case Symptoms.PRESENT | None:
            return "symptoms"
    return f"{symptoms} symptoms"
