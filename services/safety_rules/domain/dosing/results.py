"""The results of one measure that stand, in time order, and which of them are over a multiple."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult

_LAST = "\uffff"  # after every id


class MeasureResults:
    """The results of one measure of one participant."""

    def __init__(self) -> None:
        """Start with none."""
        self._results: list[UlnResult] = []
        self._results_over: dict[Decimal, list[UlnResult]] = {}
        self._answers_below: dict[Decimal, dict[str, bool | None]] = {}

    def insert(self, result: UlnResult) -> None:
        """Add *result*."""
        _insert(self._results, result)
        for multiple, results_over in self._results_over.items():
            if result.is_over(multiple):
                _insert(results_over, result)

    def remove(self, observed_at: datetime, fact: str) -> None:
        """Remove the result of *fact*, observed at *observed_at*."""
        for results in (self._results, *self._results_over.values()):
            place = bisect_left(results, (observed_at, fact), key=_time_order)
            if place < len(results) and results[place].fact == fact:
                del results[place]
        for answers in self._answers_below.values():
            answers.pop(fact, None)

    def find_first(self, start: datetime) -> UlnResult | None:
        """Return the first result from *start* on."""
        place = bisect_left(self._results, (start, ""), key=_time_order)
        return self._results[place] if place < len(self._results) else None

    def list_last(self, start: datetime) -> Sequence[UlnResult]:
        """Return the results of the last instant, if it is not before *start*."""
        if not self._results or self._results[-1].observed_at < start:
            return ()
        return self.list_between(self._results[-1].observed_at, self._results[-1].observed_at)

    def list_above(self, multiple: Decimal, start: datetime) -> Sequence[UlnResult]:
        """Return those from *start* on that certainly are more than *multiple* times the limit."""
        results_over = self._results_over.get(multiple)
        if results_over is None:
            results_over = self._results_over[multiple] = [
                one for one in self._results if one.is_over(multiple)
            ]
        return results_over[bisect_left(results_over, (start, ""), key=_time_order) :]

    def list_limit_changes(self, multiple: Decimal, start: datetime) -> Iterator[UlnResult]:
        """Yield each result above, and after it the next that certainly is not.

        Of several of one instant the worst counts: beside one above, the others end nothing.
        """
        results_above = self.list_above(multiple, start)
        instants_above = {result.observed_at for result in results_above}
        last = None
        for _, simultaneous_results in groupby(results_above, key=_get_instant):
            *_, result = group = list(simultaneous_results)
            yield from group
            place = bisect_right(self._results, (result.observed_at, _LAST), key=_time_order)
            while place < len(self._results) and self._results[place].is_over(multiple) is None:
                place += 1
            end = self._results[place] if place < len(self._results) else None
            if end is not None and end is not last and end.observed_at not in instants_above:
                yield end
                last = end

    def list_between(self, first: datetime, last: datetime) -> Sequence[UlnResult]:
        """Return those from *first* to *last*, both inside."""
        start = bisect_left(self._results, (first, ""), key=_time_order)
        return self._results[start : bisect_right(self._results, (last, _LAST), key=_time_order)]

    def is_below(self, result: UlnResult, multiple: Decimal) -> bool | None:
        """True if *result* is less than *multiple* times the limit; None: unknown."""
        answers = self._answers_below.setdefault(multiple, {})
        if result.fact not in answers:
            answers[result.fact] = result.is_below(multiple)
        return answers[result.fact]


NO_RESULTS = MeasureResults()


def _insert(results: list[UlnResult], result: UlnResult) -> None:
    results.insert(bisect_left(results, _time_order(result), key=_time_order), result)


def _get_instant(result: UlnResult) -> datetime:
    return result.observed_at


def _time_order(result: UlnResult) -> tuple[datetime, str]:
    return result.observed_at, result.fact
