"""Readings in time order, stepped through once; a late one re-runs only what it changes."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from services.safety_rules.domain.runs.run import Run
from services.vocabulary.fact import Fact

S = TypeVar("S")

StepResult = tuple[S, Run | None]
StepFunction = Callable[[S, datetime, Sequence[Fact]], StepResult[S]]


class FactTrack(Generic[S]):
    """A state that is a function of a set of facts, whatever the order in which they came.

    *step* takes the state before an instant and all standing facts of that instant, and returns the
    state after it, and the run that it ended. Runs that have ended are no part of a state, so that
    it is the same object as long as nothing happens, and a late fact is soon forgotten.

    The state after every instant is kept: a late fact steps again through what follows it, up to
    the first instant after which the state is what it was before.
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
        self._ended_runs: list[Run] = []
        self._unchanged_runs = 0

    def insert(self, fact: Fact) -> None:
        """Let *fact* stand."""
        instants, instant = self._instants, fact.observed_at
        if not instants or instants[-1] < instant:
            instants.append(instant)
            self._facts.append((fact,))
            self._states.append(self._initial)
            self._former = len(instants)
            return
        at = bisect_left(instants, instant)
        if instants[at] == instant:
            self._facts[at] = tuple(sorted((*self._facts[at], fact), key=_by_id))
            self._mark_stale(at, at)
            return
        instants.insert(at, instant)
        self._facts.insert(at, (fact,))
        self._states.insert(at, self._initial)
        self._mark_stale(at, at + 1 if at > self._former else self._former + 1)

    def remove(self, fact: Fact) -> None:
        """Let *fact* stand no longer."""
        at = bisect_left(self._instants, fact.observed_at)
        left = tuple(f for f in self._facts[at] if f.id != fact.id)
        if left:
            self._facts[at] = left
        else:
            del self._instants[at], self._facts[at], self._states[at]
            self._former -= at < self._former
            self._drop_ended_runs(fact.observed_at, fact.observed_at)
        self._mark_stale(at, at)

    def step_again(self, since: datetime, until: datetime | None = None) -> None:
        """Step again through *since* to *until*, both inside: what is looked up has changed.

        None: through everything from *since* on.
        """
        at = bisect_left(self._instants, since)
        end = len(self._instants) if until is None else bisect_right(self._instants, until)
        if at < end:
            self._mark_stale(at, end - 1 if until is not None else end)

    def restart(self, initial: S, step: StepFunction[S]) -> None:
        """Step again through everything, from another beginning."""
        self._initial, self._step = initial, step
        self._mark_stale(0, len(self._instants))

    def compute_state(self) -> S:
        """Return the state after all facts."""
        states, instants = self._states, self._instants
        first, number = self._stale, len(instants)
        if first < number:
            state = states[first - 1] if first else self._initial
            ended: list[tuple[datetime, Run]] = []
            at = first
            while at < number:
                state, run = self._step(state, instants[at], self._facts[at])
                if run is not None:
                    ended.append((instants[at], run))
                is_as_before = at >= self._former and state == states[at]
                at += 1
                if is_as_before:
                    break
                states[at - 1] = state
            if self._ended_at and self._ended_at[-1] >= instants[first]:
                self._drop_ended_runs(instants[first], instants[at - 1])
            if ended:
                self._store_ended_runs(ended)
        self._stale, self._former = number, 0
        return states[-1] if states else self._initial

    def list_ended_runs(self) -> tuple[Sequence[Run], int]:
        """Return the runs that are over, in time order, and how many are as they were last told."""
        as_told, self._unchanged_runs = self._unchanged_runs, len(self._ended_runs)
        return self._ended_runs, as_told

    def list_facts(self) -> list[Fact]:
        """Return every fact that stands, in time order."""
        return [fact for facts in self._facts for fact in facts]

    def list_facts_before(self, instant: datetime) -> Sequence[tuple[Fact, ...]]:
        """Return the facts that stand of each instant before *instant*, in time order."""
        return self._facts[: bisect_left(self._instants, instant)]

    def _mark_stale(self, stale: int, former: int) -> None:
        """Step again from the instant numbered *stale* on, and all through those up to *former*."""
        self._stale = min(self._stale, stale)
        self._former = max(self._former, former)

    def _drop_ended_runs(self, first: datetime, last: datetime) -> None:
        """Let no run have ended from *first* to *last*."""
        here = bisect_left(self._ended_at, first)
        there = bisect_right(self._ended_at, last)
        del self._ended_at[here:there], self._ended_runs[here:there]
        self._unchanged_runs = min(self._unchanged_runs, here)

    def _store_ended_runs(self, found: Sequence[tuple[datetime, Run]]) -> None:
        """Let the runs *found* have ended, where none had."""
        here = bisect_left(self._ended_at, found[0][0])
        self._ended_at[here:here] = [at for at, _ in found]
        self._ended_runs[here:here] = [run for _, run in found]
        self._unchanged_runs = min(self._unchanged_runs, here)


def _by_id(fact: Fact) -> str:
    return fact.id
