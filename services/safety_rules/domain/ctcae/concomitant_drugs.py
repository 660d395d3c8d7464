"""Treatment, replacement and anticoagulation at the time of a reading, from the drugs given.

Only a drug that was given tells something; the absence of one does not: it may be on no feed.

Source: docs/decisions/grading.md, "Drugs beside a reading"
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.grading import Treatment
from services.safety_rules.domain.facts.drugs import DAILY_INTERVAL, is_stop
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.drug import ClassifiedDrug, DrugClass
from services.vocabulary.fact import Fact

TREATMENT_WINDOW = timedelta(hours=24)  # from a reading to the treatment of it
_LAST = "\uffff"  # after every id

_Event = tuple[datetime, bool, str]  # instant, True if it runs from then on, id of the fact

# The measures between whose grades each class decides
_AFFECTED_MEASURES: Mapping[DrugClass, tuple[str, ...]] = {
    DrugClass.INSULIN: ("glucose", "glucose-fasting"),
    DrugClass.ORAL_AGENT: ("glucose", "glucose-fasting"),
    DrugClass.POTASSIUM: ("potassium",),
    DrugClass.ANTICOAGULANT: ("inr",),
}
_MEASURES = frozenset(measure for names in _AFFECTED_MEASURES.values() for measure in names)


@dataclass(frozen=True, slots=True)
class DrugContext:
    """Treatment, replacement and anticoagulation at one instant; see `Reading`."""

    treatment: Treatment | None = None
    is_replaced: bool = False
    is_anticoagulated: bool | None = None


NO_DRUG_CONTEXT = DrugContext()


def list_affected_measures(fact: Fact, drugs: Mapping[str, ClassifiedDrug]) -> tuple[str, ...]:
    """Return the measures whose grades *fact* may decide."""
    body = fact.body
    drug = drugs.get(body.drug) if isinstance(body, Administration) else None
    return () if drug is None else _AFFECTED_MEASURES[drug.drug_class]


@dataclass(slots=True)
class _DrugHistory:
    """The administrations of one drug in time order, each True if it runs from then on.

    *doses* has doses and starts; *run_changes* has starts and stops.
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

    def list_given(self, start: datetime, end: datetime) -> list[str]:
        """Return the ids of the doses from *start* to *end*, and of the start of what ran then."""
        first = bisect_left(self.doses, (start, False, ""))
        doses = self.doses[first : bisect_right(self.doses, (end, True, _LAST))]
        last = bisect_right(self.run_changes, (start, True, _LAST))
        starts = self.run_changes[last - 1 : last] if self.is_running(start) else []
        return [fact for _, _, fact in (*starts, *doses)]


class ConcomitantDrugs:
    """The standing administrations of one participant, of drugs that decide between grades."""

    def __init__(self, drugs: Mapping[str, ClassifiedDrug]) -> None:
        """Start with no administration; *drugs* are the classified ones by name."""
        self._drugs = drugs
        self._histories: dict[str, _DrugHistory] = {}
        self._facts: dict[str, Fact] = {}

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*, one that has `list_affected_measures`."""
        if isinstance(fact.body, Administration):
            history = self._histories.setdefault(fact.body.drug, _DrugHistory())
            history.change(fact, fact.body, stands=stands)
            if stands:
                self._facts[fact.id] = fact
            else:
                del self._facts[fact.id]

    def find_context(
        self, measure: str, instant: datetime, first_exposure_at: datetime | None
    ) -> DrugContext:
        """Return the drug context of *measure* at *instant*."""
        if not self._histories or measure not in _MEASURES:
            return NO_DRUG_CONTEXT
        match measure:
            case "potassium":
                histories = self._select_given(DrugClass.POTASSIUM, instant)
                return DrugContext(is_replaced=bool(histories))
            case "inr":
                return DrugContext(is_anticoagulated=self._is_anticoagulated(instant) or None)
        if self._select_started(DrugClass.INSULIN, instant, first_exposure_at):
            return DrugContext(treatment=Treatment.INSULIN)
        if self._select_started(DrugClass.ORAL_AGENT, instant, first_exposure_at):
            return DrugContext(treatment=Treatment.ORAL_AGENT)
        return NO_DRUG_CONTEXT

    def list_facts(
        self, measure: str, instant: datetime, first_exposure_at: datetime | None
    ) -> list[Fact]:
        """Return the administrations that `find_context` rests on, in time order."""
        match measure:
            case "potassium":
                histories = self._select_given(DrugClass.POTASSIUM, instant)
            case "inr":
                return self._list_anticoagulants(instant)
            case _:
                histories = self._select_started(DrugClass.INSULIN, instant, first_exposure_at)
                histories = histories or self._select_started(
                    DrugClass.ORAL_AGENT, instant, first_exposure_at
                )
        start, end = instant - TREATMENT_WINDOW, instant + TREATMENT_WINDOW
        return self._sort_facts(
            fact for history in histories for fact in history.list_given(start, end)
        )

    def _list_anticoagulants(self, instant: datetime) -> list[Fact]:
        facts: list[str] = []
        for drug, history in self._select_histories(DrugClass.ANTICOAGULANT):
            if history.is_running(instant):
                facts += history.list_given(instant, instant)
            elif drug.counts_each_dose:
                facts += history.list_given(instant - DAILY_INTERVAL, instant)
        return self._sort_facts(facts)

    def _sort_facts(self, ids: Iterable[str]) -> list[Fact]:
        facts = [self._facts[fact] for fact in dict.fromkeys(ids)]
        return sorted(facts, key=lambda fact: (fact.observed_at, fact.id))

    def _select_histories(
        self, drug_class: DrugClass
    ) -> Iterator[tuple[ClassifiedDrug, _DrugHistory]]:
        for name, history in self._histories.items():
            if self._drugs[name].drug_class is drug_class:
                yield self._drugs[name], history

    def _select_given(self, drug_class: DrugClass, instant: datetime) -> list[_DrugHistory]:
        """Return those of the class that were given within 24 h of *instant*."""
        return [
            history
            for _, history in self._select_histories(drug_class)
            if history.was_given(instant - TREATMENT_WINDOW, instant + TREATMENT_WINDOW)
        ]

    def _select_started(
        self, drug_class: DrugClass, instant: datetime, first_exposure_at: datetime | None
    ) -> list[_DrugHistory]:
        """Return those of the class, new since exposure, that were given near *instant*."""
        if first_exposure_at is None:
            return []
        histories = self._select_given(drug_class, instant)
        return [history for history in histories if not history.was_used_before(first_exposure_at)]

    def _is_anticoagulated(self, instant: datetime) -> bool:
        """Return True when an anticoagulant runs at *instant*, or was given in the 36 h before."""
        return any(
            history.is_running(instant)
            or (drug.counts_each_dose and history.was_given(instant - DAILY_INTERVAL, instant))
            for drug, history in self._select_histories(DrugClass.ANTICOAGULANT)
        )
