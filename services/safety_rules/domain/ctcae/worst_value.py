"""The value that counts, of several of one measure at one instant: the worst."""

from collections.abc import Sequence
from decimal import Decimal

from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.quantity import Quantity


def select_worst_value(values: Sequence[Quantity], direction: Direction) -> Quantity | None:
    """Return the worst of *values* in *direction*, None of none.

    A value that cannot be compared, for its unit or because it is a bound, gives way to any other.

    >>> albumins = [Quantity(Decimal(40), "g/L"), Quantity(Decimal(3), "g/dL")]
    >>> select_worst_value(albumins, Direction.LOW).unit
    'g/dL'
    """
    unit = next((one.unit for one in values if one.unit), "")

    def rank_value(value: Quantity) -> tuple[bool, Decimal]:
        rescaled_value = rescale_quantity(value, unit)
        if rescaled_value is None or value.censoring is not None:
            return True, Decimal(0)
        number = rescaled_value.value
        return False, number if direction is Direction.LOW else -number

    return min(values, key=rank_value, default=None)
