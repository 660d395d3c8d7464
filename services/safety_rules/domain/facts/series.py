"""The reports of one order and measure: which of them stand, by code and time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.facts.current_report import (
    CORRECTING_STATUSES,
    select_current_report,
)
from services.safety_rules.domain.facts.repeated_reports import RepeatedReports
from services.safety_rules.domain.facts.repeated_results import split_by_result
from services.vocabulary.fact import Fact, Status

_Sets = Mapping[datetime, Sequence[Fact]]
_CLOCK_CHANGE = timedelta(hours=1)
_LARGE_SET = 16  # facts
_NO_CODE = ""  # of facts of older releases, which were about any code


@dataclass(slots=True)
class Series:
    """The facts of one series, in sets of one *observed_at*."""

    sets: dict[datetime, list[Fact]] = field(default_factory=dict)
    has_orphans: bool = False
    # Of large sets, as of a device whose clock stands still; None: there is more than one result.
    _reports_of_one: dict[datetime, RepeatedReports | None] = field(default_factory=dict)

    def add(self, fact: Fact) -> None:
        """Add *fact* to the set of its time."""
        facts = self.sets.setdefault(fact.observed_at, [])
        facts.append(fact)
        if len(facts) == _LARGE_SET:
            self._reports_of_one[fact.observed_at] = RepeatedReports.build(facts)
        elif reports := self._reports_of_one.get(fact.observed_at):
            self._reports_of_one[fact.observed_at] = reports.extend(fact)

    def find_current_facts(self, instants: Iterable[datetime] | None = None) -> list[Fact]:
        """Return every current fact of the series, or only those of the sets of *instants*.

        A fact of an older release, whose code is not known, stands if it does beside each code.
        """
        if instants is None:
            return _select_current_facts(self.sets)
        return [fact for at in instants for fact in self._find_current_facts_at(at)]

    def _find_current_facts_at(self, instant: datetime) -> list[Fact]:
        facts = self.sets.get(instant)
        if facts is None:
            return []
        reports = self._reports_of_one.get(instant)
        if reports is None:
            return _select_current_facts({instant: facts})
        return [reports.current]

    def update_orphans(self) -> None:
        """Look again whether there are corrections without a result of their code and time."""
        self.has_orphans = any(
            _is_void(facts) or _has_orphan(facts)
            for view in _split_by_code(self.sets)
            for facts in view.values()
        )

    def find_ambiguous_reports(self) -> list[Sequence[Fact]]:
        """Return the reports, each of one time, that could be about several results."""
        views = _split_by_code(self.sets)
        return [
            *(facts for view in views for facts in _join_orphans(view)[1]),
            *(
                unmatched
                for view in views
                for facts in _join_orphans(view)[0]
                if (unmatched := split_by_result(facts).unmatched)
            ),
        ]


def _select_current_facts(sets: _Sets) -> list[Fact]:
    """Return the current facts of *sets* under every code."""
    views = _split_by_code(sets)
    current_facts, refuted_ids = _combine_views([_find_current_facts(v) for v in views])
    while refuted_ids:
        views = [
            {at: [f for f in facts if f.id not in refuted_ids] for at, facts in view.items()}
            for view in views
        ]
        current_facts, refuted_ids = _combine_views([_find_current_facts(v) for v in views])
    return current_facts


def get_code(fact: Fact) -> str:
    """Return the sender's own code of *fact*, empty when it is not known."""
    return fact.result_key.code if fact.result_key is not None else _NO_CODE


def _split_by_code(sets: _Sets) -> Sequence[_Sets]:
    """Return the sets of each code; facts without a code are in all of them."""
    codes = {get_code(fact) for facts in sets.values() for fact in facts}
    if len(codes) <= 1:
        return (sets,)
    if _NO_CODE not in codes:
        return _group_by_code(sets)
    views = []
    for code in sorted(codes - {_NO_CODE}):
        view = {
            at: [f for f in facts if get_code(f) in (code, _NO_CODE)] for at, facts in sets.items()
        }
        views.append({at: facts for at, facts in view.items() if facts})
    return views


def _group_by_code(sets: _Sets) -> Sequence[_Sets]:
    """Return the sets of each code, in the order of the codes."""
    views: dict[str, dict[datetime, list[Fact]]] = {}
    for instant, facts in sets.items():
        for fact in facts:
            views.setdefault(get_code(fact), {}).setdefault(instant, []).append(fact)
    return [view for _, view in sorted(views.items())]


def _combine_views(views: Sequence[list[Fact]]) -> tuple[list[Fact], set[str]]:
    """Return what stands in *views*, and the ids of facts without a code that some view lacks."""
    if len(views) == 1:
        return views[0], set()
    counts = Counter(fact.id for view in views for fact in view)
    current_facts = {fact.id: fact for view in views for fact in view}
    refuted_ids = {
        fact.id
        for fact in current_facts.values()
        if get_code(fact) == _NO_CODE and counts[fact.id] < len(views)
    }
    return list(current_facts.values()), refuted_ids


def _find_current_facts(sets: _Sets) -> list[Fact]:
    joined_sets, ambiguous_sets = _join_orphans(sets)
    results = (
        result
        for facts in (*joined_sets, *ambiguous_sets)
        if facts
        for result in split_by_result(facts).results
        if result
    )
    current_facts = map(select_current_report, results)
    return [fact for fact in current_facts if fact is not None]


def _join_orphans(sets: _Sets) -> tuple[list[Sequence[Fact]], list[Sequence[Fact]]]:
    """Return the sets, with each orphan in the set that it corrects, and the ambiguous orphans.

    An orphan is about the result that its sender dated with the same local time, at whatever
    offset; else its time is a corrected one, of the only result. That there is no result of some
    time is nothing to correct, and is about another time only when its local time says so.
    """
    originals, orphans = _separate_orphans(sets)
    voids = [facts for facts in originals.values() if _is_void(facts)]
    results = {at: facts for at, facts in originals.items() if not _is_void(facts)}
    if not results:
        return [*voids, *orphans], []
    joined_sets = {at: list(facts) for at, facts in results.items()}
    times_by_local_time = _index_local_times(results) if orphans or voids else {}
    separate_sets: list[Sequence[Fact]] = []
    ambiguous_sets: list[Sequence[Fact]] = []
    for orphan in (*orphans, *voids):
        local_times = _list_local_times(orphan)
        candidates = list({at for one in local_times for at in times_by_local_time.get(one, ())})
        if len(candidates) != 1 and not _is_void(orphan):
            candidates = list(results)
        if len(candidates) == 1:
            joined_sets[candidates[0]] += orphan
        else:
            (separate_sets if _is_void(orphan) else ambiguous_sets).append(orphan)
    return [*joined_sets.values(), *separate_sets], ambiguous_sets


def _index_local_times(results: _Sets) -> Mapping[str, Sequence[datetime]]:
    """Return the times of *results* by the local times of their sender."""
    times: dict[str, list[datetime]] = {}
    for instant, facts in results.items():
        for local_time in _list_local_times(_drop_corrections(facts)):
            times.setdefault(local_time, []).append(instant)
    return times


def _separate_orphans(sets: _Sets) -> tuple[_Sets, list[Sequence[Fact]]]:
    """Return the sets that have a result to correct, and the orphans: corrections without one.

    A correction is an orphan too when its time is that of one result and its local time that of
    another, an hour away: the clocks changed between the two reports.
    """
    originals: dict[datetime, Sequence[Fact]] = {}
    orphans: list[Sequence[Fact]] = []
    for at, facts in sets.items():
        results = _drop_corrections(facts)
        is_original = len(results) == len(facts)
        misplaced_facts = [] if is_original else _list_misplaced(facts, results, sets)
        if misplaced_facts:
            misplaced_ids = {fact.id for fact in misplaced_facts}
            originals[at] = [fact for fact in facts if fact.id not in misplaced_ids]
        elif results:
            originals[at] = facts
        if misplaced_facts or not results:
            orphans.append(misplaced_facts or facts)
    return originals, orphans


def _list_misplaced(facts: Sequence[Fact], results: Sequence[Fact], sets: _Sets) -> list[Fact]:
    """Return the corrections that are not about *results*, those of their time, but an hour away.

    There is none without results.
    """
    if not results:
        return []
    times_of_results = _list_shared_times(results)
    times_of_neighbours = {
        one
        for by in (-_CLOCK_CHANGE, _CLOCK_CHANGE)
        for one in _list_local_times(_drop_corrections(sets.get(facts[0].observed_at + by, ())))
    }
    return [
        fact
        for fact in facts
        if _may_be_orphan(fact, times_of_results)
        and not times_of_neighbours.isdisjoint(_list_local_times((fact,)))
    ]


def _has_orphan(facts: Sequence[Fact]) -> bool:
    """Return True when a correction of *facts*, of one time, may be about another time."""
    results = _drop_corrections(facts)
    if len(results) == len(facts):
        return False
    times_of_results = _list_shared_times(results)
    return any(_may_be_orphan(fact, times_of_results) for fact in facts)


def _list_shared_times(results: Sequence[Fact]) -> set[str] | None:
    """Return the local times of *results*; None when one has none, and so may have any."""
    is_timed = all(fact.result_key and fact.result_key.local_time for fact in results)
    return _list_local_times(results) if is_timed else None


def _may_be_orphan(fact: Fact, times_of_results: set[str] | None) -> bool:
    """Return True for a correction whose local time is none of *times_of_results*."""
    if fact.status not in CORRECTING_STATUSES or times_of_results is None:
        return False
    return times_of_results.isdisjoint(_list_local_times((fact,)))


def _list_local_times(facts: Iterable[Fact]) -> set[str]:
    """Return the local times of *facts*, as their sender wrote them."""
    return {fact.result_key.local_time for fact in facts if fact.result_key} - {""}


def _is_void(facts: Sequence[Fact]) -> bool:
    """Return True when all of *facts* of one time say that there is no result."""
    return all(fact.status is Status.NO_RESULT for fact in facts)


def _drop_corrections(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.status not in CORRECTING_STATUSES]
