"""Which measure of a term was meant, when it allows several.

Source: docs/decisions/grading.md, "no measure"
"""

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.units import convert_to_published_unit
from services.vocabulary.quantity import Quantity

_ALSO_CALLED = {"calcium-total": "calcium"}


class UnclearMeasureError(ValueError):
    """What was measured cannot be told; the message says what it may be."""


def choose_measure(
    criterion: CompiledCriterion, said: str, value: Quantity, *, has_albumin: bool
) -> str:
    """Return the measure that *said* names; without a word the only one that *value* can be.

    A total calcium without an albumin may be anything that a corrected one is, so it stands for
    both; a value with an albumin is one. Measures with the same thresholds are as good as one.

    Args:
        criterion: The term.
        said: As written; empty: nothing was said.
        value: Any number in the unit of the value.
        has_albumin: An albumin was given beside it.

    Raises:
        UnclearMeasureError: No measure of the term is called so, or several are possible.
    """
    of_the_term = ", ".join(criterion.measures)
    if said:
        name = "-".join(said.casefold().replace("_", " ").replace("-", " ").split())
        name = _ALSO_CALLED.get(name, name)
        if name not in criterion.gradings:
            raise UnclearMeasureError(f"{said!r} is none of {of_the_term}")
        return name
    possible = list(criterion.measures)
    if len(possible) > 1:
        fitting = [name for name in possible if _fits_unit(criterion, name, value)]
        possible = fitting or possible
    if "calcium" in possible:
        others = [] if has_albumin else [m for m in possible if m != "calcium-corrected"]
        possible = others or ["calcium"]
    arms = criterion.criterion.arms
    if any(arms[name] != arms[possible[0]] for name in possible):
        raise UnclearMeasureError(f"say which it is: {', '.join(possible)}")
    return possible[0]


def _fits_unit(criterion: CompiledCriterion, measure: str, value: Quantity) -> bool:
    measured = criterion.gradings[measure]
    return convert_to_published_unit(value, measured.units, measured.valence) is not None
