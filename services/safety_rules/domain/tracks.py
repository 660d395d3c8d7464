"""Readings in time order, stepped through once; a late one re-runs only what it changes."""

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
    structure, so one is kept for every instant: a late fact re-runs what follows it, up to the
    first instant after which the state is what it was before.
    """

    def __init__(self, initial: S, step: Step[S]) -> None:
        """Start with no facts."""
        self._initial = initial
        self._step = step
        self._instants: list[datetime] = []
        self._facts: list[tuple[Fact, ...]] = []
        self._states: list[S] = []
        self._former: list[S] = []  # of the last instants: each is the step from the one before

    def insert(self, fact: Fact) -> None:
        """Let *fact* stand."""
        whole = len(self._states) == len(self._instants)
        at = bisect_left(self._instants, fact.observed_at)
        if at < len(self._instants) and self._instants[at] == fact.observed_at:
            self._facts[at] = tuple(sorted((*self._facts[at], fact), key=lambda f: f.id))
        else:
            self._instants.insert(at, fact.observed_at)
            self._facts.insert(at, (fact,))
        self._go_back(at, whole=whole)

    def remove(self, fact: Fact) -> None:
        """Let *fact* stand no longer."""
        whole = len(self._states) == len(self._instants)
        at = bisect_left(self._instants, fact.observed_at)
        left = tuple(f for f in self._facts[at] if f.id != fact.id)
        if left:
            self._facts[at] = left
        else:
            del self._instants[at]
            del self._facts[at]
        self._go_back(at, whole=whole)

    def touch(self, since: datetime) -> None:
        """Step again through everything from *since* on: something it looks up has changed."""
        del self._states[bisect_left(self._instants, since) :]
        self._former.clear()

    def restart(self, initial: S, step: Step[S]) -> None:
        """Step again through everything, from another beginning."""
        self._initial, self._step = initial, step
        self._states.clear()
        self._former.clear()

    def state(self) -> S:
        """Return the state after all facts."""
        state = self._states[-1] if self._states else self._initial
        first = len(self._instants) - len(self._former)  # instant of the first former state
        for at in range(len(self._states), len(self._instants)):
            state = self._step(state, self._instants[at], self._facts[at])
            if at >= first and state == self._former[at - first]:
                self._states += self._former[at - first :]
                break
            self._states.append(state)
        return self._states[-1] if self._states else self._initial

    def facts(self) -> list[Fact]:
        """Return every fact that stands, in time order."""
        return [fact for facts in self._facts for fact in facts]

    def _go_back(self, at: int, *, whole: bool) -> None:
        """Step again from the instant numbered *at*; all was stepped through if it was *whole*.

        The states from there on are kept, in case stepping meets one of them again.
        """
        if whole:
            self._former = self._states[at:]
        else:
            unchanged = len(self._instants) - at
            del self._former[: max(0, len(self._former) - unchanged)]
        del self._states[at:]
