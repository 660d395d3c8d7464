"""A number as the sender reported it: nothing converted, nothing rounded."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Censoring(StrEnum):
    """The side of the reported number on which the true value lies."""

    LESS_THAN = "<"
    AT_MOST = "<="
    AT_LEAST = ">="
    MORE_THAN = ">"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A finite decimal value in a UCUM unit; an empty *unit* means that none was reported.

    >>> Quantity(Decimal("NaN"), "g/L")
    Traceback (most recent call last):
        ...
    ValueError: not a finite number: NaN

    Raises:
        ValueError: The value is infinite or not a number.
    """

    value: Decimal
    unit: str
    censoring: Censoring | None = None

    def __post_init__(self) -> None:
        if not self.value.is_finite():
            raise ValueError(f"not a finite number: {self.value}")
