"""What clinicians saw about a criterion, and the readings of it that they saw it about.

Source: docs/decisions/grading.md, "Findings beside a reading"
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.grading import Reading
from services.vocabulary.fact import Fact, Finding
from services.vocabulary.grade import GradingOutcome, Symptoms

FINDING_WINDOW = timedelta(hours=12)  # of a reading
_LAST = "\uffff"  # after every id


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """What is known of one reading because somebody looked; *wording* it in words."""

    symptoms: Symptoms | None = None
    infarction: bool | None = None
    wording: str = ""

    def explain_outcome(self, outcome: GradingOutcome, unseen: GradingOutcome) -> GradingOutcome:
        """Return *outcome*, saying what it rests on when it is not what it was *unseen*."""
        if outcome == unseen:
            return outcome
        return replace(outcome, because=f"{outcome.because}; {self.wording}")


NO_FINDINGS = FindingSummary()
FindingLookup = Callable[[str, datetime], FindingSummary]


def look_up_no_findings(_criterion: str, _at: datetime) -> FindingSummary:
    """Return what is known where nobody looks."""
    return NO_FINDINGS


def strip_findings(reading: Reading) -> Reading:
    """Return *reading* as it would be had nobody looked."""
    return replace(reading, symptoms=None, infarction=None)


class ParticipantFindings:
    """The findings of one participant that stand."""

    def __init__(self) -> None:
        """Start with none."""
        self._times_by_criterion: dict[str, list[tuple[datetime, str]]] = {}
        self._findings: dict[str, Finding] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact*, a finding, stand, or stand no longer."""
        if not isinstance(fact.body, Finding):
            return
        when = self._times_by_criterion.setdefault(fact.body.criterion, [])
        if stands:
            insort(when, (fact.observed_at, fact.id))
            self._findings[fact.id] = fact.body
        else:
            when.remove((fact.observed_at, fact.id))
            del self._findings[fact.id]

    def summarize_nearest(self, criterion: str, at: datetime) -> FindingSummary:
        """Return what was seen about *criterion* nearest to *at*; of two as near, the earlier.

        Of several findings of one instant the worst counts.
        """
        if criterion not in self._times_by_criterion:
            return NO_FINDINGS
        near = self._select_near(criterion, at)
        of_symptoms = _select_nearest(at, [one for one in near if one[1].symptoms is not None])
        of_infarction = _select_nearest(at, [one for one in near if one[1].infarction is not None])
        if not of_symptoms and not of_infarction:
            return NO_FINDINGS
        says = []
        symptoms, infarction = None, None
        if of_symptoms:
            worst = max(of_symptoms, key=lambda one: (_rank_symptoms(one), one.by))
            symptoms = worst.symptoms
            says.append(f"{_describe_symptoms(symptoms)}, seen by {worst.by}")
        if of_infarction:
            worst = max(of_infarction, key=lambda one: (one.infarction is True, one.by))
            infarction = worst.infarction
            level = "at" if infarction else "below"
            says.append(f"{level} the level of infarction, seen by {worst.by}")
        return FindingSummary(symptoms, infarction, "; ".join(says))

    def _select_near(self, criterion: str, at: datetime) -> list[tuple[datetime, Finding]]:
        when = self._times_by_criterion[criterion]
        since = bisect_left(when, (at - FINDING_WINDOW, ""))
        until = bisect_right(when, (at + FINDING_WINDOW, _LAST))
        return [(seen_at, self._findings[name]) for seen_at, name in when[since:until]]


def _select_nearest(at: datetime, near: list[tuple[datetime, Finding]]) -> list[Finding]:
    """Return those of the one instant that is nearest to *at*."""
    found = min((seen_at for seen_at, _ in near), key=lambda t: (abs(t - at), t), default=None)
    return [finding for seen_at, finding in near if seen_at == found]


def _rank_symptoms(finding: Finding) -> int:
    return -1 if finding.symptoms is None else finding.symptoms.rank


def _describe_symptoms(symptoms: Symptoms | None) -> str:
    match symptoms:
        case Symptoms.NONE:
            return "no symptoms"
        case Symptoms.PRESENT | None:
            return "symptoms"
    return f"{symptoms} symptoms"
