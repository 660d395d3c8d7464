"""Confounders: events other than the study drug that could explain a cytokine release syndrome."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.facts.drugs import is_transfusion
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.clinical_fact import Action, Administration, Culture, Observation
from services.vocabulary.fact import Fact
from services.vocabulary.protocol import Protocol
from services.vocabulary.quantity import Censoring, Quantity

# Source: docs/decisions/episodes.md, "Confounders of CRS"
_CULTURE_SPAN = timedelta(hours=48)
_COUNT_SPAN = timedelta(hours=72)
_TRANSFUSION_SPAN = timedelta(hours=6)
_ANTIBIOTICS_SPAN = timedelta(hours=24)
_NEUTROPENIA = Decimal("0.5")  # 10*9/L
_NO_TIME = timedelta(0)

# The instant, the id of the fact, and True for a low neutrophil count.
_Event = tuple[datetime, str, bool]


@dataclass(slots=True)
class ConfounderEvents:
    """The events that could explain a fever, each kind in time order."""

    cultures: list[_Event] = field(default_factory=list)
    counts: list[_Event] = field(default_factory=list)
    transfusions: list[_Event] = field(default_factory=list)
    antibiotics: list[_Event] = field(default_factory=list)

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*, for which `may_confound` is True."""
        is_low = False
        match fact.body:
            case Culture():
                events = self.cultures
            case Observation(value=value):
                count = None if value is None else rescale_quantity(value, "10*9/L")
                if count is None:
                    return
                events, is_low = self.counts, _is_low(count)
            case Administration(drug=drug) if is_transfusion(drug):
                events = self.transfusions
            case _:
                events = self.antibiotics
        event = (fact.observed_at, fact.id, is_low)
        if stands:
            insort(events, event)
        else:
            del events[bisect_left(events, event)]

    def find_names(self, run: GradeRun) -> tuple[str, ...]:
        """Return the names of the confounders of *run*."""
        onset_at = run.onset_at
        counts = _find_events(self.counts, onset_at, _COUNT_SPAN, _NO_TIME)
        is_present = {
            "positive culture": _find_events(self.cultures, onset_at, _CULTURE_SPAN, _CULTURE_SPAN),
            "neutrophils below 0.5 x 10*9/L": counts and counts[-1][2],
            "transfusion within 6 h": _find_events(
                self.transfusions, onset_at, _TRANSFUSION_SPAN, _NO_TIME
            ),
            "antibiotics started": _find_events(
                self.antibiotics, onset_at, _ANTIBIOTICS_SPAN, _ANTIBIOTICS_SPAN
            ),
        }
        return tuple(name for name, holds in is_present.items() if holds)


def find_explained_span(fact: Fact) -> tuple[datetime, datetime]:
    """Return the first and last instant at which *fact* may explain a fever, both inside."""
    return fact.observed_at - _CULTURE_SPAN, fact.observed_at + _COUNT_SPAN


def _is_low(count: Quantity) -> bool:
    is_reported_below = count.censoring is Censoring.LESS_THAN and count.value == _NEUTROPENIA
    return count.value < _NEUTROPENIA or is_reported_below


def _find_events(
    events: list[_Event], instant: datetime, span_before: timedelta, span_after: timedelta
) -> list[_Event]:
    first = bisect_left(events, instant - span_before, key=_observed_at)
    return events[first : bisect_right(events, instant + span_after, key=_observed_at)]


def _observed_at(event: _Event) -> datetime:
    return event[0]


def may_confound(fact: Fact, protocol: Protocol) -> bool:
    """Return True when *fact* may explain a fever."""
    match fact.body:
        case Culture(positive=True) | Observation(measure="neutrophils"):
            return True
        case Administration(drug=drug, action=Action.START | Action.DOSE):
            return is_transfusion(drug) or drug in protocol.bedside.antibiotics
    return False
