"""What was so about a participant at the time of a reading, as far as the drugs tell.

A drug that was given says something; one that was not says nothing: it may be on no feed.

Source: docs/decisions/grading.md, "Drugs beside a reading"
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.grading import Treatment
from services.safety_rules.domain.facts.drugs import is_stop
from services.vocabulary.fact import Action, Administration, Fact

TREATMENT_WINDOW = timedelta(hours=24)  # of a reading: what was given against it
_DAILY = timedelta(hours=36)  # from one dose of a drug that is given day by day to the next
_LAST = "\uffff"  # after every id

_Event = tuple[datetime, bool, str]  # when, whether it runs from then on, id of the fact

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

# measure: the drugs that tell its grades apart
DRUGS_BY_MEASURE: dict[str, frozenset[str]] = {
    "glucose": INSULIN | ORAL_AGENTS,
    "glucose-fasting": INSULIN | ORAL_AGENTS,
    "potassium": POTASSIUM,
    "inr": ANTICOAGULANTS,
}


@dataclass(frozen=True, slots=True)
class DrugContext:
    """What is known of one instant; see `Reading`."""

    treatment: Treatment | None = None
    is_replaced: bool = False
    is_anticoagulated: bool | None = None


NO_DRUG_CONTEXT = DrugContext()


def list_affected_measures(fact: Fact) -> tuple[str, ...]:
    """Return the measures whose grades *fact* may tell apart."""
    body = fact.body
    if not isinstance(body, Administration):
        return ()
    return tuple(measure for measure, drugs in DRUGS_BY_MEASURE.items() if body.drug in drugs)


@dataclass(slots=True)
class _DrugHistory:
    """The administrations of one drug in time order, each with whether it runs from then on.

    *doses* has doses and what began to run; *run_changes* what began to run, and what ended.
    """

    doses: list[_Event] = field(default_factory=list)
    run_changes: list[_Event] = field(default_factory=list)

    def change(self, fact: Fact, body: Administration, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer."""
        event = (fact.observed_at, not is_stop(body), fact.id)
        for events, concerns in (
            (self.doses, not is_stop(body)),
            (self.run_changes, body.action is not Action.DOSE),
        ):
            if concerns and stands:
                insort(events, event)
            elif concerns:
                events.remove(event)

    def was_used_before(self, at: datetime) -> bool:
        """Say whether anything is known of it before *at*, its end too."""
        starts = [events[0][0] for events in (self.doses, self.run_changes) if events]
        return bool(starts) and min(starts) < at

    def is_running(self, at: datetime) -> bool:
        """Say whether it runs: of what is said of one instant, the start counts."""
        last = bisect_right(self.run_changes, (at, True, _LAST))
        return last > 0 and self.run_changes[last - 1][1]

    def was_given(self, since: datetime, until: datetime) -> bool:
        """Say whether a dose was given, or it ran, from *since* to *until*."""
        first = bisect_left(self.doses, (since, False, ""))
        return first < bisect_right(self.doses, (until, True, _LAST)) or self.is_running(since)


class ConcomitantDrugs:
    """The administrations of one participant that stand, of drugs that tell grades apart."""

    def __init__(self) -> None:
        """Start with none."""
        self._drugs: dict[str, _DrugHistory] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact*, one that has `measures`, stand, or stand no longer."""
        if isinstance(fact.body, Administration):
            drug = self._drugs.setdefault(fact.body.drug, _DrugHistory())
            drug.change(fact, fact.body, stands=stands)

    def find_context(self, measure: str, at: datetime, since: datetime | None) -> DrugContext:
        """Return what was so at *at* that matters to *measure*; *since*: the first exposure."""
        if not self._drugs or measure not in DRUGS_BY_MEASURE:
            return NO_DRUG_CONTEXT
        match measure:
            case "potassium":
                return DrugContext(is_replaced=self._were_given(POTASSIUM, at))
            case "inr":
                return DrugContext(is_anticoagulated=self._is_anticoagulated(at) or None)
        if self._were_started(INSULIN, at, since):
            return DrugContext(treatment=Treatment.INSULIN)
        if self._were_started(ORAL_AGENTS, at, since):
            return DrugContext(treatment=Treatment.ORAL_AGENT)
        return NO_DRUG_CONTEXT

    def _select_drugs(self, names: AbstractSet[str]) -> list[tuple[str, _DrugHistory]]:
        return [(name, drug) for name, drug in self._drugs.items() if name in names]

    def _were_given(self, names: AbstractSet[str], at: datetime) -> bool:
        """Say whether one of them was given within 24 h of *at*."""
        return any(
            drug.was_given(at - TREATMENT_WINDOW, at + TREATMENT_WINDOW)
            for _, drug in self._select_drugs(names)
        )

    def _were_started(self, names: AbstractSet[str], at: datetime, since: datetime | None) -> bool:
        """Say whether one of them, not used before *since*, was given within 24 h of *at*."""
        return since is not None and any(
            drug.was_given(at - TREATMENT_WINDOW, at + TREATMENT_WINDOW)
            and not drug.was_used_before(since)
            for _, drug in self._select_drugs(names)
        )

    def _is_anticoagulated(self, at: datetime) -> bool:
        """Say whether an anticoagulant runs at *at*, or was given in the 36 h before."""
        return any(
            drug.is_running(at)
            or (name not in _ONLY_WHILE_IT_RUNS and drug.was_given(at - _DAILY, at))
            for name, drug in self._select_drugs(ANTICOAGULANTS)
        )
