"""Reasons for which an adverse event may be serious: proposed, a person decides.

Source: ICH E2A, II.B; docs/decisions/episodes.md, "Seriousness"
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.vocabulary.clinical_fact import Movement
from services.vocabulary.episode import Change
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade

DEATH, LIFE_THREATENING, HOSPITALIZATION = "death", "life-threatening", "hospitalization"
_FOR_INFUSION = timedelta(hours=48)  # assumed: an admission so long before a course is planned


@dataclass(slots=True)
class HospitalStays:
    """The instants at which stays in hospital began, each in order.

    *admissions* are those of which nobody said if they were planned, *unplanned_stays* the others
    that were not, with those in intensive care.
    """

    admissions: list[datetime] = field(default_factory=list)
    unplanned_stays: list[datetime] = field(default_factory=list)

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*, a movement."""
        match fact.body:
            case Movement(to="admission", cancelled=False, planned=None):
                instants = self.admissions
            case (
                Movement(to="icu", cancelled=False)
                | Movement(to="admission", cancelled=False, planned=False)
            ):
                instants = self.unplanned_stays
            case _:
                return
        if stands:
            insort(instants, fact.observed_at)
        else:
            instants.remove(fact.observed_at)

    def has_unplanned(
        self, start: datetime, end: datetime | None, courses: Sequence[datetime]
    ) -> bool:
        """Return True when a stay began at or after *start* and before *end* (None: ever).

        Intensive care counts always, and an admission as its sender says; if that says nothing,
        unless a course of the study drug began within 48 hours after it.
        """
        if _between(self.unplanned_stays, start, end):
            return True
        admissions = _between(self.admissions, start, end)
        return not all(_is_for_infusion(one, courses) for one in admissions)


def _between(
    instants: Sequence[datetime], start: datetime, end: datetime | None
) -> Sequence[datetime]:
    stop = None if end is None else bisect_left(instants, end)
    return instants[bisect_left(instants, start) : stop]


def _is_for_infusion(admitted_at: datetime, courses: Iterable[datetime]) -> bool:
    return any(admitted_at <= course <= admitted_at + _FOR_INFUSION for course in courses)


def propose_seriousness(
    history: Sequence[Change],
    assessments: AbstractSet[str],
    *,
    has_unplanned_stay: bool,
    is_laboratory: bool,
) -> tuple[str, ...]:
    """Return the reasons why a record may be serious.

    Args:
        history: Of the record.
        assessments: Ids of the facts in which a clinician graded a term.
        has_unplanned_stay: An unplanned hospital stay began while it lasted.
        is_laboratory: It is graded from laboratory results: their grade 4 proposes nothing unless
            a clinician gave it.
    """
    reasons = {
        DEATH: any(one.span.at_least is Grade.DEATH for one in history),
        LIFE_THREATENING: any(
            one.span.at_least is Grade.LIFE_THREATENING
            and not (is_laboratory and assessments.isdisjoint(one.facts))
            for one in history
        ),
        HOSPITALIZATION: has_unplanned_stay,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)
