"""Signs of life after the date of death: either the date or the sign is wrong.

Source: docs/decisions/corrections.md, "Facts that contradict each other"
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from services.safety_rules.domain.syndromes.bedside import UPPER_BOUNDS
from services.vocabulary.clinical_fact import Movement, Observation
from services.vocabulary.data_query import Query
from services.vocabulary.fact import Fact
from services.vocabulary.quantity import Censoring, Quantity

# Of the dead a monitor shows nothing or zero, and who does not answer has an ICE score of 0.
_MEASURES_ABOVE_ZERO: Final = frozenset(
    {
        *("temperature", "spo2", "sbp", "dbp", "map", "heart-rate", "respiratory-rate"),
        *("ice", "qtc", "ejection-fraction", "dlco", "fev1", "vital-capacity"),
    }
)
_MEASURES_OF_ANY_NUMBER: Final = frozenset({"capd", "fev1-z-score"})
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "arousal": frozenset({"spontaneous", "voice", "tactile"}),
    "seizure": frozenset({"brief", "prolonged"}),
}
_PAPERWORK = timedelta(days=1)  # a discharge may be entered on the day after the death


def is_sign_of_life(fact: Fact) -> bool:
    """Return True when *fact* is an observation that only the living have.

    No laboratory result is: its sample may be older. No setting of a device is: it may still run.
    """
    body = fact.body
    if not isinstance(body, Observation):
        return False
    if body.text in _WORDS.get(body.measure, ()):
        return True
    if body.value is None:
        return False
    is_above_zero = body.measure in _MEASURES_ABOVE_ZERO and _is_above_zero(body.value)
    return is_above_zero or body.measure in _MEASURES_OF_ANY_NUMBER


def query_signs_of_life(
    death: Fact, facts: Iterable[Fact], find_date: Callable[[datetime], date]
) -> Iterator[Query]:
    """Yield a query when signs of life are among *facts*, on a day after that of *death*.

    It names each kind of sign, and of each the last. A discharge is one from the second day on.
    """
    day = find_date(death.observed_at)
    last_signs: dict[str, Fact] = {}
    later_facts = (one for one in facts if one.observed_at > death.observed_at)
    for fact in sorted(later_facts, key=lambda one: (one.observed_at, one.id)):
        name = _name_sign(fact)
        if name and find_date(fact.observed_at) > day + _find_delay(fact):
            last_signs[name] = fact
    if last_signs:
        names = sorted(last_signs)
        problem = f"signs of life after the date of death: {', '.join(names)}"
        yield Query(problem, (death.id, *(last_signs[name].id for name in names)))


def _name_sign(fact: Fact) -> str:
    """Return the kind of sign that *fact* is; empty: none."""
    match fact.body:
        case Movement(to="discharge", cancelled=False):
            return "discharge"
        case Observation(measure=measure) if is_sign_of_life(fact):
            return measure
    return ""


def _find_delay(fact: Fact) -> timedelta:
    return _PAPERWORK if isinstance(fact.body, Movement) else timedelta(0)


def _is_above_zero(quantity: Quantity) -> bool:
    """Return True when the number is certainly above zero: of a bound only a lower one is."""
    if quantity.censoring in UPPER_BOUNDS:
        return False
    return quantity.value > 0 or (quantity.value == 0 and quantity.censoring is Censoring.MORE_THAN)
