"""The reports of one order and measure: which of them stand, by code and time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.safety_rules.domain.facts.current_report import (
    CORRECTING_STATUSES,
    select_current_report,
)
from services.safety_rules.domain.facts.repeated_results import split_by_result
from services.vocabulary.fact import Fact, Status

_Sets = Mapping[datetime, Sequence[Fact]]
_CLOCK_CHANGE = timedelta(hours=1)
_NO_CODE = ""  # of facts of older releases, which were about any code


@dataclass(slots=True)
class Series:
    """The facts of one series, in sets of one *observed_at*."""

    sets: dict[datetime, list[Fact]] = field(default_factory=dict)
    has_orphans: bool = False

    def add(self, fact: Fact) -> None:
        """Add *fact* to the set of its time."""
        self.sets.setdefault(fact.observed_at, []).append(fact)

    def find_current_facts(self, instant: datetime | None = None) -> list[Fact]:
        """Return every current fact of the series, or only those of the set of *instant*.

        A fact of an older release, whose code is not known, stands if it does beside each code.
        """
        sets = self.sets if instant is None else {instant: self.sets.get(instant, [])}
        views = _split_by_code(sets)
        current_facts, refuted_ids = _combine_views([_find_current_facts(v) for v in views])
        while refuted_ids:
            views = [
                {at: [f for f in facts if f.id not in refuted_ids] for at, facts in view.items()}
                for view in views
            ]
            current_facts, refuted_ids = _combine_views([_find_current_facts(v) for v in views])
        return current_facts

    def update_orphans(self) -> None:
        """Look again whether there are corrections without a result of their code and time."""
        self.has_orphans = any(
            _is_void(facts) or any(_may_be_orphan(fact, _drop_corrections(facts)) for fact in facts)
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


def get_code(fact: Fact) -> str:
    """Return the sender's own code of *fact*, empty when it is not known."""
    return fact.result_key.code if fact.result_key is not None else _NO_CODE


def _split_by_code(sets: _Sets) -> Sequence[_Sets]:
    """Return the sets of each code; facts without a code are in all of them."""
    codes = {get_code(fact) for facts in sets.values() for fact in facts}
    if len(codes) <= 1:
        return (sets,)
    views = []
    for code in sorted(codes - {_NO_CODE}):
        view = {
            at: [f for f in facts if get_code(f) in (code, _NO_CODE)] for at, facts in sets.items()
        }
        views.append({at: facts for at, facts in view.items() if facts})
    return views


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
    separate_sets: list[Sequence[Fact]] = []
    ambiguous_sets: list[Sequence[Fact]] = []
    for orphan in (*orphans, *voids):
        candidates = _find_same_local_time(orphan, results)
        if len(candidates) != 1 and not _is_void(orphan):
            candidates = list(results)
        if len(candidates) == 1:
            joined_sets[candidates[0]] += orphan
        else:
            (separate_sets if _is_void(orphan) else ambiguous_sets).append(orphan)
    return [*joined_sets.values(), *separate_sets], ambiguous_sets


def _find_same_local_time(orphan: Sequence[Fact], results: _Sets) -> list[datetime]:
    """Return the times of those of *results* that have the local time of *orphan*."""
    local_times = _list_local_times(orphan)
    return [
        at
        for at, facts in results.items()
        if local_times & _list_local_times(_drop_corrections(facts))
    ]


def _separate_orphans(sets: _Sets) -> tuple[_Sets, list[Sequence[Fact]]]:
    """Return the sets that have a result to correct, and the orphans: corrections without one.

    A correction is an orphan too when its time is that of one result and its local time that of
    another, an hour away: the clocks changed between the two reports.
    """
    originals: dict[datetime, Sequence[Fact]] = {}
    orphans: list[Sequence[Fact]] = []
    for at, facts in sets.items():
        results = _drop_corrections(facts)
        misplaced = [f for f in facts if f not in results and _is_misplaced(f, results, sets)]
        if results:
            originals[at] = [f for f in facts if f not in misplaced] if misplaced else facts
        if misplaced or not results:
            orphans.append(misplaced if results else facts)
    return originals, orphans


def _is_misplaced(correction: Fact, results: Sequence[Fact], sets: _Sets) -> bool:
    """Return True when *correction* is not about *results* of its time, but of an hour away."""
    if not results or not _may_be_orphan(correction, results):
        return False
    local_times = _list_local_times((correction,))
    return any(
        local_times
        & _list_local_times(_drop_corrections(sets.get(correction.observed_at + by, ())))
        for by in (-_CLOCK_CHANGE, _CLOCK_CHANGE)
    )


def _may_be_orphan(fact: Fact, results: Sequence[Fact]) -> bool:
    """Return True for a correction when none of *results* has its local time, or none at all."""
    if fact.status not in CORRECTING_STATUSES:
        return False
    local_times = _list_local_times((fact,))
    times_of_results = [_list_local_times((result,)) for result in results]
    return not results or all(times and times.isdisjoint(local_times) for times in times_of_results)


def _list_local_times(facts: Iterable[Fact]) -> set[str]:
    """Return the local times of *facts*, as their sender wrote them."""
    return {fact.result_key.local_time for fact in facts if fact.result_key} - {""}


def _is_void(facts: Sequence[Fact]) -> bool:
    """Return True when all of *facts* of one time say that there is no result."""
    return all(fact.status is Status.NO_RESULT for fact in facts)


def _drop_corrections(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.status not in CORRECTING_STATUSES]
