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

WITHIN = timedelta(hours=12)  # of a reading
_LAST = "\uffff"  # after every id


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one reading because somebody looked; *says* it in words."""

    symptoms: Symptoms | None = None
    infarction: bool | None = None
    says: str = ""

    def told(self, outcome: GradingOutcome, unseen: GradingOutcome) -> GradingOutcome:
        """Return *outcome*, saying what it rests on when it is not what it was *unseen*."""
        if outcome == unseen:
            return outcome
        return replace(outcome, because=f"{outcome.because}; {self.says}")


NOTHING_SEEN = Seen()
SeenAt = Callable[[str, datetime], Seen]


def nothing_seen(_criterion: str, _at: datetime) -> Seen:
    """Return what is known where nobody looks."""
    return NOTHING_SEEN


def unseen(reading: Reading) -> Reading:
    """Return *reading* as it would be had nobody looked."""
    return replace(reading, symptoms=None, infarction=None)


class Findings:
    """The findings of one participant that stand."""

    def __init__(self) -> None:
        """Start with none."""
        self._when: dict[str, list[tuple[datetime, str]]] = {}
        self._findings: dict[str, Finding] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact*, a finding, stand, or stand no longer."""
        if not isinstance(fact.body, Finding):
            return
        when = self._when.setdefault(fact.body.criterion, [])
        if stands:
            insort(when, (fact.observed_at, fact.id))
            self._findings[fact.id] = fact.body
        else:
            when.remove((fact.observed_at, fact.id))
            del self._findings[fact.id]

    def at(self, criterion: str, at: datetime) -> Seen:
        """Return what was seen about *criterion* nearest to *at*; of two as near, the earlier.

        Of several findings of one instant the worst counts.
        """
        if criterion not in self._when:
            return NOTHING_SEEN
        near = self._near(criterion, at)
        of_symptoms = _nearest(at, [one for one in near if one[1].symptoms is not None])
        of_infarction = _nearest(at, [one for one in near if one[1].infarction is not None])
        if not of_symptoms and not of_infarction:
            return NOTHING_SEEN
        says = []
        symptoms, infarction = None, None
        if of_symptoms:
            worst = max(of_symptoms, key=lambda one: (_rank(one), one.by))
            symptoms = worst.symptoms
            says.append(f"{_in_words(symptoms)}, seen by {worst.by}")
        if of_infarction:
            worst = max(of_infarction, key=lambda one: (one.infarction is True, one.by))
            infarction = worst.infarction
            level = "at" if infarction else "below"
            says.append(f"{level} the level of infarction, seen by {worst.by}")
        return Seen(symptoms, infarction, "; ".join(says))

    def _near(self, criterion: str, at: datetime) -> list[tuple[datetime, Finding]]:
        when = self._when[criterion]
        since = bisect_left(when, (at - WITHIN, ""))
        until = bisect_right(when, (at + WITHIN, _LAST))
        return [(seen_at, self._findings[name]) for seen_at, name in when[since:until]]


def _nearest(at: datetime, near: list[tuple[datetime, Finding]]) -> list[Finding]:
    """Return those of the one instant that is nearest to *at*."""
    found = min((seen_at for seen_at, _ in near), key=lambda t: (abs(t - at), t), default=None)
    return [finding for seen_at, finding in near if seen_at == found]


def _rank(finding: Finding) -> int:
    return -1 if finding.symptoms is None else finding.symptoms.rank


def _in_words(symptoms: Symptoms | None) -> str:
    match symptoms:
        case Symptoms.NONE:
            return "no symptoms"
        case Symptoms.PRESENT | None:
            return "symptoms"
    return f"{symptoms} symptoms"
