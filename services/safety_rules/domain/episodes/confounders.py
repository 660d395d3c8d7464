"""What else than the study drug could explain a cytokine release syndrome."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from services.safety_rules.domain.ctcae.units import rescaled
from services.safety_rules.domain.runs.run import Run
from services.vocabulary.fact import Action, Administration, Culture, Fact, Observation
from services.vocabulary.protocol import Protocol
from services.vocabulary.quantity import Censoring, Quantity

# Source: docs/decisions/episodes.md, "Confounders of CRS"
_CULTURE_WITHIN = timedelta(hours=48)
_COUNT_WITHIN = timedelta(hours=72)
_TRANSFUSION_BEFORE = timedelta(hours=6)
_ANTIBIOTICS_WITHIN = timedelta(hours=24)
_NEUTROPENIA = Decimal("0.5")  # 10*9/L
_NONE = timedelta(0)
_LAST = "\uffff"  # after every id

_Event = tuple[datetime, str, bool]  # when, id of the fact, whether a count is low


@dataclass(slots=True)
class ConfounderEvents:
    """When something happened that could explain a fever, each in time order."""

    cultures: list[_Event] = field(default_factory=list)
    counts: list[_Event] = field(default_factory=list)
    transfusions: list[_Event] = field(default_factory=list)
    antibiotics: list[_Event] = field(default_factory=list)

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact*, one that `concerns`, stand, or stand no longer."""
        low = False
        match fact.body:
            case Culture():
                events = self.cultures
            case Observation(value=value):
                count = None if value is None else rescaled(value, "10*9/L")
                if count is None:
                    return
                events, low = self.counts, _is_low(count)
            case Administration(drug="transfusion"):
                events = self.transfusions
            case _:
                events = self.antibiotics
        event = (fact.observed_at, fact.id, low)
        if stands:
            insort(events, event)
        else:
            del events[bisect_left(events, event)]

    def find_names(self, run: Run) -> tuple[str, ...]:
        """Return what could explain *run*, by name."""
        at = run.onset_at
        counts = _within(self.counts, at, _COUNT_WITHIN, _NONE)
        holds = {
            "positive culture": _within(self.cultures, at, _CULTURE_WITHIN, _CULTURE_WITHIN),
            "neutrophils below 0.5 x 10*9/L": counts and counts[-1][2],
            "transfusion within 6 h": _within(self.transfusions, at, _TRANSFUSION_BEFORE, _NONE),
            "antibiotics started": _within(
                self.antibiotics, at, _ANTIBIOTICS_WITHIN, _ANTIBIOTICS_WITHIN
            ),
        }
        return tuple(name for name, does in holds.items() if does)


def find_explained_span(fact: Fact) -> tuple[datetime, datetime]:
    """Return between which instants *fact* may explain a fever, both inside."""
    return fact.observed_at - _CULTURE_WITHIN, fact.observed_at + _COUNT_WITHIN


def _is_low(count: Quantity) -> bool:
    below = count.censoring is Censoring.LESS_THAN and count.value == _NEUTROPENIA
    return count.value < _NEUTROPENIA or below


def _within(
    events: list[_Event], at: datetime, before: timedelta, after: timedelta
) -> list[_Event]:
    first = bisect_left(events, (at - before, "", False))
    return events[first : bisect_right(events, (at + after, _LAST, True))]


def may_confound(fact: Fact, protocol: Protocol) -> bool:
    """Say whether *fact* may confound."""
    match fact.body:
        case Culture(positive=True) | Observation(measure="neutrophils"):
            return True
        case Administration(drug=drug, action=Action.START | Action.DOSE):
            return drug == "transfusion" or drug in protocol.bedside.antibiotics
    return False


def collect_confounders(facts: Iterable[Fact]) -> ConfounderEvents:
    """Return when *facts* (those that `concerns` names, in any order) could explain a fever."""
    found = ConfounderEvents()
    for fact in facts:
        found.change(fact, stands=True)
    return found
