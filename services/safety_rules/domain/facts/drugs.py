"""Which drugs run, and which were given last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.vocabulary.fact import Action, Administration, Fact

# Two doses no further apart are a drug that is given day by day.
_DAILY = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Drugs:
    """What runs and what was given last, by drug.

    Args:
        running: The fact that started an infusion or a repeated drug, or changed its rate.
        given: The last single dose.
        daily: The last single dose of a drug that is given day by day, outside the protocol.
        begun: What last began, a dose or an infusion, whether it still runs or not.
        stopped: When what ran was stopped.
    """

    running: Mapping[str, Fact] = field(default_factory=dict)
    given: Mapping[str, Fact] = field(default_factory=dict)
    daily: Mapping[str, Fact] = field(default_factory=dict)
    begun: Mapping[str, Fact] = field(default_factory=dict)
    stopped: Mapping[str, datetime] = field(default_factory=dict)

    def after(self, fact: Fact) -> "Drugs":
        """Return what is true once *fact*, an administration, is."""
        body = fact.body
        if not isinstance(body, Administration):
            return self
        begun: Mapping[str, Fact] = {**self.begun, body.drug: fact}
        if body.action is Action.GIVEN:
            given = {**self.given, body.drug: fact}
            return replace(self, given=given, begun=begun, daily=self._daily(fact, body))
        running = {drug: started for drug, started in self.running.items() if drug != body.drug}
        if stops(body):
            stopped = {**self.stopped, body.drug: fact.observed_at}
            return replace(self, running=running, stopped=stopped)
        begun = begun if body.action is Action.START else self.begun
        return replace(self, running={**running, body.drug: fact}, begun=begun)

    def after_all(self, facts: Sequence[Fact]) -> "Drugs":
        """Return what is true once *facts* of one instant are: what stops does so first."""
        drugs = self
        for fact in sorted(facts, key=_stops_first):
            drugs = drugs.after(fact)
        return drugs

    def daily_dose(self, drug: str, at: datetime) -> Fact | None:
        """Return the last dose of a drug that is given day by day, if that goes on at *at*."""
        last = self.daily.get(drug)
        return last if last is not None and at - last.observed_at <= _DAILY else None

    def _daily(self, fact: Fact, body: Administration) -> Mapping[str, Fact]:
        last = self.given.get(body.drug)
        goes_on = last is not None and fact.observed_at - last.observed_at <= _DAILY
        planned = body.scheduled or (last is not None and _is_scheduled(last))
        others = {drug: dose for drug, dose in self.daily.items() if drug != body.drug}
        return {**others, body.drug: fact} if goes_on and not planned else others


def stops(body: Administration) -> bool:
    """Say whether nothing runs any more; a pump at rate 0 is a pump that stands still."""
    at_zero = body.action is Action.RATE and body.dose is not None and body.dose.value == 0
    return body.action is Action.STOP or at_zero


def _stops_first(fact: Fact) -> tuple[bool, str]:
    return not (isinstance(fact.body, Administration) and stops(fact.body)), fact.id


def _is_scheduled(fact: Fact) -> bool:
    return isinstance(fact.body, Administration) and fact.body.scheduled
