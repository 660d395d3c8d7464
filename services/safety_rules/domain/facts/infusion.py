"""The infusion of the study drug: its periods and their rates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.safety_rules.domain.facts.drugs import is_stop
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.fact import Fact
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
    """All infusion periods of one participant, in order; they do not overlap."""

    periods: tuple[InfusionPeriod, ...] = ()

    def find_period(self, instant: datetime) -> InfusionPeriod | None:
        """Return the period at *instant*, else the last one before; None before the first dose."""
        return next((one for one in reversed(self.periods) if one.start <= instant), None)

    def is_running(self, instant: datetime) -> bool:
        """Return True when the infusion runs at *instant*."""
        last = self.find_period(instant)
        return last is not None and (last.end is None or instant < last.end)

    def find_restarts(
        self, longest: timedelta = timedelta.max
    ) -> Iterator[tuple[InfusionPeriod, timedelta]]:
        """Yield each period that began after a pause of at most *longest*, with the pause."""
        for period, next_period in zip(self.periods, self.periods[1:], strict=False):
            if (
                period.end is not None
                and next_period.begins
                and next_period.start - period.end <= longest
            ):
                yield next_period, next_period.start - period.end


def trace_infusion(facts: Iterable[Fact], drug: str) -> Infusion:
    """Return the infusion of *drug*, from the standing administrations in any order.

    A rate of 0 is a stop; of one instant stops apply first. A single dose runs no longer than its
    instant. A rate without a start before it is an infusion whose start was lost.
    """
    periods: list[InfusionPeriod] = []
    for fact in sorted((f for f in facts if _gives_drug(f, drug)), key=_time_order):
        body = fact.body
        if not isinstance(body, Administration):
            continue
        instant = fact.observed_at
        runs = bool(periods) and periods[-1].end is None
        if is_stop(body):
            if runs:
                periods[-1] = _end_period(periods[-1], instant)
        elif body.action is Action.DOSE:
            if not runs:
                periods.append(InfusionPeriod(instant, instant, body.dose, fact.id))
        else:
            goes_on = bool(periods) and periods[-1].end in (None, instant)
            if runs:
                periods[-1] = _end_period(periods[-1], instant)
            periods.append(InfusionPeriod(instant, None, body.dose, fact.id, begins=not goes_on))
    return Infusion(tuple(periods))


def _end_period(period: InfusionPeriod, instant: datetime) -> InfusionPeriod:
    return InfusionPeriod(period.start, instant, period.rate, period.fact, period.begins)


def _gives_drug(fact: Fact, drug: str) -> bool:
    return isinstance(fact.body, Administration) and fact.body.drug == drug


def _time_order(fact: Fact) -> tuple[datetime, bool, str]:
    return fact.observed_at, not is_stop(fact.body), fact.id


def format_rate(rate: Quantity | None) -> str:
    """Return *rate* in words.

    >>> from decimal import Decimal
    >>> format_rate(Quantity(Decimal(8), "ug/d")), format_rate(None)
    ('8 ug/d', 'an unknown rate')
    """
    return "an unknown rate" if rate is None else f"{rate.value} {rate.unit}"
