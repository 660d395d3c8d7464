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


_SIGNS = {sign.value: sign for sign in Censoring} | {
    "≤": Censoring.AT_MOST,
    "≥": Censoring.AT_LEAST,
}


def split_censoring(text: str) -> tuple[Censoring | None, str]:
    """Return the sign that *text* begins with, None when it has none, and the rest.

    >>> split_censoring("<= 0.1"), split_censoring("7")
    ((<Censoring.AT_MOST: '<='>, ' 0.1'), (None, '7'))
    """
    for length in (2, 1):
        if (sign := _SIGNS.get(text[:length])) is not None:
            return sign, text[length:]
    return None, text


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
