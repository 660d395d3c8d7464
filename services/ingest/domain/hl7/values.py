"""Values, units and limits of normal, as laboratories write them.

Source: HL7 v2.5.1, 2.A.46 (NM), 2.A.70 (SN), 7.4.2.7 (OBX-7)
"""

import re
from collections.abc import Sequence

from services.vocabulary.number_text import parse_reported_number
from services.vocabulary.quantity import Censoring, Quantity, split_censoring

_RANGE = re.compile(r"([+-]?[0-9.]+)\s*(?:-|\u2013|to)\s*([+-]?[0-9.]+)")


def read_value(kind: str, components: Sequence[str], unit: str) -> Quantity | None:
    """Return the quantity of an OBX-5 of type *kind* (OBX-2); None when it is no number.

    >>> read_value("SN", [">", "500"], "U/L")
    Quantity(value=Decimal('500'), unit='U/L', censoring=<Censoring.MORE_THAN: '>'>)
    >>> read_value("ST", ["<0.1"], "10*9/L").censoring
    <Censoring.LESS_THAN: '<'>
    >>> read_value("SN", ["", "1", ":", "128"], "") is None
    True
    """
    if kind == "SN":
        sign, number, *further_parts = (*components, "", "")
        if any(further_parts):
            return None
        text = f"{sign.strip()}{number.strip()}"
    else:
        text = components[0].strip()
    return _read_quantity(text, unit)


def _read_quantity(text: str, unit: str) -> Quantity | None:
    censoring, rest = split_censoring(text)
    number = parse_reported_number(rest if censoring else rest.removeprefix("="))
    return None if number is None else Quantity(number, unit, censoring)


def read_limits(text: str, unit: str) -> tuple[Quantity | None, Quantity | None] | None:
    """Return the lower and upper limit of normal in *text* (OBX-7); None when it is no range.

    >>> read_limits("49 - 92", "U/L")[1].value, read_limits("[ < 4.5]", "")[0]
    (Decimal('92'), None)
    >>> read_limits("negative", "") is None, read_limits("", "")
    (True, (None, None))
    """
    text = text.strip().strip("[]()").strip()
    if not text:
        return None, None
    interval = _RANGE.fullmatch(text)
    if interval:
        low, high = parse_reported_number(interval[1]), parse_reported_number(interval[2])
        if low is None or high is None or low > high:
            return None
        return Quantity(low, unit), Quantity(high, unit)
    censoring, rest = split_censoring(text)
    number = parse_reported_number(rest)
    if censoring is None or number is None:
        return None
    limit = Quantity(number, unit)
    is_upper = censoring in (Censoring.LESS_THAN, Censoring.AT_MOST)
    return (None, limit) if is_upper else (limit, None)
