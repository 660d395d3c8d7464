"""Content of the charts of designs, apart from the library that draws them: it loads slowly."""

from dataclasses import dataclass
from typing import Literal

from services.vocabulary.protocol import PersonTimeBoundary

ImageFormat = Literal["svg", "png", "pdf"]


@dataclass(frozen=True, slots=True)
class PlottedRule:
    """One rule, as the points of its curves.

    Args:
        label: Its name in the legend.
        looks: Evaluable participants at each look.
        boundary: Events that stop at each look; above the look: it cannot stop there.
        rates: Event rates, rising, in [0, 1], or hazard ratios.
        p_stop: Probability of ever stopping at each of *rates*.
        lower: Events that stop as safe enough, or fewer, at each look, -1: none; empty: no such.
        person_time: The boundary of a rule of person-time; *looks* and *boundary* are then empty.
    """

    label: str
    looks: tuple[int, ...]
    boundary: tuple[int, ...]
    rates: tuple[float, ...]
    p_stop: tuple[float, ...]
    lower: tuple[int, ...] = ()
    person_time: PersonTimeBoundary | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks on the curves: acceptable rate, unacceptable rate if any, nominal alpha.

    *of_ratios*: the rates, and those of the curves, are hazard ratios; the acceptable one is 1.
    """

    p0: float
    alpha: float
    p1: float | None = None
    of_ratios: bool = False


@dataclass(frozen=True, slots=True)
class Captions:
    """The title over a picture and the note under it."""

    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One part of the document; it begins a page.

    Args:
        title: Over it.
        items: Each a term and its explanation.
        table: Rows of cells, the head first; empty: none.
        rule: The one whose curves stand at its end.
        marks: On those curves.
        n: Planned maximum of that rule.
    """

    title: str
    items: tuple[tuple[str, str], ...]
    table: tuple[tuple[str, ...], ...] = ()
    rule: PlottedRule | None = None
    marks: Marks | None = None
    n: int = 0
