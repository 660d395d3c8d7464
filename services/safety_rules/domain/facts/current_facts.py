"""The current facts: those that corrections, deletions and duplicates leave."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.safety_rules.domain.facts.current_report import (
    CORRECTING_STATUSES,
    select_current_report,
)
from services.safety_rules.domain.facts.denied_deaths import (
    find_doubts,
    is_denial,
    select_undenied,
)
from services.safety_rules.domain.facts.movements import SettledMovements, settle_movements
from services.safety_rules.domain.facts.series import Series
from services.vocabulary.clinical_fact import Death, Movement
from services.vocabulary.fact import Fact, Status


@dataclass(frozen=True, slots=True)
class FactChanges:
    """Current facts that the arrival of one fact removed and added."""

    removed_facts: tuple[Fact, ...]
    added_facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A problem of the data that a person has to resolve; *facts* are ids."""

    problem: str
    facts: tuple[str, ...]
    participant: str = ""


def _name_series(fact: Fact) -> str:
    """Return the name of the series of *fact*: a cancel replaces no movement by its key."""
    is_cancel = isinstance(fact.body, Movement) and fact.body.cancelled
    return f"{fact.series}|cancelled" if fact.series and is_cancel else fact.series


_NO_CHANGES = FactChanges((), ())
_REACHING_STATUSES = CORRECTING_STATUSES | {Status.NO_RESULT}  # also facts of another time
_MATCHED_COUNT = 2  # of facts in a set: more may be about several results


class CurrentFacts:
    """The current facts, kept up to date one arrival at a time."""

    def __init__(self) -> None:
        """Start empty."""
        self._series: dict[str, Series | Fact] = {}  # a fact: the only one of its series
        self._unclear_series: set[str] = set()
        self._ids: set[str] = set()
        self._movements: dict[str, Fact] = {}  # as corrections leave them, cancels among them
        self._movement_reports: list[Fact] = []
        self._settled_movements = SettledMovements()
        self._deaths: dict[str, Fact] = {}  # as corrections leave them
        self._denials: list[Fact] = []

    def add(self, fact: Fact) -> FactChanges:
        """Add *fact* and return what it changes among the current facts; a repetition nothing."""
        if fact.id in self._ids:
            return _NO_CHANGES
        self._ids.add(fact.id)
        change = self._add_to_series(fact, _name_series(fact))
        if isinstance(fact.body, Movement):
            return self._settle_movements(fact, change)
        return self._settle_deaths(fact, change) if isinstance(fact.body, Death) else change

    def _add_to_series(self, fact: Fact, name: str) -> FactChanges:
        series = self._series.setdefault(name, fact) if name else fact
        if series is fact:
            return FactChanges((), (fact,)) if select_current_report((fact,)) else _NO_CHANGES
        if isinstance(series, Fact):
            is_orphan = series.status in _REACHING_STATUSES
            series = Series({series.observed_at: [series]}, has_orphans=is_orphan)
            self._series[name] = series
        reaches_others = fact.status in _REACHING_STATUSES or series.has_orphans
        if not reaches_others and fact.observed_at not in series.sets:
            series.add(fact)
            return FactChanges((), (fact,)) if select_current_report((fact,)) else _NO_CHANGES
        instant = None if reaches_others else fact.observed_at
        current_before = series.find_current_facts(instant)
        series.add(fact)
        if reaches_others:
            series.update_orphans()
        if series.has_orphans or len(series.sets[fact.observed_at]) > _MATCHED_COUNT:
            self._unclear_series.add(name)
        current_after = series.find_current_facts(instant)
        return FactChanges(
            tuple(f for f in current_before if f not in current_after),
            tuple(f for f in current_after if f not in current_before),
        )

    def _settle_movements(self, report: Fact, change: FactChanges) -> FactChanges:
        """Return the movements that *report*, a movement or a cancel, puts in force or undoes."""
        for removed_fact in change.removed_facts:
            del self._movements[removed_fact.id]
        self._movements |= {added.id: added for added in change.added_facts}
        self._movement_reports.append(report)
        earlier_movements = self._settled_movements.in_force.values()
        self._settled_movements = settle_movements(self._movements.values(), self._movement_reports)
        movements = self._settled_movements.in_force.values()
        return FactChanges(
            tuple(fact for fact in earlier_movements if fact not in movements),
            tuple(fact for fact in movements if fact not in earlier_movements),
        )

    def _settle_deaths(self, report: Fact, change: FactChanges) -> FactChanges:
        """Return the deaths that *report*, a death or a denial of it, puts in force or undoes."""
        earlier_deaths = select_undenied(self._deaths.values(), self._denials)
        for removed_fact in change.removed_facts:
            del self._deaths[removed_fact.id]
        self._deaths |= {added.id: added for added in change.added_facts}
        if is_denial(report):
            self._denials.append(report)
        deaths = select_undenied(self._deaths.values(), self._denials)
        return FactChanges(
            tuple(fact for fact in earlier_deaths if fact not in deaths),
            tuple(fact for fact in deaths if fact not in earlier_deaths),
        )

    def list_queries(self) -> list[Query]:
        """Return the queries for a person to resolve, in a fixed order."""
        unclear_series = (self._series[name] for name in self._unclear_series)
        queries = {
            _query_ambiguous_report(facts)
            for series in unclear_series
            if isinstance(series, Series)
            for facts in series.find_ambiguous_reports()
        }
        deaths = select_undenied(self._deaths.values(), self._denials)
        problems = {**self._settled_movements.problems, **find_doubts(deaths, self._denials)}
        queries |= {Query(problem, facts) for facts, problem in problems.items()}
        return sorted(queries, key=lambda query: query.facts)


def _query_ambiguous_report(facts: Iterable[Fact]) -> Query:
    """Return the query about *facts*, which could replace several results."""
    is_correction = any(fact.status in CORRECTING_STATUSES for fact in facts)
    report = "a correction" if is_correction else "a later report"
    problem = f"{report} matches no single result: which one does it replace?"
    return Query(problem, tuple(sorted(fact.id for fact in facts)))


def select_current_facts(facts: Iterable[Fact]) -> list[Fact]:
    """Return the current ones of *facts*, which come in any order, by time."""
    current = CurrentFacts()
    current_facts: dict[str, Fact] = {}
    for fact in facts:
        change = current.add(fact)
        for removed_fact in change.removed_facts:
            current_facts.pop(removed_fact.id, None)
        current_facts |= {new.id: new for new in change.added_facts}
    return sorted(current_facts.values(), key=lambda f: (f.observed_at, f.id))
