"""Blood counts after the graft, day by day, and the recovery that they show.

Source: Kharfan-Dabaja et al. 2021, Transplantation and Cellular Therapy 27:642-649;
docs/decisions/engraftment.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile

from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.drugs import PLATELET_TRANSFUSION, TRANSFUSION
from services.safety_rules.domain.syndromes.bedside import reaches_limit
from services.vocabulary.clinical_fact import Action, Administration, Observation
from services.vocabulary.engraftment import Recovery, RecoveryState
from services.vocabulary.fact import Fact
from services.vocabulary.measure import Measure
from services.vocabulary.quantity import Quantity

NEUTROPHILS, PLATELETS = "neutrophils", "platelets"
LIMITS: Mapping[str, Quantity] = {
    NEUTROPHILS: Quantity(Decimal("0.5"), "10*9/L"),
    PLATELETS: Quantity(Decimal(20), "10*9/L"),
}
_DAYS_IN_A_ROW = 3
_DAYS_WITHOUT_TRANSFUSION = 7


@dataclass(frozen=True, slots=True)
class DayCount:
    """The counts of one transplant day: *is_reached* is True when each of them is at the limit."""

    day: int
    is_reached: bool
    facts: tuple[Fact, ...] = ()


def list_day_counts(
    facts: Iterable[Fact], measure: str, anchors: Anchors, measures: Mapping[str, Measure]
) -> list[DayCount]:
    """Return the days since the graft with a count that can be compared, in order.

    A day ends with the graft's own history: from a second graft or the death on none counts.
    """
    limit = LIMITS[measure]
    plausible = measures[measure].plausible[limit.unit]
    by_day: dict[int, list[tuple[bool | None, Fact]]] = {}
    for fact in sorted(facts, key=lambda one: (one.observed_at, one.id)):
        if isinstance(fact.body, Observation) and fact.body.measure == measure:
            day = find_graft_day(fact, anchors)
            if day is not None:
                by_day.setdefault(day, []).append((reaches_limit(fact, limit, plausible), fact))
    return [
        DayCount(day, False not in verdicts, tuple(fact for _, fact in counts))
        for day, counts in sorted(by_day.items())
        if False in (verdicts := {verdict for verdict, _ in counts}) or verdicts == {True}
    ]


def find_graft_day(fact: Fact, anchors: Anchors) -> int | None:
    """Return the transplant day of *fact*; None: it is of no day of the trial's graft."""
    ends = (anchors.second_graft_at, anchors.died_at)
    if any(end is not None and fact.observed_at >= end for end in ends):
        return None
    day = anchors.find_transplant_day(fact.observed_at)
    return None if day is None or day < 0 else day


def list_transfusion_days(
    facts: Iterable[Fact], anchors: Anchors, *, with_unnamed_products: bool
) -> list[int]:
    """Return the transplant day of each transfusion of platelets since the graft, in order."""
    drugs = {PLATELET_TRANSFUSION, *((TRANSFUSION,) if with_unnamed_products else ())}
    days = [
        find_graft_day(fact, anchors)
        for fact in facts
        if isinstance(fact.body, Administration)
        and fact.body.drug in drugs
        and fact.body.action in (Action.DOSE, Action.START)
    ]
    return sorted(day for day in days if day is not None)


def exclude_transfused_days(
    counts: Sequence[DayCount], transfusion_days: Sequence[int]
) -> list[DayCount]:
    """Return *counts* as not reached on the day of a transfusion and on the six after it.

    >>> counts = [DayCount(day, True) for day in (16, 17)]
    >>> [one.is_reached for one in exclude_transfused_days(counts, [10])]
    [False, False, True]
    """
    days = {one.day: one for one in counts}
    days = {day: DayCount(day, is_reached=False) for day in transfusion_days} | days
    return [
        DayCount(
            day,
            one.is_reached
            and not any(0 <= day - given < _DAYS_WITHOUT_TRANSFUSION for given in transfusion_days),
            one.facts,
        )
        for day, one in sorted(days.items())
    ]


def find_recovery(counts: Sequence[DayCount], nadir_until: int) -> Recovery:
    """Return the recovery after the first day below the limit.

    Args:
        counts: In order, one for each day.
        nadir_until: A count that first falls below the limit after this day, having been at it
            before, is no nadir of the transplant.
    """
    if not counts:
        return Recovery(RecoveryState.NOT_COUNTED)
    ends = counts[0].day, counts[-1].day
    first_days = list(takewhile(lambda one: one.is_reached, counts))
    nadir = counts[len(first_days)] if len(first_days) < len(counts) else None
    if nadir is None or (first_days and nadir.day > nadir_until):
        return Recovery(RecoveryState.NOT_BELOW, None, None, *ends)
    later = counts[len(first_days) :]
    day = _find_first_in_a_row(later, max_step=None)
    at_latest = _find_first_in_a_row(later, max_step=1)
    state = RecoveryState.NOT_RECOVERED if day is None else RecoveryState.RECOVERED
    return Recovery(state, day, at_latest, *ends)


def _find_first_in_a_row(counts: Sequence[DayCount], max_step: int | None) -> int | None:
    """Return the first of three days in a row at the limit; None: there are none.

    *max_step* is how far the next of them may be; None: any distance without a count between.
    """
    row: list[int] = []
    for count in counts:
        is_next = not row or max_step is None or count.day - row[-1] <= max_step
        row = ([*row, count.day] if is_next else [count.day]) if count.is_reached else []
        if len(row) == _DAYS_IN_A_ROW:
            return row[0]
    return None
