"""Calcium corrected for albumin, which CTCAE grades.

Source: CTCAE v5.0, Metabolism and nutrition disorders, "Hypocalcemia"; docs/decisions/grading.md
"""

from decimal import Decimal

from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.quantity import Quantity

# per unit of calcium: the unit of albumin, the normal albumin, and the slope
_FORMULA = {
    "mg/dL": ("g/dL", Decimal("4.0"), Decimal("0.8")),
    "mmol/L": ("g/L", Decimal(40), Decimal("0.02")),
}
# albumin that the formula is used with, narrower than the plausible range in measures.csv
_USABLE_ALBUMIN = {"g/dL": (Decimal("1.0"), Decimal("6.0")), "g/L": (Decimal(10), Decimal(60))}


def correct_calcium_range(total: Range, unit: str, albumin: Quantity | None) -> Range | None:
    """Return the range of the corrected calcium, None when *unit* has no formula.

    Args:
        total: Range of the measured total calcium, in *unit*.
        unit: ``mg/dL`` or ``mmol/L``.
        albumin: Of about the same time; None or in a unit that does not fit: unknown, and then
            any that the formula is used with.
    """
    if unit not in _FORMULA:
        return None
    albumin_unit, normal, slope = _FORMULA[unit]
    fits = None if albumin is None else rescale_quantity(albumin, albumin_unit)
    low, high = _USABLE_ALBUMIN[albumin_unit]
    if fits is not None and fits.censoring is None and low <= fits.value <= high:
        low = high = fits.value
    return Range(
        RangeEnd(total.low.number + slope * (normal - high), total.low.side),
        RangeEnd(total.high.number + slope * (normal - low), total.high.side),
    )
