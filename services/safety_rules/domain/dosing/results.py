"""The results of one measure that stand, in time order, and which of them are over a multiple."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult

_LAST = "\uffff"  # after every id


class MeasureResults:
    """The results of one measure of one participant."""

    def __init__(self) -> None:
        """Start with none."""
        self._all: list[UlnResult] = []
        self._over: dict[Decimal, list[UlnResult]] = {}
        self._below: dict[Decimal, dict[str, bool | None]] = {}

    def insert(self, result: UlnResult) -> None:
        """Let *result* stand."""
        _insert(self._all, result)
        for multiple, over in self._over.items():
            if result.is_over(multiple):
                _insert(over, result)

    def remove(self, at: datetime, fact: str) -> None:
        """Let the result of *fact*, observed *at*, stand no longer."""
        for results in (self._all, *self._over.values()):
            place = bisect_left(results, (at, fact), key=_in_order)
            if place < len(results) and results[place].fact == fact:
                del results[place]
        for below in self._below.values():
            below.pop(fact, None)

    def find_first(self, since: datetime) -> UlnResult | None:
        """Return the first result from *since* on."""
        place = bisect_left(self._all, (since, ""), key=_in_order)
        return self._all[place] if place < len(self._all) else None

    def find_last(self, since: datetime) -> UlnResult | None:
        """Return the last result, if it is not from before *since*."""
        return self._all[-1] if self._all and self._all[-1].observed_at >= since else None

    def list_above(self, multiple: Decimal, since: datetime) -> Sequence[UlnResult]:
        """Return those from *since* on that certainly are more than *multiple* times the limit."""
        over = self._over.get(multiple)
        if over is None:
            over = self._over[multiple] = [one for one in self._all if one.is_over(multiple)]
        return over[bisect_left(over, (since, ""), key=_in_order) :]

    def list_limit_changes(self, multiple: Decimal, since: datetime) -> Iterator[UlnResult]:
        """Yield those that are `over`, and after each the next that certainly is not any longer."""
        last = None
        for one in self.list_above(multiple, since):
            yield one
            place = bisect_right(self._all, _in_order(one), key=_in_order)
            while place < len(self._all) and self._all[place].is_over(multiple) is None:
                place += 1
            ends = self._all[place] if place < len(self._all) else None
            if ends is not None and ends is not last and ends.is_over(multiple) is False:
                yield ends
                last = ends

    def list_between(self, first: datetime, last: datetime) -> Sequence[UlnResult]:
        """Return those from *first* to *last*, both inside."""
        here = bisect_left(self._all, (first, ""), key=_in_order)
        return self._all[here : bisect_right(self._all, (last, _LAST), key=_in_order)]

    def is_below(self, result: UlnResult, multiple: Decimal) -> bool | None:
        """Say whether one of the results is less than *multiple* times the limit; None: unknown."""
        known = self._below.setdefault(multiple, {})
        if result.fact not in known:
            known[result.fact] = result.is_below(multiple)
        return known[result.fact]


NO_RESULTS = MeasureResults()


def _insert(results: list[UlnResult], result: UlnResult) -> None:
    results.insert(bisect_left(results, _in_order(result), key=_in_order), result)


def _in_order(result: UlnResult) -> tuple[datetime, str]:
    return result.observed_at, result.fact
