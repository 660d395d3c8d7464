"""When the study drug ran, and at what rate."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.vocabulary.fact import Action, Administration, Fact
from services.vocabulary.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Running:
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

    stretches: tuple[Running, ...] = ()

    def at(self, instant: datetime) -> Running | None:
        """Return what runs at *instant*, else what ran last; None before the first dose."""
        return next((one for one in reversed(self.stretches) if one.start <= instant), None)

    def runs(self, instant: datetime) -> bool:
        """Say whether it runs at *instant*."""
        last = self.at(instant)
        return last is not None and (last.end is None or instant < last.end)

    def restarts(self, longest: timedelta) -> Iterator[tuple[Running, timedelta]]:
        """Yield what began after a pause of at most *longest*, with the pause."""
        for before, after in zip(self.stretches, self.stretches[1:], strict=False):
            if before.end is not None and after.begins and after.start - before.end <= longest:
                yield after, after.start - before.end


def infusion(facts: Iterable[Fact], drug: str) -> Infusion:
    """Return when *drug* ran, from the administrations that stand, in any order.

    A rate of 0 is a stop; of one instant what stops does so first. A single dose runs no longer
    than its instant. A rate without a start before it tells of an infusion whose start was lost.
    """
    found: list[Running] = []
    for fact in sorted((f for f in facts if _is_of(f, drug)), key=_in_order):
        body = fact.body
        if not isinstance(body, Administration):
            continue
        at = fact.observed_at
        runs = bool(found) and found[-1].end is None
        if _stops(body):
            if runs:
                found[-1] = _ended(found[-1], at)
        elif body.action is Action.GIVEN:
            if not runs:
                found.append(Running(at, at, body.dose, fact.id))
        else:
            goes_on = bool(found) and found[-1].end in (None, at)
            if runs:
                found[-1] = _ended(found[-1], at)
            found.append(Running(at, None, body.dose, fact.id, begins=not goes_on))
    return Infusion(tuple(found))


def _ended(running: Running, at: datetime) -> Running:
    return Running(running.start, at, running.rate, running.fact, running.begins)


def _is_of(fact: Fact, drug: str) -> bool:
    return isinstance(fact.body, Administration) and fact.body.drug == drug


def _in_order(fact: Fact) -> tuple[datetime, bool, str]:
    return fact.observed_at, not _stops(fact.body), fact.id


def _stops(body: object) -> bool:
    if not isinstance(body, Administration):
        return False
    at_zero = body.action is Action.RATE and body.dose is not None and body.dose.value == 0
    return body.action is Action.STOP or at_zero


def shown(rate: Quantity | None) -> str:
    """Return a rate as people read it.

    >>> from decimal import Decimal
    >>> shown(Quantity(Decimal(8), "ug/d")), shown(None)
    ('8 ug/d', 'an unknown rate')
    """
    return "an unknown rate" if rate is None else f"{rate.value} {rate.unit}"
