"""Which facts stand: what corrections, deletions and duplicates leave of what was sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.vocabulary.fact import Fact, Observation, Status

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
    Status.CORRECTED: 6,
    Status.AMENDED: 6,
    Status.APPENDED: 6,
    Status.DELETED: 7,
    Status.WRONG_PATIENT: 7,
}


@dataclass(frozen=True, slots=True)
class FactChanges:
    """What the arrival of a fact changed in what stands."""

    removed: tuple[Fact, ...]
    added: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Something that a person has to look into; *facts* are ids."""

    problem: str
    facts: tuple[str, ...]
    participant: str = ""


def select_standing_fact(candidates: Sequence[Fact]) -> Fact | None:
    """Return the one of *candidates* (facts of one set) that stands; None when it was retracted.

    The greatest by time of report, then status, then the sender's count, then content: never by
    arrival. A promotion (U) without a value makes the best value before it final. Of the same
    content sent twice the first report stands: to say a thing again is no news. What was posted on
    the wrong patient (W) is taken back from that one alone.
    """
    ranked = candidates if len(candidates) == 1 else sorted(candidates, key=_precedence)
    best = ranked[-1]
    if best.status is Status.WRONG_PATIENT:
        others = [fact for fact in ranked if fact.subject != best.subject]
        return select_standing_fact(others) if others else None
    if best.status in _RETRACTING_STATUSES or best.status is Status.NO_RESULT:
        return None
    if best.status is Status.PROMOTED and _is_empty(best):
        valued = [f for f in ranked if not _is_empty(f) and f.status is not Status.NO_RESULT]
        return replace(_find_first_report(valued), status=Status.FINAL) if valued else None
    return _find_first_report(ranked)


def _precedence(fact: Fact) -> tuple[datetime, int, int, str]:
    return fact.reported_at, _STATUS_RANK[fact.status], fact.sequence, fact.digest


def _find_first_report(ranked: Sequence[Fact]) -> Fact:
    """Return the first report of what the last of *ranked* says."""
    best = ranked[-1]
    if len(ranked) == 1:
        return best
    same = [f for f in ranked if (f.digest, f.status) == (best.digest, best.status)]
    return min(same, key=lambda fact: (fact.reported_at, fact.id))


def _is_empty(fact: Fact) -> bool:
    return isinstance(fact.body, Observation) and fact.body.value is None and not fact.body.text


@dataclass(slots=True)
class Series:
    """The facts of one series, in sets of one *observed_at*."""

    sets: dict[datetime, list[Fact]] = field(default_factory=dict)
    has_orphans: bool = False

    def find_standing_facts(self, at: datetime | None = None) -> list[Fact]:
        """Return every fact of the series that stands, or only that of the set of *at*."""
        sets = self._join_orphans() if at is None else [self.sets.get(at, [])]
        found = (select_standing_fact(facts) for facts in sets if facts)
        return [fact for fact in found if fact is not None]

    def _join_orphans(self) -> Iterable[list[Fact]]:
        """Let a corrected time supersede the only result that it can mean."""
        originals = [facts for facts in self.sets.values() if not _are_all_corrections(facts)]
        orphans = [facts for facts in self.sets.values() if _are_all_corrections(facts)]
        if len(originals) == 1 and orphans:
            return [originals[0] + [fact for facts in orphans for fact in facts]]
        return [*originals, *orphans]

    def query_ambiguous_corrections(self) -> list[Query]:
        """Return a query for each correction that could mean several results."""
        orphans = [facts for facts in self.sets.values() if _are_all_corrections(facts)]
        if len(self.sets) - len(orphans) < 2:  # noqa: PLR2004 - one candidate is no ambiguity
            return []
        problem = "a correction matches no single result: which one does it replace?"
        return [Query(problem, tuple(sorted(f.id for f in facts))) for facts in orphans]


def _are_all_corrections(facts: Iterable[Fact]) -> bool:
    return all(fact.status in CORRECTING_STATUSES for fact in facts)


_NO_CHANGES = FactChanges((), ())


class CurrentFacts:
    """The facts that stand, kept up to date one arrival at a time."""

    def __init__(self) -> None:
        """Start empty."""
        self._series: dict[str, Series | Fact] = {}  # a fact: the only one that is known of it
        self._with_orphans: set[str] = set()
        self._ids: set[str] = set()

    def add(self, fact: Fact) -> FactChanges:
        """Return what *fact* changes in what stands; a fact already known changes nothing."""
        if fact.id in self._ids:
            return _NO_CHANGES
        self._ids.add(fact.id)
        series = self._series.setdefault(fact.series, fact) if fact.series else fact
        if series is fact:
            return FactChanges((), (fact,)) if select_standing_fact((fact,)) else _NO_CHANGES
        if isinstance(series, Fact):
            orphan = _are_all_corrections((series,))
            series = Series({series.observed_at: [series]}, has_orphans=orphan)
            self._series[fact.series] = series
        reaches_others = fact.status in CORRECTING_STATUSES or series.has_orphans
        if not reaches_others and fact.observed_at not in series.sets:
            series.sets[fact.observed_at] = [fact]
            return FactChanges((), (fact,)) if select_standing_fact((fact,)) else _NO_CHANGES
        before = series.find_standing_facts(None if reaches_others else fact.observed_at)
        series.sets.setdefault(fact.observed_at, []).append(fact)
        series.has_orphans = reaches_others and any(map(_are_all_corrections, series.sets.values()))
        if series.has_orphans:
            self._with_orphans.add(fact.series)
        after = series.find_standing_facts(None if reaches_others else fact.observed_at)
        return FactChanges(
            tuple(f for f in before if f not in after), tuple(f for f in after if f not in before)
        )

    def list_queries(self) -> list[Query]:
        """Return what a person has to look into, in a fixed order."""
        some = (self._series[name] for name in self._with_orphans)
        found = [
            query
            for s in some
            if isinstance(s, Series)
            for query in s.query_ambiguous_corrections()
        ]
        return sorted(found, key=lambda query: query.facts)


def select_standing_facts(facts: Iterable[Fact]) -> list[Fact]:
    """Return those of *facts*, in any order, that corrections leave, by time."""
    current = CurrentFacts()
    stands_now: dict[str, Fact] = {}
    for fact in facts:
        change = current.add(fact)
        for gone in change.removed:
            stands_now.pop(gone.id, None)
        stands_now |= {new.id: new for new in change.added}
    return sorted(stands_now.values(), key=lambda f: (f.observed_at, f.id))
