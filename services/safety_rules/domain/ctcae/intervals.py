"""The baseline arms that are still possible, each at its mildest corner beside its worst.

Source: docs/decisions/grading.md, "limit, baseline, fasting, symptoms, albumin unknown"
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import ge, gt, le, lt

from services.safety_rules.domain.ctcae.compiled import Ladder, Measured
from services.safety_rules.domain.ctcae.criterion import (
    Baseline,
    Comparison,
    Direction,
    Operator,
    Threshold,
)
from services.safety_rules.domain.ctcae.grading_inputs import Known
from services.safety_rules.domain.ctcae.ranges import UNKNOWN, End, Order, Range, narrowed, range_of
from services.vocabulary.grade import ExactGrade, Grade, GradingOutcome, Incomplete, Input
from services.vocabulary.quantity import Quantity

_LIMITS = (Input.LLN, Input.ULN, Input.BASELINE)
_COMPARE = {Operator.LT: lt, Operator.LE: le, Operator.GT: gt, Operator.GE: ge}
_LIMITS_IN_ORDER = Order(Input.LLN, Input.ULN, strictly=True)

# What an arm says about the baseline.
# Source: CTCAE v5.0, Investigations, "Alanine aminotransferase increased"
_BASELINE_IS = {
    (Baseline.NORMAL, Direction.HIGH): Order(Input.BASELINE, Input.ULN, strictly=False),
    (Baseline.ABNORMAL, Direction.HIGH): Order(Input.ULN, Input.BASELINE, strictly=True),
    (Baseline.NORMAL, Direction.LOW): Order(Input.LLN, Input.BASELINE, strictly=False),
    (Baseline.ABNORMAL, Direction.LOW): Order(Input.BASELINE, Input.LLN, strictly=True),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One arm that may be the participant's, at the two corners of what is unknown.

    A high measure is worst where its value is highest and every limit lowest, and mildest at the
    opposite corner; a low measure the other way round. Severity only grows from one to the other,
    so no completion between them lies outside.
    """

    ladder: Ladder
    known: Known
    mildest: Mapping[Input, End]
    worst: Mapping[Input, End]

    @property
    def corners(self) -> tuple[Mapping[Input, End], Mapping[Input, End]]:
        """Both."""
        return self.mildest, self.worst

    def ends(self) -> tuple[tuple[Grade, str], tuple[Grade, str]]:
        """Return the worst grade that is met at each corner, with its threshold."""
        return (
            self._worst_met(self.mildest, unknown_holds=False),
            self._worst_met(self.worst, unknown_holds=True),
        )

    def undecided(self, above: Grade, upto: Grade) -> Iterator[Input]:
        """Yield the inputs of every threshold in between that only some completions meet."""
        for level, any_of in self.ladder.steps:
            for threshold in any_of if above < level <= upto else ():
                met = self._is_met(threshold, self.worst, unknown_holds=True)
                if met and not self._is_met(threshold, self.mildest, unknown_holds=False):
                    yield from self._inputs(threshold)

    def _inputs(self, threshold: Threshold) -> Iterator[Input]:
        yield Input.VALUE
        for one in threshold.compared(with_baseline=self.known.compares_with_baseline):
            if one.multiple_of is not None:
                yield one.multiple_of
            if one.measure is not None and self.known.exactly_beside(one) is None:
                yield Input(one.measure)
        asked = threshold.condition
        if asked is not None and self.known.condition(asked) is None:
            yield self.known.lacks(asked)

    def _worst_met(self, corner: Mapping[Input, End], *, unknown_holds: bool) -> tuple[Grade, str]:
        for level, any_of in self.ladder.steps:
            for threshold in any_of:
                if self._is_met(threshold, corner, unknown_holds=unknown_holds):
                    return level, threshold.text
        return Grade.NONE, "no threshold met"

    def _is_met(
        self, threshold: Threshold, corner: Mapping[Input, End], *, unknown_holds: bool
    ) -> bool:
        compared = threshold.compared(with_baseline=self.known.compares_with_baseline)
        if not compared or not self.known.lasted(threshold):
            return False
        if not all(self._compares(one, corner, favourably=unknown_holds) for one in compared):
            return False
        if threshold.condition is None:
            return True
        holds = self.known.condition(threshold.condition)
        return unknown_holds if holds is None else holds

    def _compares(
        self, comparison: Comparison, corner: Mapping[Input, End], *, favourably: bool
    ) -> bool:
        value, against = corner[Input.VALUE], End(comparison.factor)
        if comparison.measure is not None:
            lies = self.known.range_beside(comparison)
            upward = comparison.operator in (Operator.GT, Operator.GE)
            value = lies.high if upward is favourably else lies.low
        elif comparison.multiple_of is not None:
            one = corner[comparison.multiple_of]
            against = End(one.number * comparison.factor + comparison.offset, one.side)
        return bool(_COMPARE[comparison.operator](value, against))


def bounded(measured: Measured, known: Known) -> GradingOutcome:
    """Return the grade or the tightest interval that *known* allows."""
    cases = _possible(measured, known)
    if not cases:  # limits and baseline contradict each other: they tell nothing
        return bounded(measured, replace(known, limits={}))
    ends = [case.ends() for case in cases]
    at_least, because = min(low for low, _ in ends)
    at_most, _ = max(high for _, high in ends)
    if at_least == at_most:
        return ExactGrade(at_least, because)
    unknown = {name for name in _LIMITS if known.exact(name) is None}
    missing: set[Input] = set()
    for case in cases:
        missing.update(case.undecided(at_least, at_most))
    if len(cases) > 1:
        missing |= _telling_apart(cases, measured.direction)
    named = {_named(name, known) for name in missing if _is_unknown(name, unknown, known)}
    return Incomplete(at_least, at_most, frozenset(named), because)


def turning_points(measured: Measured, known: Known) -> set[Decimal]:
    """Return every number at which what is said of the value may change, whatever is missing."""
    corners = [(case, corner) for case in _possible(measured, known) for corner in case.corners]
    return {
        corner[one.multiple_of].number * one.factor + one.offset if one.multiple_of else one.factor
        for case, corner in corners
        for _, any_of in case.ladder.steps
        for threshold in any_of
        for one in threshold.of_the_value()
    }


def _telling_apart(cases: Sequence[Case], direction: Direction) -> set[Input]:
    """Return what decides between the arms that may be the participant's."""
    if any(case.ladder.baseline is Baseline.ANTICOAGULATED for case in cases):
        return {Input.ANTICOAGULATION}
    return {Input.BASELINE, direction.limit}


def _is_unknown(name: Input, unknown: set[Input], known: Known) -> bool:
    if name is Input.VALUE:
        return known.value is None
    return name in unknown if name in _LIMITS else True


def _named(name: Input, known: Known) -> Input:
    if name is Input.VALUE:
        return known.imprecise
    return Input.UNIT if name in known.misfits else name


def _possible(measured: Measured, known: Known) -> list[Case]:
    plausible = measured.range_in(known.unit)
    baseline = range_of(known.limits.get(Input.BASELINE), plausible)
    ranges = {
        Input.VALUE: known.lies,
        Input.LLN: _limit(known.limits.get(Input.LLN)),
        Input.ULN: _limit(known.limits.get(Input.ULN)),
        Input.BASELINE: baseline,
    }
    high = measured.direction is Direction.HIGH
    cases = []
    for ladder in measured.ladders(known.unit):
        if known.is_for(ladder.baseline, measured.direction) is False:
            continue
        order = _BASELINE_IS.get((ladder.baseline, measured.direction))
        orders = [_LIMITS_IN_ORDER]
        if order is not None and known.compares_with_baseline:
            orders.append(order)
        tight = narrowed(ranges, orders)
        if tight is None:
            continue
        low = {n: r.low if n is Input.VALUE else r.high for n, r in tight.items()}
        top = {n: r.high if n is Input.VALUE else r.low for n, r in tight.items()}
        cases.append(Case(ladder, known, low if high else top, top if high else low))
    return cases


def _limit(quantity: Quantity | None) -> Range:
    if quantity is not None and quantity.value == 0 and quantity.censoring is None:
        return Range(End(Decimal(0)), End(Decimal(0)))
    return range_of(quantity, UNKNOWN)
