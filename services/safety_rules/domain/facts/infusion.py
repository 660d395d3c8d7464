"""When the study drug ran, and at what rate."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.vocabulary.fact import Action, Administration, Fact
from services.vocabulary.quantity import Quantity


@dataclass(frozen=True, slots=True)
class InfusionPeriod:
    """From *start* to *end* (None: it still runs) at *rate*; None: no rate was charted.

    *begins* is false where the rate of a running infusion was changed.
    """

    start: datetime
    end: datetime | None
    rate: Quantity | None
    fact: str
    begins: bool = True


@dataclass(frozen=True, slots=True)
class Infusion:
    """All stretches of one participant, in order; they do not overlap."""

    periods: tuple[InfusionPeriod, ...] = ()

    def find_period(self, instant: datetime) -> InfusionPeriod | None:
        """Return what runs at *instant*, else what ran last; None before the first dose."""
        return next((one for one in reversed(self.periods) if one.start <= instant), None)

    def is_running(self, instant: datetime) -> bool:
        """Say whether it runs at *instant*."""
        last = self.find_period(instant)
        return last is not None and (last.end is None or instant < last.end)

    def find_restarts(self, longest: timedelta) -> Iterator[tuple[InfusionPeriod, timedelta]]:
        """Yield what began after a pause of at most *longest*, with the pause."""
        for before, after in zip(self.periods, self.periods[1:], strict=False):
            if before.end is not None and after.begins and after.start - before.end <= longest:
                yield after, after.start - before.end


def trace_infusion(facts: Iterable[Fact], drug: str) -> Infusion:
    """Return when *drug* ran, from the administrations that stand, in any order.

    A rate of 0 is a stop; of one instant what stops does so first. A single dose runs no longer
    than its instant. A rate without a start before it tells of an infusion whose start was lost.
    """
    found: list[InfusionPeriod] = []
    for fact in sorted((f for f in facts if _gives_drug(f, drug)), key=_time_order):
        body = fact.body
        if not isinstance(body, Administration):
            continue
        at = fact.observed_at
        runs = bool(found) and found[-1].end is None
        if _is_stop(body):
            if runs:
                found[-1] = _end_period(found[-1], at)
        elif body.action is Action.DOSE:
            if not runs:
                found.append(InfusionPeriod(at, at, body.dose, fact.id))
        else:
            goes_on = bool(found) and found[-1].end in (None, at)
            if runs:
                found[-1] = _end_period(found[-1], at)
            found.append(InfusionPeriod(at, None, body.dose, fact.id, begins=not goes_on))
    return Infusion(tuple(found))


def _end_period(running: InfusionPeriod, at: datetime) -> InfusionPeriod:
    return InfusionPeriod(running.start, at, running.rate, running.fact, running.begins)


def _gives_drug(fact: Fact, drug: str) -> bool:
    return isinstance(fact.body, Administration) and fact.body.drug == drug


def _time_order(fact: Fact) -> tuple[datetime, bool, str]:
    return fact.observed_at, not _is_stop(fact.body), fact.id


def _is_stop(body: object) -> bool:
    if not isinstance(body, Administration):
        return False
    at_zero = body.action is Action.RATE and body.dose is not None and body.dose.value == 0
    return body.action is Action.STOP or at_zero


def format_rate(rate: Quantity | None) -> str:
    """Return a rate as people read it.

    >>> from decimal import Decimal
    >>> format_rate(Quantity(Decimal(8), "ug/d")), format_rate(None)
    ('8 ug/d', 'an unknown rate')
    """
    return "an unknown rate" if rate is None else f"{rate.value} {rate.unit}"
