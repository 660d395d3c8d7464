"""What charts of designs show, apart from the library that draws them, which takes long to load."""

from dataclasses import dataclass
from typing import Literal

Form = Literal["svg", "png", "pdf"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One rule as it is drawn.

    Args:
        label: How it is called.
        looks: Evaluable participants at each look.
        boundary: Events that stop at each look; above the look: it cannot stop there.
        rates: Event rates, rising, in [0, 1].
        p_stop: Probability of ever stopping at each of *rates*.
    """

    label: str
    looks: tuple[int, ...]
    boundary: tuple[int, ...]
    rates: tuple[float, ...]
    p_stop: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked on the curves: acceptable rate, unacceptable rate if any, nominal alpha."""

    p0: float
    alpha: float
    p1: float | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What is written over and under a picture."""

    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One part of the document; it begins a page.

    Args:
        title: Over it.
        items: Each a word and what is said about it.
        table: Rows of cells, the head first; empty: none.
        drawn: The rule whose curves stand at its end.
        marks: On those curves.
        n: Planned maximum of that rule.
    """

    title: str
    items: tuple[tuple[str, str], ...]
    table: tuple[tuple[str, ...], ...] = ()
    drawn: Drawn | None = None
    marks: Marks | None = None
    n: int = 0
