"""The current facts: those that corrections, deletions and duplicates leave."""

from collections.abc import Iterable, Sequence
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
from services.vocabulary.data_query import Query
from services.vocabulary.fact import Fact, Status


@dataclass(frozen=True, slots=True)
class FactChanges:
    """Current facts that the arrival of a message removed and added."""

    removed_facts: tuple[Fact, ...]
    added_facts: tuple[Fact, ...]

    def join(self, other: "FactChanges") -> "FactChanges":
        """Return these changes and *other*."""
        return FactChanges(
            self.removed_facts + other.removed_facts, self.added_facts + other.added_facts
        )


def _name_series(fact: Fact) -> str:
    """Return the name of the series of *fact*: a cancel replaces no movement by its key."""
    is_cancel = isinstance(fact.body, Movement) and fact.body.cancelled
    return f"{fact.series}|cancelled" if fact.series and is_cancel else fact.series


_NO_CHANGES = FactChanges((), ())
_REACHING_STATUSES = CORRECTING_STATUSES | {Status.NO_RESULT}  # also facts of another time
_MATCHED_COUNT = 2  # of facts in a set: more may be about several results


class CurrentFacts:
    """The current facts, kept up to date one message at a time."""

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

    def add(self, facts: Iterable[Fact]) -> FactChanges:
        """Add *facts* of one message, and return the changes that they make together.

        A fact that was added before makes none.
        """
        new_facts: list[Fact] = []
        facts_by_series: dict[str, list[Fact]] = {}
        for fact in facts:
            if fact.id not in self._ids:
                self._ids.add(fact.id)
                new_facts.append(fact)
                facts_by_series.setdefault(_name_series(fact), []).append(fact)
        changes = [_add_alone(fact) for fact in facts_by_series.pop("", ())]
        changes += [self._add_to_series(name, some) for name, some in facts_by_series.items()]
        change = FactChanges(
            tuple(fact for one in changes for fact in one.removed_facts),
            tuple(fact for one in changes for fact in one.added_facts),
        )
        if movements := [one for one in new_facts if isinstance(one.body, Movement)]:
            change = self._settle_movements(movements, change)
        if deaths := [one for one in new_facts if isinstance(one.body, Death)]:
            change = self._settle_deaths(deaths, change)
        return change

    def _add_to_series(self, name: str, facts: Sequence[Fact]) -> FactChanges:
        """Add *facts* to the series *name*."""
        series = self._series.get(name)
        if series is None and len(facts) == 1:
            self._series[name] = facts[0]
            return _add_alone(facts[0])
        if not isinstance(series, Series):
            series = self._series[name] = _start_series(series)
        reaches_others = series.has_orphans or any(
            fact.status in _REACHING_STATUSES for fact in facts
        )
        if not reaches_others and len(facts) == 1 and facts[0].observed_at not in series.sets:
            series.add(facts[0])
            return _add_alone(facts[0])
        instants = None if reaches_others else {fact.observed_at for fact in facts}
        facts_before = series.find_current_facts(instants)
        for fact in facts:
            series.add(fact)
        if reaches_others:
            series.update_orphans()
        if series.has_orphans or any(
            len(series.sets[fact.observed_at]) > _MATCHED_COUNT for fact in facts
        ):
            self._unclear_series.add(name)
        return _find_changes(facts_before, series.find_current_facts(instants))

    def _settle_movements(self, reports: Sequence[Fact], change: FactChanges) -> FactChanges:
        """Return *change* with the movements that *reports*, cancels among them, settle."""
        other_changes = _update_selection(self._movements, change, Movement)
        self._movement_reports += reports
        movements_before = list(self._settled_movements.in_force.values())
        self._settled_movements = settle_movements(self._movements.values(), self._movement_reports)
        movements = list(self._settled_movements.in_force.values())
        return other_changes.join(_find_changes(movements_before, movements))

    def _settle_deaths(self, reports: Sequence[Fact], change: FactChanges) -> FactChanges:
        """Return *change* with the deaths that *reports*, denials among them, settle."""
        deaths_before = select_undenied(self._deaths.values(), self._denials)
        other_changes = _update_selection(self._deaths, change, Death)
        self._denials += filter(is_denial, reports)
        deaths = select_undenied(self._deaths.values(), self._denials)
        return other_changes.join(_find_changes(deaths_before, deaths))

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
        return sorted(queries, key=lambda query: (query.facts, query.problem))


def _add_alone(fact: Fact) -> FactChanges:
    """Return the change that *fact* makes as the only one of its series and time."""
    return FactChanges((), (fact,)) if select_current_report((fact,)) else _NO_CHANGES


def _start_series(fact: Fact | None) -> Series:
    """Return a series of *fact*, the only one so far, if there is one."""
    if fact is None:
        return Series()
    return Series({fact.observed_at: [fact]}, has_orphans=fact.status in _REACHING_STATUSES)


def _find_changes(earlier_facts: Sequence[Fact], later_facts: Sequence[Fact]) -> FactChanges:
    """Return the facts that are not the same before and after; ids occur once in each."""
    earlier_by_id, later_by_id = (
        {fact.id: fact for fact in facts} for facts in (earlier_facts, later_facts)
    )
    return FactChanges(
        tuple(fact for fact in earlier_facts if not _is_same(fact, later_by_id.get(fact.id))),
        tuple(fact for fact in later_facts if not _is_same(fact, earlier_by_id.get(fact.id))),
    )


def _is_same(fact: Fact, other: Fact | None) -> bool:
    return fact is other or fact == other


def _update_selection(
    selection: dict[str, Fact], change: FactChanges, kind: type[Movement | Death]
) -> FactChanges:
    """Apply *change* to the facts of *kind* in *selection*, and return what is about others."""
    for fact in change.removed_facts:
        selection.pop(fact.id, None)
    selection.update({one.id: one for one in change.added_facts if isinstance(one.body, kind)})
    return FactChanges(
        tuple(fact for fact in change.removed_facts if not isinstance(fact.body, kind)),
        tuple(fact for fact in change.added_facts if not isinstance(fact.body, kind)),
    )


def _query_ambiguous_report(facts: Iterable[Fact]) -> Query:
    """Return the query about *facts*, which could replace several results."""
    is_correction = any(fact.status in CORRECTING_STATUSES for fact in facts)
    report = "a correction" if is_correction else "a later report"
    problem = f"{report} matches no single result: which one does it replace?"
    return Query(problem, tuple(sorted(fact.id for fact in facts)))


def select_current_facts(facts: Iterable[Fact]) -> list[Fact]:
    """Return the current ones of *facts*, which come in any order, by time."""
    current_facts = CurrentFacts().add(facts).added_facts
    return sorted(current_facts, key=lambda f: (f.observed_at, f.id))
