"""The participants at risk on each day on which an event happened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CENSORED = ""


@dataclass(frozen=True, slots=True)
class Spell:
    """A participant is at risk from day *entry* to day *last*, both inside.

    On *last* comes *cause*, or follow-up ends (`CENSORED`). Who enters on a day is at risk on it:
    in the notation of counting processes the spell is (entry - 1/2, last].
    """

    participant: str
    entry: int
    last: int
    cause: str = CENSORED

    def __post_init__(self) -> None:
        if self.last < self.entry:
            raise ValueError(f"{self.participant} leaves on day {self.last}, before {self.entry}")


@dataclass(frozen=True, slots=True)
class RiskSet:
    """The participants at risk on one day, and how many of them had an event, by cause."""

    day: int
    at_risk: int
    events_by_cause: Mapping[str, int]

    @property
    def event_count(self) -> int:
        """Events of any cause."""
        return sum(self.events_by_cause.values())


def find_risk_sets(spells: Sequence[Spell]) -> tuple[RiskSet, ...]:
    """Return the risk set of each day with an event, in order; all events of one day are tied.

    >>> find_risk_sets([Spell("P-1", 60, 70, "death"), Spell("P-2", 70, 90), Spell("P-3", 71, 90)])
    (RiskSet(day=70, at_risk=2, events_by_cause={'death': 1}),)

    Args:
        spells: In any order, one for each participant.
    """
    by_day: dict[int, Counter[str]] = {}
    for spell in spells:
        if spell.cause != CENSORED:
            by_day.setdefault(spell.last, Counter())[spell.cause] += 1
    return tuple(
        RiskSet(day, count_at_risk(spells, day), dict(sorted(happened.items())))
        for day, happened in sorted(by_day.items())
    )


def count_at_risk(spells: Sequence[Spell], day: int) -> int:
    """Return the number of participants at risk on *day*."""
    return sum(spell.entry <= day <= spell.last for spell in spells)
