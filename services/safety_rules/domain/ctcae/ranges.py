"""Ranges of numbers that are not exactly known.

Source: docs/decisions/grading.md, "censored values", "what is unknown"
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.vocabulary.grade import Input
from services.vocabulary.quantity import Censoring, Quantity


@dataclass(frozen=True, slots=True, order=True)
class RangeEnd:
    """One end of a range: a number (0), or what lies just below (-1) or just above (+1) it.

    >>> RangeEnd(Decimal(40)) < RangeEnd(Decimal(40), +1) < RangeEnd(Decimal("40.000001"))
    True
    """

    number: Decimal
    side: int = 0


@dataclass(frozen=True, slots=True)
class Range:
    """Every number from *low* to *high*; none when the ends have crossed."""

    low: RangeEnd
    high: RangeEnd

    def contains(self, number: Decimal) -> bool:
        """Return True when *number* is in the range.

        >>> Range(RangeEnd(Decimal(0), +1), RangeEnd(Decimal(5))).contains(Decimal(0))
        False
        """
        return self.low <= RangeEnd(number) <= self.high


@dataclass(frozen=True, slots=True)
class OrderConstraint:
    """A certainty: *lower* is below *upper*, or at most equal to it when not *strictly*."""

    lower: Input
    upper: Input
    strictly: bool


UNKNOWN = Range(RangeEnd(Decimal(0), +1), RangeEnd(Decimal("Infinity")))


def find_range(quantity: Quantity | None, plausible: Range = UNKNOWN) -> Range:
    """Return the range of the true value: all of *plausible* when it is unknown or impossible.

    >>> plausible = Range(RangeEnd(Decimal(80)), RangeEnd(Decimal(220)))
    >>> find_range(Quantity(Decimal(1400), "mmol/L"), plausible).low
    RangeEnd(number=Decimal('80'), side=0)
    """
    if quantity is None:
        return plausible
    end = RangeEnd(quantity.value)
    match quantity.censoring:
        case Censoring.MORE_THAN:
            value_range = Range(RangeEnd(quantity.value, +1), plausible.high)
        case Censoring.AT_LEAST:
            value_range = Range(end, plausible.high)
        case Censoring.LESS_THAN:
            value_range = Range(plausible.low, RangeEnd(quantity.value, -1))
        case Censoring.AT_MOST:
            value_range = Range(plausible.low, end)
        case _:
            value_range = Range(end, end)
    narrowed_range = Range(
        max(value_range.low, plausible.low), min(value_range.high, plausible.high)
    )
    return narrowed_range if narrowed_range.low <= narrowed_range.high else plausible


def narrow_ranges(
    ranges: Mapping[Input, Range], orders: Sequence[OrderConstraint]
) -> Mapping[Input, Range] | None:
    """Return *ranges* as tight as *orders* make them, or None when they cannot all hold.

    All lowest ends can then be approached together, and so can all highest ends.

    >>> known = find_range(Quantity(Decimal(40), "U/L"))
    >>> ranges = {Input.LLN: known, Input.ULN: UNKNOWN, Input.BASELINE: UNKNOWN}
    >>> orders = [
    ...     OrderConstraint(Input.ULN, Input.BASELINE, False),
    ...     OrderConstraint(Input.LLN, Input.ULN, True),
    ... ]
    >>> narrow_ranges(ranges, orders)[Input.BASELINE].low
    RangeEnd(number=Decimal('40'), side=1)
    """
    narrowed_ranges = dict(ranges)
    for order in [*orders] * len(orders):  # in one round a bound may travel only one link
        lower, upper = narrowed_ranges[order.lower], narrowed_ranges[order.upper]
        floor = RangeEnd(lower.low.number, +1) if order.strictly else lower.low
        ceiling = RangeEnd(upper.high.number, -1) if order.strictly else upper.high
        narrowed_ranges[order.lower] = Range(lower.low, min(lower.high, ceiling))
        narrowed_ranges[order.upper] = Range(max(upper.low, floor), upper.high)
    return None if any(r.low > r.high for r in narrowed_ranges.values()) else narrowed_ranges
