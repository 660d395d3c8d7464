"""The choice of the measure, when a term allows several.

Source: docs/decisions/grading.md, "no measure"
"""

from dataclasses import replace

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.units import convert_to_published_unit
from services.vocabulary.quantity import Quantity

_ALSO_CALLED = {"calcium-total": "calcium"}


class UnclearMeasureError(ValueError):
    """The measure is not clear; the message lists the possible ones."""


def choose_measure(
    criterion: CompiledCriterion, written_name: str, value: Quantity, *, has_albumin: bool
) -> str:
    """Return the measure that *written_name* names; without a name the only possible one.

    A total calcium without an albumin has the grades of a corrected one, so it stands for both; a
    value with an albumin is total calcium. Measures with the same thresholds count as one.

    Args:
        criterion: The term.
        written_name: As written; empty: no name was given.
        value: Any number in the unit of the value.
        has_albumin: An albumin was given beside it.

    Raises:
        UnclearMeasureError: No measure of the term is called so, or several are possible.
    """
    of_the_term = ", ".join(criterion.measures)
    if written_name:
        name = "-".join(written_name.casefold().replace("_", " ").replace("-", " ").split())
        name = _ALSO_CALLED.get(name, name)
        if name not in criterion.gradings:
            raise UnclearMeasureError(f"{written_name!r} is none of {of_the_term}")
        return name
    measures_in_unit = [name for name in criterion.measures if _fits_unit(criterion, name, value)]
    possible_measures = measures_in_unit or list(criterion.measures)
    if "calcium" in possible_measures:
        measures_without_corrected = (
            [] if has_albumin else [m for m in possible_measures if m != "calcium-corrected"]
        )
        possible_measures = measures_without_corrected or ["calcium"]
    arms = criterion.criterion.arms
    if any(arms[name] != arms[possible_measures[0]] for name in possible_measures):
        raise UnclearMeasureError(f"say which it is: {', '.join(possible_measures)}")
    return possible_measures[0]


def _fits_unit(criterion: CompiledCriterion, measure: str, value: Quantity) -> bool:
    """Return True when *measure* is published in that kind of unit, without a molar mass."""
    grading = criterion.gradings[measure]
    ion = grading.ion and replace(grading.ion, molar_mass=None)
    return convert_to_published_unit(value, grading.units, ion) is not None
