"""The value that counts, of several of one measure at one instant: the worst."""

from collections.abc import Sequence
from decimal import Decimal

from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.measure import Ion
from services.vocabulary.quantity import Quantity


def select_worst_value(
    values: Sequence[Quantity], direction: Direction, ion: Ion | None = None
) -> Quantity | None:
    """Return the worst of *values* in *direction*, None of none; their order does not matter.

    A value that cannot be compared, for its unit or because it is a bound, gives way to any other.

    >>> albumins = [Quantity(Decimal(40), "g/L"), Quantity(Decimal(3), "g/dL")]
    >>> select_worst_value(albumins, Direction.LOW).unit
    'g/dL'

    Args:
        values: Of one measure.
        direction: In which a value is worse.
        ion: Of the measure, for equivalents; None: it has none.
    """
    unit = _find_common_unit(values, ion)

    def rank_value(value: Quantity) -> tuple[bool, Decimal, str, str, Decimal]:
        rescaled_value = rescale_quantity(value, unit, ion)
        alike = (value.unit, str(value.censoring or ""), value.value)
        if rescaled_value is None or value.censoring is not None:
            return True, Decimal(0), *alike
        number = rescaled_value.value
        return False, number if direction is Direction.LOW else -number, *alike

    return min(values, key=rank_value, default=None)


def _find_common_unit(values: Sequence[Quantity], ion: Ion | None) -> str:
    """Return the unit in which most of *values* are a number, of several the first by name."""
    numbers = [value for value in values if value.censoring is None]

    def count_fits(unit: str) -> int:
        return sum(rescale_quantity(value, unit, ion) is not None for value in numbers)

    units = sorted({value.unit for value in values if value.unit})
    return max(units, key=count_fits, default="")
