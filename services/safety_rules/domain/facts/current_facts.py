"""The standing facts: those that corrections, deletions and duplicates leave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.safety_rules.domain.facts.movements import SettledMovements, settle_movements
from services.vocabulary.clinical_fact import Movement, Observation
from services.vocabulary.fact import Fact, Status

_RETRACTING_STATUSES = frozenset({Status.DELETED, Status.WRONG_PATIENT})
CORRECTING_STATUSES = _RETRACTING_STATUSES | {Status.CORRECTED, Status.AMENDED, Status.APPENDED}

# Source: HL7 v2.5.1, table 0085; the order between them is docs/decisions/corrections.md
_STATUS_RANK = {
    Status.NO_RESULT: 0,
    Status.PENDING: 1,
    Status.PRELIMINARY: 2,
    Status.UNVERIFIED: 3,
    Status.PARTIAL: 3,
    Status.FINAL: 4,
    Status.PROMOTED: 5,
    Status.VERIFIED: 5,
    Status.CORRECTED: 6,
    Status.AMENDED: 6,
    Status.APPENDED: 6,
    Status.DELETED: 7,
    Status.WRONG_PATIENT: 7,
}


@dataclass(frozen=True, slots=True)
class FactChanges:
    """Standing facts that the arrival of one fact removed and added."""

    removed_facts: tuple[Fact, ...]
    added_facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A problem of the data that a person has to resolve; *facts* are ids."""

    problem: str
    facts: tuple[str, ...]
    participant: str = ""


def select_standing_fact(candidates: Sequence[Fact]) -> Fact | None:
    """Return the standing fact of *candidates* (facts of one set); None when it was retracted.

    The greatest by time of report, then status, then the sender's count, then content: never by
    arrival. A promotion (U) without a value makes the best value before it final. Of the same
    content sent twice the first report stands: a repetition is no news. A result posted on the
    wrong patient (W) is retracted from that patient alone.
    """
    ranked_facts = candidates if len(candidates) == 1 else sorted(candidates, key=_precedence)
    best = ranked_facts[-1]
    if best.status is Status.WRONG_PATIENT:
        facts_of_others = [fact for fact in ranked_facts if fact.subject != best.subject]
        return select_standing_fact(facts_of_others) if facts_of_others else None
    if best.status in _RETRACTING_STATUSES or best.status is Status.NO_RESULT:
        return None
    if best.status is Status.PROMOTED and _is_empty(best):
        facts_with_value = [
            f for f in ranked_facts if not _is_empty(f) and f.status is not Status.NO_RESULT
        ]
        return (
            replace(_find_first_report(facts_with_value), status=Status.FINAL)
            if facts_with_value
            else None
        )
    return _find_first_report(ranked_facts)


def _precedence(fact: Fact) -> tuple[datetime, int, int, str]:
    return fact.reported_at, _STATUS_RANK[fact.status], fact.sequence, fact.digest


def _find_first_report(ranked_facts: Sequence[Fact]) -> Fact:
    """Return the first report of the content and status of the last of *ranked_facts*."""
    best = ranked_facts[-1]
    if len(ranked_facts) == 1:
        return best
    same_reports = [f for f in ranked_facts if (f.digest, f.status) == (best.digest, best.status)]
    return min(same_reports, key=lambda fact: (fact.reported_at, fact.id))


def _is_empty(fact: Fact) -> bool:
    return isinstance(fact.body, Observation) and fact.body.value is None and not fact.body.text


@dataclass(slots=True)
class Series:
    """The facts of one series, in sets of one *observed_at*."""

    sets: dict[datetime, list[Fact]] = field(default_factory=dict)
    has_orphans: bool = False

    def find_standing_facts(self, instant: datetime | None = None) -> list[Fact]:
        """Return every standing fact of the series, or only that of the set of *instant*."""
        sets = self._join_orphans() if instant is None else [self.sets.get(instant, [])]
        standing_facts = (select_standing_fact(facts) for facts in sets if facts)
        return [fact for fact in standing_facts if fact is not None]

    def _join_orphans(self) -> Iterable[list[Fact]]:
        """Return the sets, a corrected time joined to the only result that it can replace."""
        originals = [facts for facts in self.sets.values() if not _are_all_corrections(facts)]
        orphans = [facts for facts in self.sets.values() if _are_all_corrections(facts)]
        if len(originals) == 1 and orphans:
            return [originals[0] + [fact for facts in orphans for fact in facts]]
        return [*originals, *orphans]

    def query_ambiguous_corrections(self) -> list[Query]:
        """Return a query for each correction that could replace several results."""
        orphans = [facts for facts in self.sets.values() if _are_all_corrections(facts)]
        if len(self.sets) - len(orphans) < 2:  # noqa: PLR2004 - one candidate is no ambiguity
            return []
        problem = "a correction matches no single result: which one does it replace?"
        return [Query(problem, tuple(sorted(f.id for f in facts))) for facts in orphans]


def _name_series(fact: Fact) -> str:
    """Return the name of the series of *fact*: a cancel replaces no movement by its key."""
    is_cancel = isinstance(fact.body, Movement) and fact.body.cancelled
    return f"{fact.series}|cancelled" if fact.series and is_cancel else fact.series


def _are_all_corrections(facts: Iterable[Fact]) -> bool:
    return all(fact.status in CORRECTING_STATUSES for fact in facts)


_NO_CHANGES = FactChanges((), ())


class CurrentFacts:
    """The standing facts, kept up to date one arrival at a time."""

    def __init__(self) -> None:
        """Start empty."""
        self._series: dict[str, Series | Fact] = {}  # a fact: the only one of its series
        self._with_orphans: set[str] = set()
        self._ids: set[str] = set()
        self._movements: dict[str, Fact] = {}  # as corrections leave them, cancels among them
        self._movement_reports: list[Fact] = []
        self._settled_movements = SettledMovements()

    def add(self, fact: Fact) -> FactChanges:
        """Add *fact* and return what it changes among the standing facts; a repetition nothing."""
        if fact.id in self._ids:
            return _NO_CHANGES
        self._ids.add(fact.id)
        change = self._add_to_series(fact, _name_series(fact))
        return self._settle_movements(fact, change) if isinstance(fact.body, Movement) else change

    def _add_to_series(self, fact: Fact, name: str) -> FactChanges:
        series = self._series.setdefault(name, fact) if name else fact
        if series is fact:
            return FactChanges((), (fact,)) if select_standing_fact((fact,)) else _NO_CHANGES
        if isinstance(series, Fact):
            is_orphan = _are_all_corrections((series,))
            series = Series({series.observed_at: [series]}, has_orphans=is_orphan)
            self._series[name] = series
        reaches_others = fact.status in CORRECTING_STATUSES or series.has_orphans
        if not reaches_others and fact.observed_at not in series.sets:
            series.sets[fact.observed_at] = [fact]
            return FactChanges((), (fact,)) if select_standing_fact((fact,)) else _NO_CHANGES
        standing_before = series.find_standing_facts(None if reaches_others else fact.observed_at)
        series.sets.setdefault(fact.observed_at, []).append(fact)
        series.has_orphans = reaches_others and any(map(_are_all_corrections, series.sets.values()))
        if series.has_orphans:
            self._with_orphans.add(name)
        standing_after = series.find_standing_facts(None if reaches_others else fact.observed_at)
        return FactChanges(
            tuple(f for f in standing_before if f not in standing_after),
            tuple(f for f in standing_after if f not in standing_before),
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

    def list_queries(self) -> list[Query]:
        """Return the queries for a person to resolve, in a fixed order."""
        series_with_orphans = (self._series[name] for name in self._with_orphans)
        queries = [
            query
            for s in series_with_orphans
            if isinstance(s, Series)
            for query in s.query_ambiguous_corrections()
        ]
        problems = self._settled_movements.problems
        queries += [Query(problem, facts) for facts, problem in problems.items()]
        return sorted(queries, key=lambda query: query.facts)


def select_standing_facts(facts: Iterable[Fact]) -> list[Fact]:
    """Return the standing ones of *facts*, which come in any order, by time."""
    current = CurrentFacts()
    standing_facts: dict[str, Fact] = {}
    for fact in facts:
        change = current.add(fact)
        for removed_fact in change.removed_facts:
            standing_facts.pop(removed_fact.id, None)
        standing_facts |= {new.id: new for new in change.added_facts}
    return sorted(standing_facts.values(), key=lambda f: (f.observed_at, f.id))
