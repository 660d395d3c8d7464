"""Measures: the quantities, scores and words that observations report, by ``measures.csv``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class MeasureKind(StrEnum):
    """The origin of a measure, and the form of its values."""

    LABORATORY = "laboratory"
    BEDSIDE = "bedside"  # charted or examined: no laboratory reports it
    SETTING = "setting"  # of a device
    SCORE = "score"  # whole points
    WORD = "word"


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """The values that a living person may have, both ends inside."""

    low: Decimal
    high: Decimal

    def contains(self, value: Decimal) -> bool:
        """Return True when *value* is plausible.

        >>> [PlausibleRange(Decimal(14), Decimal(46)).contains(Decimal(n)) for n in (13, 14, 46)]
        [False, True, True]
        """
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Ion:
    """An ion that a measure counts.

    Args:
        valence: Its charges.
        molar_mass: In g/mol, for a measure that is sent as a mass and published in moles alone;
            None: a mass is never converted.
    """

    valence: int
    molar_mass: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of ``measures.csv``.

    Args:
        name: As in facts and criteria, e.g. ``neutrophils``.
        kind: Its origin.
        ion: None: it counts no ion.
        plausible: By UCUM unit; empty: no criterion and no query asks.
        normal: By UCUM unit, what every laboratory calls normal in adults; empty: not known.
    """

    name: str
    kind: MeasureKind
    ion: Ion | None
    plausible: Mapping[str, PlausibleRange]
    normal: Mapping[str, Decimal] = field(default_factory=dict)
