"""Readings in time order, stepped through once; a late one goes back only as far as it must."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from services.vocabulary.fact import Fact

S = TypeVar("S")

Step = Callable[[S, datetime, Sequence[Fact]], S]


class Track(Generic[S]):
    """A state that is a function of a set of facts, whatever the order in which they came.

    *step* takes the state before an instant and all standing facts of that instant. States share
    structure, so one is kept for every instant: a late fact re-runs only what follows it.
    """

    def __init__(self, initial: S, step: Step[S]) -> None:
        """Start with no facts."""
        self._initial = initial
        self._step = step
        self._instants: list[datetime] = []
        self._facts: list[tuple[Fact, ...]] = []
        self._states: list[S] = []

    def insert(self, fact: Fact) -> None:
        """Let *fact* stand."""
        at = bisect_left(self._instants, fact.observed_at)
        if at < len(self._instants) and self._instants[at] == fact.observed_at:
            self._facts[at] = tuple(sorted((*self._facts[at], fact), key=lambda f: f.id))
        else:
            self._instants.insert(at, fact.observed_at)
            self._facts.insert(at, (fact,))
        del self._states[at:]

    def remove(self, fact: Fact) -> None:
        """Let *fact* stand no longer."""
        at = bisect_left(self._instants, fact.observed_at)
        left = tuple(f for f in self._facts[at] if f.id != fact.id)
        if left:
            self._facts[at] = left
        else:
            del self._instants[at]
            del self._facts[at]
        del self._states[at:]

    def touch(self, since: datetime) -> None:
        """Step again through everything from *since* on: something it looks up has changed."""
        del self._states[bisect_left(self._instants, since) :]

    def restart(self, initial: S, step: Step[S]) -> None:
        """Step again through everything, from another beginning."""
        self._initial, self._step = initial, step
        self._states.clear()

    def state(self) -> S:
        """Return the state after all facts."""
        state = self._states[-1] if self._states else self._initial
        for at in range(len(self._states), len(self._instants)):
            state = self._step(state, self._instants[at], self._facts[at])
            self._states.append(state)
        return state

    def facts(self) -> list[Fact]:
        """Return every fact that stands, in time order."""
        return [fact for facts in self._facts for fact in facts]
