"""An exact comparison of one site with all the others, valid for small networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb


@dataclass(frozen=True, slots=True)
class SiteTable:
    """Events among participants, at one site and at all the others together."""

    events: int
    participants: int
    other_events: int
    other_participants: int

    def __post_init__(self) -> None:
        for name, count, total in (
            ("events", self.events, self.participants),
            ("other_events", self.other_events, self.other_participants),
        ):
            if not 0 <= count <= total:
                raise ValueError(f"{name} must be from 0 to {total}, not {count}")


@dataclass(frozen=True, slots=True)
class FisherResult:
    """The p values of one table, with its margins fixed; each from 0 to 1.

    Args:
        one_sided: The chance of as many events at the site, or more.
        two_sided: The chance of every table that is no more probable than this one.
        smallest_one_sided: The smallest *one_sided* that the margins allow.
        smallest_two_sided: The smallest *two_sided* that they allow.
    """

    one_sided: float
    two_sided: float
    smallest_one_sided: float
    smallest_two_sided: float


def run_fisher_test(table: SiteTable) -> FisherResult:
    """Return Fisher's exact test, summed in whole numbers: ties are ties.

    >>> result = run_fisher_test(SiteTable(3, 4, other_events=1, other_participants=4))
    >>> round(result.one_sided * 70), round(result.two_sided * 70)
    (17, 34)
    >>> round(result.smallest_one_sided * 70), round(result.smallest_two_sided * 70)
    (1, 2)

    Source: Fisher 1935, The Design of Experiments, section 11
    """
    events = table.events + table.other_events
    low, high = max(0, events - table.other_participants), min(events, table.participants)
    ways = {
        k: comb(table.participants, k) * comb(table.other_participants, events - k)
        for k in range(low, high + 1)
    }
    all_ways, observed_ways, fewest_ways = (
        sum(ways.values()),
        ways[table.events],
        min(ways.values()),
    )
    return FisherResult(
        one_sided=float(Fraction(sum(w for k, w in ways.items() if k >= table.events), all_ways)),
        two_sided=float(Fraction(sum(w for w in ways.values() if w <= observed_ways), all_ways)),
        smallest_one_sided=float(Fraction(ways[high], all_ways)),
        smallest_two_sided=float(
            Fraction(sum(w for w in ways.values() if w == fewest_ways), all_ways)
        ),
    )


def adjust_p_values(
    p_values: Sequence[float], smallest_p_values: Sequence[float], level: float
) -> tuple[float | None, ...]:
    """Return each p value by Holm's method; None: its comparison cannot reach *level*.

    A comparison whose margins allow no small enough p costs the others nothing. *smallest_p_values*
    follow from the margins alone, so that leaving a comparison out favours no result.

    >>> adjust_p_values([0.01, 0.5, 0.3], [0.001, 0.2, 0.2], 0.05)
    (0.01, None, None)

    Args:
        p_values: One for each comparison of the family.
        smallest_p_values: The smallest that each could have been.
        level: At which a site stands out.

    Source: Tarone 1990, Biometrics 46:515-522
    """
    able = _find_comparable(smallest_p_values, level)
    by_place = dict(zip(able, adjust_by_holm([p_values[place] for place in able]), strict=True))
    return tuple(by_place.get(place) for place in range(len(p_values)))


def _find_comparable(smallest_p_values: Sequence[float], level: float) -> list[int]:
    """Return the positions that reach *level* when adjusted for as many as there are of them."""
    for count in range(1, len(smallest_p_values) + 1):
        able = [place for place, one in enumerate(smallest_p_values) if one * count <= level]
        if len(able) <= count:
            return able
    return []


def adjust_by_holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return each p value adjusted by Holm's method for all comparisons.

    >>> adjust_by_holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)

    Source: Holm 1979, Scand J Statist 6:65-70
    """
    adjusted_p_values = [0.0] * len(p_values)
    floor = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted_p_values[place] = floor
    return tuple(adjusted_p_values)
