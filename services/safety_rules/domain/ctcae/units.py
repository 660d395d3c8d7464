"""Units that differ only by an exact factor: only these are rescaled.

Mass becomes moles only where a measure names its molar mass, because its criteria are published in
moles alone. Those that publish both disagree with the conversion, so a value is graded in the unit
system in which it was reported.

Source: UCUM v2.1, "Prefixes"; docs/decisions/grading.md, "unit", "equivalents"
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from services.vocabulary.measure import Ion
from services.vocabulary.quantity import Quantity

# Measures with one unit only, which may be omitted. Source: docs/decisions/grading.md, "no unit"
_NEEDS_NO_UNIT = frozenset({"{INR}", "[pH]", "{Zscore}", "{Tscore}"})
_UNITS_WITHOUT_ANOTHER = _NEEDS_NO_UNIT | {
    "Cel", "mm[Hg]", "mL/min", "mL/min/{1.73_m2}", "mL/min/mm[Hg]", "kg/m2",
}  # fmt: skip
_POWERS_OF_TEN: tuple[Mapping[str, int], ...] = (
    {
        "10*12/L": 12,
        "10*9/mL": 12,
        "10*6/uL": 12,
        "10*5/uL": 11,
        "10*4/uL": 10,
        "10*9/L": 9,
        "10*6/mL": 9,
        "10*3/uL": 9,
        "10*2/uL": 8,
        "10*6/L": 6,
        "10*3/mL": 6,
        "/mm3": 6,
        "/uL": 6,
        "10*3/L": 3,
        "/mL": 3,
        "/L": 0,
    },  # one per litre
    {
        "kg/L": 3,
        "g/dL": 1,
        "g/L": 0,
        "mg/mL": 0,
        "mg/dL": -2,
        "mg/L": -3,
        "ug/mL": -3,
        "ug/dL": -5,
        "ug/L": -6,
        "ng/mL": -6,
        "ng/dL": -8,
        "ng/L": -9,
        "pg/mL": -9,
    },  # one gram per litre
    {"mol/L": 0, "mmol/L": -3, "umol/L": -6, "nmol/L": -9, "pmol/L": -12},  # one mole per litre
    {"kU/L": 3, "U/L": 0, "mU/L": -3, "U/mL": 3, "mU/mL": 0},
    {"kat/L": 0, "ukat/L": -6, "nkat/L": -9},
    {"%": -2, "1": 0},
    {"s": 0, "ms": -3},
    {"kg": 3, "g": 0, "mg": -3, "ug": -6},
    {"L": 0, "dL": -1, "mL": -3},
    {"g/d": 0, "mg/d": -3, "ug/d": -6, "g/(24.h)": 0, "mg/(24.h)": -3, "ug/(24.h)": -6},
    {"mg/mg": 0, "g/g": 0, "mg/g": -3},
    *({unit: 0} for unit in _UNITS_WITHOUT_ANOTHER),
)
_NO_UNIT = frozenset({"", "1"})
_POWER = {unit: (powers, power) for powers in _POWERS_OF_TEN for unit, power in powers.items()}
_MASS, _MOLES = "g/L", "mol/L"
_EQUIVALENTS = {"eq/L": "mol/L", "meq/L": "mmol/L", "ueq/L": "umol/L"}


def is_listed(unit: str) -> bool:
    """Return True when a criterion may be published in *unit*."""
    return unit in _POWER


def is_scaled_exactly(unit: str, other: str) -> bool:
    """Return True when a factor without end digits makes a value in *unit* one in *other*.

    >>> [is_scaled_exactly(unit, "mmol/L") for unit in ("umol/L", "meq/L", "mg/dL")]
    [True, True, False]
    """
    return (
        unit == other or unit in _NO_UNIT or unit in _EQUIVALENTS or _differ_by_power(unit, other)
    )


def rescale_quantity(quantity: Quantity, unit: str, ion: Ion | None = None) -> Quantity | None:
    """Return *quantity* in *unit*, exactly, or None when they do not share a dimension.

    >>> rescale_quantity(Quantity(Decimal("100.4"), "[degF]"), "Cel").value
    Decimal('38.0')
    >>> rescale_quantity(Quantity(Decimal("5.0"), "meq/L"), "mmol/L", Ion(2)).value
    Decimal('2.5')
    >>> rescale_quantity(Quantity(Decimal(1), "mg/dL"), "mmol/L", Ion(2)) is None
    True
    >>> rescale_quantity(Quantity(Decimal("6.0117"), "mg/dL"), "mmol/L", Ion(2, Decimal("40.078")))
    Quantity(value=Decimal('1.5'), unit='mmol/L', censoring=None)

    Args:
        quantity: In any unit.
        unit: Listed.
        ion: For equivalents, and for a mass that is published in moles; None: they fit nothing.
    """
    current_unit = quantity.unit
    if current_unit == unit:
        return quantity if unit else None
    if current_unit in _NO_UNIT and unit in _NEEDS_NO_UNIT:
        return replace(quantity, unit=unit)
    if current_unit == "[degF]" and unit == "Cel":
        return replace(quantity, value=_convert_to_celsius(quantity.value), unit=unit)
    if _differ_by_power(current_unit, unit):
        shift = _POWER[current_unit][1] - _POWER[unit][1]
        return replace(quantity, value=quantity.value.scaleb(shift), unit=unit)
    moles = None if ion is None else _count_moles(quantity, ion)
    return None if moles is None or unit not in _POWER else rescale_quantity(moles, unit)


def _differ_by_power(unit: str, other: str) -> bool:
    return unit in _POWER and other in _POWER and _POWER[unit][0] is _POWER[other][0]


def _count_moles(quantity: Quantity, ion: Ion) -> Quantity | None:
    """Return equivalents of *ion*, or a mass whose molar mass is named, as moles."""
    unit = quantity.unit
    if unit in _EQUIVALENTS:
        return replace(quantity, value=quantity.value / ion.valence, unit=_EQUIVALENTS[unit])
    if ion.molar_mass is not None and unit in _POWER and _MASS in _POWER[unit][0]:
        value = quantity.value.scaleb(_POWER[unit][1]) / ion.molar_mass
        return replace(quantity, value=value, unit=_MOLES)
    return None


def _convert_to_celsius(fahrenheit: Decimal) -> Decimal:
    """Return degrees Celsius: exact wherever a published limit, with its one decimal, can lie."""
    value = (fahrenheit - 32) * 5 / 9
    short = value.quantize(Decimal("0.1"))
    return short if short == value else value


def convert_to_published_unit(
    quantity: Quantity, published_units: Sequence[str], ion: Ion | None = None
) -> Quantity | None:
    """Return *quantity* in the unit it is graded in, or None when none fits.

    Args:
        quantity: As reported.
        published_units: The criterion's unit systems, of which the nearest in size is taken. Empty
            when it is written in multiples alone: then any unit that value and limits share fits.
        ion: For equivalents, and for a mass that is published in moles.
    """
    if not published_units:
        return quantity
    if quantity.unit in published_units:
        return quantity
    fits = [
        fit
        for unit in published_units
        if (fit := rescale_quantity(quantity, unit, ion)) is not None
    ]
    return min(fits, key=lambda fit: abs(fit.value - quantity.value), default=None)
