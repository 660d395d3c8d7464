"""Limits of normal beside a result: those that can be, and what the others say about its unit.

Source: docs/decisions/grading.md, "Numbers that cannot be", "limits that contradict the unit"
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import MeasureGrading
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.grade import Input
from services.vocabulary.quantity import Quantity

_FAR = 3  # times what is normal in everybody: further is far
_NEAR = 5  # times what is normal in everybody: an ordinary limit is no further


@dataclass(frozen=True, slots=True)
class ForeignLimits:
    """Limits that cannot be in *unit*, in which they are labelled, and can be in another.

    *are_above*: too high for it; else too low.
    """

    unit: str
    are_above: bool


@dataclass(frozen=True, slots=True)
class ReportedLimits:
    """The limits that one result was reported with, in one unit.

    Args:
        possible: Those that can be.
        misfits: Those in a unit that does not fit.
        has_impossible: True if one cannot be, or if they are the wrong way round.
        contradicted_range: The numbers that no published grade covers, when the limits contradict
            them; None: they do not.
        foreign: Limits that cannot be in their unit and can be in another published one; None:
            there are none.
    """

    possible: Mapping[Input, Quantity]
    misfits: frozenset[Input]
    has_impossible: bool
    contradicted_range: Range | None
    foreign: ForeignLimits | None = None

    @property
    def may_betray_unit(self) -> bool:
        """True if the unit of some values is in doubt because of these limits."""
        return self.contradicted_range is not None or self.foreign is not None


def check_limits(
    grading: MeasureGrading, unit: str, lln: Quantity | None, uln: Quantity | None
) -> ReportedLimits:
    """Return the limits of a result in *unit*, the impossible ones left out.

    Args:
        grading: Of the measure under any criterion.
        unit: In which the result is graded.
        lln: As reported.
        uln: As reported.
    """
    plausible = grading.find_plausible_range(unit)
    possible, misfits, impossible_limits = {}, set(), {}
    for name, quantity in ((Input.LLN, lln), (Input.ULN, uln)):
        if quantity is None:
            continue
        limit = convert_to_unit_of_value(quantity, unit, grading)
        if limit is None:
            misfits.add(name)
        elif is_possible_limit(name, limit, plausible):
            possible[name] = limit
        else:
            impossible_limits[name] = quantity
    foreign = _find_foreign_limits(grading, impossible_limits)
    if _are_reversed(possible):
        return ReportedLimits(
            {}, frozenset(misfits), has_impossible=True, contradicted_range=None, foreign=foreign
        )
    contradicted_range = _find_contradicted_range(grading, unit, possible)
    return ReportedLimits(
        {} if contradicted_range else possible,
        frozenset(misfits),
        bool(impossible_limits),
        contradicted_range,
        foreign,
    )


def convert_to_unit_of_value(
    quantity: Quantity, unit: str, grading: MeasureGrading
) -> Quantity | None:
    """Return *quantity* in the *unit* of a value, None when it does not fit."""
    if not unit:
        return quantity if not quantity.unit else None
    return rescale_quantity(quantity, unit, grading.ion)


def is_possible_limit(name: Input, limit: Quantity, plausible: Range) -> bool:
    """Return True when *limit*, in the unit of *plausible*, can be one of normal.

    A lower limit of 0 is an ordinary one: there is none. Where no value is negative, an upper limit
    is above 0.
    """
    if limit.value == 0 and plausible.low >= RangeEnd(limit.value):
        return name is Input.LLN
    return plausible.contains(limit.value)


def is_unit_doubtful(grading: MeasureGrading, value: Quantity, reported: ReportedLimits) -> bool:
    """Return True when the limits of *value* contradict its unit, and it may be in theirs.

    That is so when it lies on the same side of the ungraded numbers as they do, or when it is
    plausible in another published unit. Otherwise the limits alone are of another unit. Limits that
    cannot be in its unit at all doubt a value that is far from normal on their side.
    """
    if reported.foreign is not None and _is_far_from_normal(grading, value, reported.foreign):
        return True
    if reported.contradicted_range is None:
        return False
    is_beyond = not reported.contradicted_range.contains(value.value)
    return is_beyond or is_plausible_in_other_unit(grading, value)


def _is_far_from_normal(grading: MeasureGrading, value: Quantity, foreign: ForeignLimits) -> bool:
    """Return True when *value* is far from normal on the side of the limits, as they are labelled.

    Its number under that label is plausible in another published unit, too.
    """
    labelled_value = rescale_quantity(value, foreign.unit, grading.ion)
    if labelled_value is None:
        return False
    normal = grading.normal[foreign.unit]
    number = labelled_value.value
    is_far = number > normal * _FAR if foreign.are_above else number < normal / _FAR
    return is_far and is_plausible_in_other_unit(grading, labelled_value)


def is_plausible_in_other_unit(grading: MeasureGrading, value: Quantity) -> bool:
    """Return True when the number of *value* is plausible in another unit of its measure."""
    return any(
        plausible.contains(value.value)
        for unit, plausible in grading.plausible.items()
        if unit != value.unit
    )


def _are_reversed(limits: Mapping[Input, Quantity]) -> bool:
    lln, uln = limits.get(Input.LLN), limits.get(Input.ULN)
    return lln is not None and uln is not None and lln.value >= uln.value


def _find_contradicted_range(
    grading: MeasureGrading, unit: str, limits: Mapping[Input, Quantity]
) -> Range | None:
    ranges = grading.ungraded_ranges.get(unit)
    if ranges is None:
        return None
    lln, uln = (
        limit.value if (limit := limits.get(name)) is not None else None
        for name in (Input.LLN, Input.ULN)
    )
    is_contradicted = ranges.contradicts(lln, uln) or _fit_another_unit(grading, unit, lln, uln)
    return ranges.without_grade if is_contradicted else None


def _find_foreign_limits(
    grading: MeasureGrading, limits: Mapping[Input, Quantity]
) -> ForeignLimits | None:
    """Return the unit that impossible *limits* are labelled with, and their side of it.

    As numbers of another published unit they lie around what is normal in everybody.
    """
    for unit, normal in grading.normal.items():
        if any(not _is_labelled(limit, unit, grading) for limit in limits.values()):
            continue
        other_normals = [one for name, one in grading.normal.items() if name != unit]
        for other in other_normals if limits else ():
            if all(_is_near(name, limit.value, other) for name, limit in limits.items()):
                return ForeignLimits(unit, are_above=other > normal)
    return None


def _is_near(name: Input, limit: Decimal, normal: Decimal) -> bool:
    """Return True when *limit* is on its side of what is normal, and not far from it."""
    if name is Input.LLN:
        return normal / _NEAR <= limit <= normal
    return normal <= limit <= normal * _NEAR


def _is_labelled(limit: Quantity, unit: str, grading: MeasureGrading) -> bool:
    """Return True when *unit* is the one of *limit*, in another spelling perhaps."""
    labelled_limit = rescale_quantity(limit, unit, grading.ion)
    return labelled_limit is not None and labelled_limit.value == limit.value


def _fit_another_unit(
    grading: MeasureGrading, unit: str, lln: Decimal | None, uln: Decimal | None
) -> bool:
    """Return True when what is normal in everybody is so by two limits in another unit alone."""
    if lln is None or uln is None or unit not in grading.normal:
        return False
    is_normal = {name: lln <= number <= uln for name, number in grading.normal.items()}
    return not is_normal[unit] and any(is_normal.values())
