"""Treatment, replacement and anticoagulation at the time of a reading, from the drugs given.

Only a drug that was given tells something; the absence of one does not: it may be on no feed.

Source: docs/decisions/grading.md, "Drugs beside a reading"
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.grading import Treatment
from services.safety_rules.domain.facts.drugs import is_stop
from services.vocabulary.fact import Action, Administration, Fact

TREATMENT_WINDOW = timedelta(hours=24)  # from a reading to the treatment of it
_DAILY = timedelta(hours=36)  # from one dose of a drug that is given day by day to the next
_LAST = "\uffff"  # after every id

_Event = tuple[datetime, bool, str]  # instant, True if it runs from then on, id of the fact

INSULIN = frozenset({"insulin"})
ORAL_AGENTS = frozenset(
    {
        *("metformin", "glipizide", "glimepiride", "gliclazide", "sitagliptin", "linagliptin"),
        *("empagliflozin", "dapagliflozin", "pioglitazone"),
    }
)
POTASSIUM = frozenset({"potassium-chloride"})
ANTICOAGULANTS = frozenset(
    {
        *("heparin", "enoxaparin", "dalteparin", "fondaparinux", "argatroban", "bivalirudin"),
        *("warfarin", "acenocoumarol", "phenprocoumon"),
        *("apixaban", "rivaroxaban", "edoxaban", "dabigatran"),
    }
)
_ONLY_WHILE_IT_RUNS = frozenset({"heparin"})  # a single dose may only keep a line open

# measure: the drugs that decide between its grades
DRUGS_BY_MEASURE: dict[str, frozenset[str]] = {
    "glucose": INSULIN | ORAL_AGENTS,
    "glucose-fasting": INSULIN | ORAL_AGENTS,
    "potassium": POTASSIUM,
    "inr": ANTICOAGULANTS,
}


@dataclass(frozen=True, slots=True)
class DrugContext:
    """Treatment, replacement and anticoagulation at one instant; see `Reading`."""

    treatment: Treatment | None = None
    is_replaced: bool = False
    is_anticoagulated: bool | None = None


NO_DRUG_CONTEXT = DrugContext()


def list_affected_measures(fact: Fact) -> tuple[str, ...]:
    """Return the measures whose grades *fact* may decide."""
    body = fact.body
    if not isinstance(body, Administration):
        return ()
    return tuple(measure for measure, drugs in DRUGS_BY_MEASURE.items() if body.drug in drugs)


@dataclass(slots=True)
class _DrugHistory:
    """The administrations of one drug in time order, each True if it runs from then on.

    **doses* has doses and starts; *run_changes* has starts and stops.
    """

    doses: list[_Event] = field(default_factory=list)
    run_changes: list[_Event] = field(default_factory=list)

    def change(self, fact: Fact, body: Administration, *, stands: bool) -> None:
        """Add or remove *fact*."""
        event = (fact.observed_at, not is_stop(body), fact.id)
        for events, concerns in (
            (self.doses, not is_stop(body)),
            (self.run_changes, body.action is not Action.DOSE),
        ):
            if concerns and stands:
                insort(events, event)
            elif concerns:
                events.remove(event)

    def was_used_before(self, instant: datetime) -> bool:
        """Return True when an administration or its end is known before *instant*."""
        starts = [events[0][0] for events in (self.doses, self.run_changes) if events]
        return bool(starts) and min(starts) < instant

    def is_running(self, instant: datetime) -> bool:
        """Return True when it runs at *instant*; of a stop and a start at once the start counts."""
        last = bisect_right(self.run_changes, (instant, True, _LAST))
        return last > 0 and self.run_changes[last - 1][1]

    def was_given(self, start: datetime, end: datetime) -> bool:
        """Return True when a dose was given, or it ran, from *start* to *end*."""
        first = bisect_left(self.doses, (start, False, ""))
        return first < bisect_right(self.doses, (end, True, _LAST)) or self.is_running(start)


class ConcomitantDrugs:
    """The standing administrations of one participant, of drugs that decide between grades."""

    def __init__(self) -> None:
        """Start with none."""
        self._drugs: dict[str, _DrugHistory] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*, one that has `list_affected_measures`."""
        if isinstance(fact.body, Administration):
            drug = self._drugs.setdefault(fact.body.drug, _DrugHistory())
            drug.change(fact, fact.body, stands=stands)

    def find_context(
        self, measure: str, instant: datetime, first_exposure_at: datetime | None
    ) -> DrugContext:
        """Return the drug context of *measure* at *instant*."""
        if not self._drugs or measure not in DRUGS_BY_MEASURE:
            return NO_DRUG_CONTEXT
        match measure:
            case "potassium":
                return DrugContext(is_replaced=self._were_given(POTASSIUM, instant))
            case "inr":
                return DrugContext(is_anticoagulated=self._is_anticoagulated(instant) or None)
        if self._were_started(INSULIN, instant, first_exposure_at):
            return DrugContext(treatment=Treatment.INSULIN)
        if self._were_started(ORAL_AGENTS, instant, first_exposure_at):
            return DrugContext(treatment=Treatment.ORAL_AGENT)
        return NO_DRUG_CONTEXT

    def _select_drugs(self, names: AbstractSet[str]) -> list[tuple[str, _DrugHistory]]:
        return [(name, drug) for name, drug in self._drugs.items() if name in names]

    def _were_given(self, names: AbstractSet[str], instant: datetime) -> bool:
        """Return True when one of them was given within 24 h of *instant*."""
        return any(
            drug.was_given(instant - TREATMENT_WINDOW, instant + TREATMENT_WINDOW)
            for _, drug in self._select_drugs(names)
        )

    def _were_started(
        self, names: AbstractSet[str], instant: datetime, first_exposure_at: datetime | None
    ) -> bool:
        """Return True when one of them, new since exposure, was given within 24 h of *instant*."""
        return first_exposure_at is not None and any(
            drug.was_given(instant - TREATMENT_WINDOW, instant + TREATMENT_WINDOW)
            and not drug.was_used_before(first_exposure_at)
            for _, drug in self._select_drugs(names)
        )

    def _is_anticoagulated(self, instant: datetime) -> bool:
        """Return True when an anticoagulant runs at *instant*, or was given in the 36 h before."""
        return any(
            drug.is_running(instant)
            or (name not in _ONLY_WHILE_IT_RUNS and drug.was_given(instant - _DAILY, instant))
            for name, drug in self._select_drugs(ANTICOAGULANTS)
        )
