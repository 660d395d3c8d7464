"""What else than the study drug could explain a cytokine release syndrome."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from services.safety_rules.domain.runs import Run
from services.safety_rules.domain.units import rescaled
from services.vocabulary.fact import Action, Administration, Culture, Fact, Observation
from services.vocabulary.protocol import Protocol
from services.vocabulary.quantity import Censoring, Quantity

# Source: docs/decisions/episodes.md, "Confounders of CRS"
_CULTURE_WITHIN = timedelta(hours=48)
_COUNT_WITHIN = timedelta(hours=72)
_TRANSFUSION_BEFORE = timedelta(hours=6)
_ANTIBIOTICS_WITHIN = timedelta(hours=24)
_NEUTROPENIA = Decimal("0.5")  # 10*9/L


@dataclass(frozen=True, slots=True)
class Confounding:
    """When something happened that could explain a fever, each in time order."""

    cultures: tuple[datetime, ...] = ()
    neutropenia: tuple[tuple[datetime, bool], ...] = ()
    transfusions: tuple[datetime, ...] = ()
    antibiotics: tuple[datetime, ...] = ()

    def of(self, run: Run) -> tuple[str, ...]:
        """Return what could explain *run*, by name."""
        at = run.onset_at
        counts = [low for t, low in self.neutropenia if at - _COUNT_WITHIN <= t <= at]
        holds = {
            "positive culture": _any(self.cultures, at, _CULTURE_WITHIN, _CULTURE_WITHIN),
            "neutrophils below 0.5 x 10*9/L": bool(counts) and counts[-1],
            "transfusion within 6 h": _any(
                self.transfusions, at, _TRANSFUSION_BEFORE, timedelta(0)
            ),
            "antibiotics started": _any(
                self.antibiotics, at, _ANTIBIOTICS_WITHIN, _ANTIBIOTICS_WITHIN
            ),
        }
        return tuple(name for name, does in holds.items() if does)


def _is_low(count: Quantity) -> bool:
    below = count.censoring is Censoring.BELOW and count.value == _NEUTROPENIA
    return count.value < _NEUTROPENIA or below


def _any(instants: Iterable[datetime], at: datetime, before: timedelta, after: timedelta) -> bool:
    return any(at - before <= t <= at + after for t in instants)


def concerns(fact: Fact, protocol: Protocol) -> bool:
    """Say whether *fact* may confound."""
    match fact.body:
        case Culture(positive=True) | Observation(measure="neutrophils"):
            return True
        case Administration(drug=drug, action=Action.START | Action.GIVEN):
            return drug == "transfusion" or drug in protocol.bedside.antibiotics
    return False


def confounding(facts: Iterable[Fact]) -> Confounding:
    """Return when *facts* (those that `concerns` names, in any order) could explain a fever."""
    cultures, counts, transfusions, antibiotics = [], [], [], []
    for fact in sorted(facts, key=lambda f: (f.observed_at, f.id)):
        match fact.body:
            case Culture():
                cultures.append(fact.observed_at)
            case Observation(value=value) if value is not None:
                count = rescaled(value, "10*9/L")
                if count is not None:
                    counts.append((fact.observed_at, _is_low(count)))
            case Administration(drug="transfusion"):
                transfusions.append(fact.observed_at)
            case Administration():
                antibiotics.append(fact.observed_at)
    return Confounding(tuple(cultures), tuple(counts), tuple(transfusions), tuple(antibiotics))
