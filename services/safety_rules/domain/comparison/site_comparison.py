"""One site beside all the others, exactly: no approximation that a small network cannot reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb


@dataclass(frozen=True, slots=True)
class Table:
    """*events* of *of* at the site, *other_events* of *other_of* at the others."""

    events: int
    of: int
    other_events: int
    other_of: int

    def __post_init__(self) -> None:
        for name, count, of in (
            ("events", self.events, self.of),
            ("other_events", self.other_events, self.other_of),
        ):
            if not 0 <= count <= of:
                raise ValueError(f"{name} must be from 0 to {of}, not {count}")


@dataclass(frozen=True, slots=True)
class Exact:
    """Of one table, with its margins fixed; each from 0 to 1.

    Args:
        more: One-sided: as many events at the site, or more.
        two_sided: Every table that is no more probable than this one.
        least: The smallest *more* that the margins allow.
        least_two_sided: The smallest *two_sided* that they allow.
    """

    more: float
    two_sided: float
    least: float
    least_two_sided: float


def fisher(table: Table) -> Exact:
    """Return Fisher's exact test, summed in whole numbers: ties are ties.

    >>> found = fisher(Table(events=3, of=4, other_events=1, other_of=4))
    >>> [round(p * 70) for p in (found.more, found.two_sided, found.least, found.least_two_sided)]
    [17, 34, 1, 2]

    Source: Fisher 1935, The Design of Experiments, section 11
    """
    events = table.events + table.other_events
    low, high = max(0, events - table.other_of), min(events, table.of)
    ways = {k: comb(table.of, k) * comb(table.other_of, events - k) for k in range(low, high + 1)}
    whole, here, rarest = sum(ways.values()), ways[table.events], min(ways.values())
    return Exact(
        more=float(Fraction(sum(w for k, w in ways.items() if k >= table.events), whole)),
        two_sided=float(Fraction(sum(w for w in ways.values() if w <= here), whole)),
        least=float(Fraction(ways[high], whole)),
        least_two_sided=float(Fraction(sum(w for w in ways.values() if w == rarest), whole)),
    )


def adjusted(
    chances: Sequence[float], least: Sequence[float], level: float
) -> tuple[float | None, ...]:
    """Return each p value by Holm's method among those that can reach *level*; None: it cannot.

    A comparison whose margins allow no small enough p costs the others nothing. *least* is known
    from the margins alone, so that leaving it out favours no result.

    >>> adjusted([0.01, 0.5, 0.3], [0.001, 0.2, 0.2], 0.05)
    (0.01, None, None)

    Args:
        chances: One for each comparison of the family.
        least: The smallest that each could have been.
        level: At which a site stands out.

    Source: Tarone 1990, Biometrics 46:515-522
    """
    able = _able(least, level)
    by_place = dict(zip(able, holm([chances[place] for place in able]), strict=True))
    return tuple(by_place.get(place) for place in range(len(chances)))


def _able(least: Sequence[float], level: float) -> list[int]:
    """Return those that reach *level* when adjusted for no more than there are of them."""
    for many in range(1, len(least) + 1):
        able = [place for place, one in enumerate(least) if one * many <= level]
        if len(able) <= many:
            return able
    return []


def holm(chances: Sequence[float]) -> tuple[float, ...]:
    """Return each p value adjusted for all: one of those that mean nothing is as low by no more.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)

    Source: Holm 1979, Scand J Statist 6:65-70
    """
    found = [0.0] * len(chances)
    floor = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        floor = max(floor, min(1.0, (len(chances) - rank) * chances[place]))
        found[place] = floor
    return tuple(found)
