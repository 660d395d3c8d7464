"""Readings in time order, stepped through once; a late one re-runs only what it changes."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.fact import Fact

S = TypeVar("S")

StepResult = tuple[S, GradeRun | None]
StepFunction = Callable[[S, datetime, Sequence[Fact]], StepResult[S]]


class FactTimeline(Generic[S]):
    """A state that is a function of a set of facts, whatever the order in which they came.

    *step* takes the state before an instant and all current facts of that instant, and returns the
    state after it, and the run that it ended. Runs that have ended are no part of a state, so that
    it is the same object as long as nothing happens, and a late fact is soon forgotten.

    The state after every instant is kept: a late fact steps again through the instants after it, up
    to the first at which the state is the same as before.
    """

    def __init__(self, initial: S, step: StepFunction[S]) -> None:
        """Start with no facts."""
        self._initial = initial
        self._step = step
        self._instants: list[datetime] = []
        self._facts: list[tuple[Fact, ...]] = []
        self._states: list[S] = []
        # The states from _stale on have to be made again; from _former on each still is the step
        # from the one before it.
        self._stale = self._former = 0
        self._ended_at: list[datetime] = []
        self._ended_runs: list[GradeRun] = []
        self._unchanged_runs = 0

    def insert(self, fact: Fact) -> None:
        """Add *fact*."""
        instants, instant = self._instants, fact.observed_at
        if not instants or instants[-1] < instant:
            instants.append(instant)
            self._facts.append((fact,))
            self._states.append(self._initial)
            self._former = len(instants)
            return
        index = bisect_left(instants, instant)
        if instants[index] == instant:
            facts = self._facts[index]
            place = bisect_right(facts, fact.id, key=_by_id)
            self._facts[index] = (*facts[:place], fact, *facts[place:])
            self._mark_stale(index, index)
            return
        instants.insert(index, instant)
        self._facts.insert(index, (fact,))
        self._states.insert(index, self._initial)
        self._mark_stale(index, index + 1 if index > self._former else self._former + 1)

    def remove(self, fact: Fact) -> None:
        """Remove *fact*."""
        index = bisect_left(self._instants, fact.observed_at)
        facts = self._facts[index]
        first = bisect_left(facts, fact.id, key=_by_id)
        last = bisect_right(facts, fact.id, lo=first, key=_by_id)
        if remaining_facts := facts[:first] + facts[last:]:
            self._facts[index] = remaining_facts
        else:
            del self._instants[index], self._facts[index], self._states[index]
            self._former -= index < self._former
            self._drop_ended_runs(fact.observed_at, fact.observed_at)
        self._mark_stale(index, index)

    def step_again(self, start: datetime, end: datetime | None = None) -> None:
        """Step again through *start* to *end*, both inside: values that steps look up have changed.

        None: through everything from *start* on.
        """
        index = bisect_left(self._instants, start)
        end_index = len(self._instants) if end is None else bisect_right(self._instants, end)
        if index < end_index:
            self._mark_stale(index, end_index - 1 if end is not None else end_index)

    def restart(self, initial: S, step: StepFunction[S]) -> None:
        """Step again through everything, from another initial state."""
        self._initial, self._step = initial, step
        self._mark_stale(0, len(self._instants))

    def compute_state(self) -> S:
        """Return the state after all facts."""
        states, instants = self._states, self._instants
        first, count = self._stale, len(instants)
        if first < count:
            state = states[first - 1] if first else self._initial
            ended_runs: list[tuple[datetime, GradeRun]] = []
            index = first
            while index < count:
                state, run = self._step(state, instants[index], self._facts[index])
                if run is not None:
                    ended_runs.append((instants[index], run))
                is_unchanged = index >= self._former and state == states[index]
                index += 1
                if is_unchanged:
                    break
                states[index - 1] = state
            if self._ended_at and self._ended_at[-1] >= instants[first]:
                self._drop_ended_runs(instants[first], instants[index - 1])
            if ended_runs:
                self._store_ended_runs(ended_runs)
        self._stale, self._former = count, 0
        return states[-1] if states else self._initial

    def list_ended_runs(self) -> tuple[Sequence[GradeRun], int]:
        """Return the ended runs in time order, and the number unchanged since the last call."""
        unchanged_count, self._unchanged_runs = self._unchanged_runs, len(self._ended_runs)
        return self._ended_runs, unchanged_count

    def list_facts(self) -> list[Fact]:
        """Return every current fact, in time order."""
        return [fact for facts in self._facts for fact in facts]

    def list_facts_at(self, instant: datetime) -> Sequence[Fact]:
        """Return the current facts of *instant*."""
        index = bisect_left(self._instants, instant)
        is_known = index < len(self._instants) and self._instants[index] == instant
        return self._facts[index] if is_known else ()

    def find_state(self, instant: datetime) -> S:
        """Return the state after all facts up to *instant*, that one included."""
        self.compute_state()
        index = bisect_right(self._instants, instant)
        return self._states[index - 1] if index else self._initial

    def list_facts_before(self, instant: datetime) -> Sequence[tuple[Fact, ...]]:
        """Return the current facts of each instant before *instant*, in time order."""
        return self._facts[: bisect_left(self._instants, instant)]

    def _mark_stale(self, stale: int, former: int) -> None:
        """Step again from the instant numbered *stale* on, and all through those up to *former*."""
        self._stale = min(self._stale, stale)
        self._former = max(self._former, former)

    def _drop_ended_runs(self, first: datetime, last: datetime) -> None:
        """Drop the runs that ended from *first* to *last*."""
        low = bisect_left(self._ended_at, first)
        high = bisect_right(self._ended_at, last)
        del self._ended_at[low:high], self._ended_runs[low:high]
        self._unchanged_runs = min(self._unchanged_runs, low)

    def _store_ended_runs(self, ended_runs: Sequence[tuple[datetime, GradeRun]]) -> None:
        """Store *ended_runs* at their instants, where no others ended."""
        index = bisect_left(self._ended_at, ended_runs[0][0])
        self._ended_at[index:index] = [at for at, _ in ended_runs]
        self._ended_runs[index:index] = [run for _, run in ended_runs]
        self._unchanged_runs = min(self._unchanged_runs, index)


def _by_id(fact: Fact) -> str:
    return fact.id
