"""Which drugs run, and which were given last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.vocabulary.fact import Action, Administration, Fact

# Two doses no further apart are a drug that is given day by day.
_DAILY = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class DrugExposures:
    """What runs and what was given last, by drug.

    Args:
        running_drugs: The fact that started an infusion or a repeated drug, or changed its rate.
        last_doses: The last single dose.
        daily_doses: The last single dose of a drug that is given day by day, outside the protocol.
        last_starts: What last began, a dose or an infusion, whether it still runs or not.
        stop_times: When what ran was stopped.
    """

    running_drugs: Mapping[str, Fact] = field(default_factory=dict)
    last_doses: Mapping[str, Fact] = field(default_factory=dict)
    daily_doses: Mapping[str, Fact] = field(default_factory=dict)
    last_starts: Mapping[str, Fact] = field(default_factory=dict)
    stop_times: Mapping[str, datetime] = field(default_factory=dict)

    def apply_administration(self, fact: Fact) -> "DrugExposures":
        """Return what is true once *fact*, an administration, is."""
        body = fact.body
        if not isinstance(body, Administration):
            return self
        begun: Mapping[str, Fact] = {**self.last_starts, body.drug: fact}
        if body.action is Action.DOSE:
            given = {**self.last_doses, body.drug: fact}
            return replace(
                self,
                last_doses=given,
                last_starts=begun,
                daily_doses=self._update_daily_doses(fact, body),
            )
        running = {
            drug: started for drug, started in self.running_drugs.items() if drug != body.drug
        }
        if is_stop(body):
            stopped = {**self.stop_times, body.drug: fact.observed_at}
            return replace(self, running_drugs=running, stop_times=stopped)
        begun = begun if body.action is Action.START else self.last_starts
        return replace(self, running_drugs={**running, body.drug: fact}, last_starts=begun)

    def apply_administrations(self, facts: Sequence[Fact]) -> "DrugExposures":
        """Return what is true once *facts* of one instant are: what stops does so first."""
        drugs = self
        for fact in sorted(facts, key=_stops_first):
            drugs = drugs.apply_administration(fact)
        return drugs

    def find_daily_dose(self, drug: str, at: datetime) -> Fact | None:
        """Return the last dose of a drug that is given day by day, if that goes on at *at*."""
        last = self.daily_doses.get(drug)
        return last if last is not None and at - last.observed_at <= _DAILY else None

    def _update_daily_doses(self, fact: Fact, body: Administration) -> Mapping[str, Fact]:
        last = self.last_doses.get(body.drug)
        goes_on = last is not None and fact.observed_at - last.observed_at <= _DAILY
        planned = body.scheduled or (last is not None and _is_scheduled(last))
        others = {drug: dose for drug, dose in self.daily_doses.items() if drug != body.drug}
        return {**others, body.drug: fact} if goes_on and not planned else others


def is_stop(body: Administration) -> bool:
    """Say whether nothing runs any more; a pump at rate 0 is a pump that stands still."""
    at_zero = body.action is Action.RATE and body.dose is not None and body.dose.value == 0
    return body.action is Action.STOP or at_zero


def _stops_first(fact: Fact) -> tuple[bool, str]:
    return not (isinstance(fact.body, Administration) and is_stop(fact.body)), fact.id


def _is_scheduled(fact: Fact) -> bool:
    return isinstance(fact.body, Administration) and fact.body.scheduled
