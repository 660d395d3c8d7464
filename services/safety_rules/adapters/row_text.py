"""The cells of a table of readings: their values, or why they cannot be read.

Source: docs/decisions/grading.md, "A row of `aegis grade`"
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    OwnLimits,
    Treatment,
)
from services.vocabulary.grade import Symptoms
from services.vocabulary.number_text import GROUPED_BY_COMMA, parse_number
from services.vocabulary.quantity import Quantity, split_censoring

_NUMBER_AND_UNIT = re.compile(r" ?(?P<number>\S+)(?: (?P<unit>.+))?")
_YES_OR_NO = {
    **dict.fromkeys(("yes", "y", "true", "1"), True),
    **dict.fromkeys(("no", "n", "false", "0"), False),
}
_NO_BASELINE = "none"  # the reading is the baseline itself, or earlier


FindUnit = Callable[[str], str | None]  # the UCUM unit of a spelling, None when it is not known


class RowError(ValueError):
    """A row cannot be graded: the message says which cell, and why."""


def quantity_in(column: str, text: str, unit: str, find_unit: FindUnit) -> Quantity | None:
    """Return the quantity in a cell, in *unit* unless it names its own; None: it is empty.

    >>> quantity_in("lln", "<= 0.5", "g/L", {}.get)
    Quantity(value=Decimal('0.5'), unit='g/L', censoring=<Censoring.AT_MOST: '<='>)
    >>> quantity_in("lln", "low", "g/L", {}.get)
    Traceback (most recent call last):
        ...
    services...RowError: lln: 'low' is no number

    Raises:
        RowError: It is no number, with or without ``<``, ``<=``, ``>`` or ``>=`` before it.
    """
    text = text.strip()
    if not text:
        return None
    censoring, rest = split_censoring(text)
    match = _NUMBER_AND_UNIT.fullmatch(rest)
    number = None if match is None else number_in(match["number"])
    if match is None or number is None:
        remedy = ": write decimals with a point" if "," in text else ""
        raise RowError(f"{column}: {text!r} is no number{remedy}")
    own_unit = match["unit"]
    return Quantity(number, unit if own_unit is None else unit_in(own_unit, find_unit), censoring)


def number_in(text: str) -> Decimal | None:
    """Return the number in a cell, where a comma marks thousands; None when it is none.

    >>> number_in("1,200"), number_in("0,450")
    (Decimal('1200'), None)
    """
    number = parse_number(text.strip())
    return GROUPED_BY_COMMA.parse(text) if number is None else number


def unit_in(text: str, find_unit: FindUnit) -> str:
    """Return the UCUM unit of a spelling; one that is not known stays as it is, and fits nothing.

    >>> unit_in("K/uL ", {"K/uL": "10*3/uL"}.get), unit_in("furlong", {}.get)
    ('10*3/uL', 'furlong')
    """
    text = text.strip()
    return find_unit(text) or text


def baseline_in(texts: Mapping[str, str], unit: str, find_unit: FindUnit) -> Baseline:
    """Return the baseline; empty: there is one, and it is not known; ``none``: this is before it.

    Without limits of its own it is judged by those of the row.

    Raises:
        RowError: It, or a limit of its own, is no number.
    """
    text = texts["baseline"]
    if text.strip().casefold() == _NO_BASELINE:
        return NoBaseline()
    baseline, lln, uln = (
        quantity_in(column, texts[column], unit, find_unit)
        for column in ("baseline", "baseline_lln", "baseline_uln")
    )
    if baseline is None:
        return BaselineUnknown()
    has_own_limits = lln is not None or uln is not None
    return BaselineKnown(baseline, OwnLimits(lln, uln) if has_own_limits else None)


def yes_or_no(column: str, text: str) -> bool | None:
    """Return the answer in a cell; None when it is empty.

    >>> yes_or_no("fasting", "Yes"), yes_or_no("fasting", "")
    (True, None)

    Raises:
        RowError: It says neither.
    """
    text = text.strip().casefold()
    if not text:
        return None
    if text not in _YES_OR_NO:
        raise RowError(f"{column}: {text!r} is neither yes nor no")
    return _YES_OR_NO[text]


def symptoms_in(text: str) -> Symptoms | None:
    """Return the symptoms of a cell: yes or no, or their severity; None when it is empty.

    >>> symptoms_in("yes"), symptoms_in("mild"), symptoms_in("no")
    (<Symptoms.PRESENT: 'present'>, <Symptoms.MILD: 'mild'>, <Symptoms.NONE: 'none'>)

    Raises:
        RowError: It says neither.
    """
    said = text.strip().casefold()
    if said in set(Symptoms):
        return Symptoms(said)
    try:
        are_present = yes_or_no("symptomatic", text)
    except RowError as error:
        raise RowError(f"{error}, nor one of {', '.join(Symptoms)}") from None
    if are_present is None:
        return None
    return Symptoms.PRESENT if are_present else Symptoms.NONE


def treatment_in(text: str) -> Treatment | None:
    """Return what was started against a high glucose, None when the cell is empty.

    Raises:
        RowError: It is none of `Treatment`.
    """
    text = text.strip().casefold()
    if not text:
        return None
    if text not in set(Treatment):
        raise RowError(f"treatment: {text!r} is none of {', '.join(Treatment)}")
    return Treatment(text)
