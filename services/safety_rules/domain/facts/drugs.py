"""The running drugs, and the last doses."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.fact import Body, Fact

# A transfusion is a drug whose name ends so; the product is not always named.
TRANSFUSION, PLATELET_TRANSFUSION = "transfusion", "platelet-transfusion"
# Two doses no further apart are a drug that is given day by day.
DAILY_INTERVAL = timedelta(hours=36)


def is_transfusion(drug: str) -> bool:
    """Return True when *drug* is a blood product, named or not.

    >>> [is_transfusion(drug) for drug in ("transfusion", "red-cell-transfusion", "heparin")]
    [True, True, False]
    """
    return drug == TRANSFUSION or drug.endswith(f"-{TRANSFUSION}")


@dataclass(frozen=True, slots=True)
class DrugExposures:
    """Running drugs, last doses and last stops, by drug.

    Args:
        running_drugs: The fact that started an infusion or a repeated drug, or changed its rate.
        running_since: The instant from which each of these has run, whatever its rate or bag.
        last_doses: The last single dose.
        daily_doses: The last single dose of a drug that is given day by day, outside the protocol.
        last_starts: The last dose or start of an infusion, even when it no longer runs.
        stop_times: The last stop of an infusion or a repeated drug.
    """

    running_drugs: Mapping[str, Fact] = field(default_factory=dict)
    running_since: Mapping[str, datetime] = field(default_factory=dict)
    last_doses: Mapping[str, Fact] = field(default_factory=dict)
    daily_doses: Mapping[str, Fact] = field(default_factory=dict)
    last_starts: Mapping[str, Fact] = field(default_factory=dict)
    stop_times: Mapping[str, datetime] = field(default_factory=dict)

    def apply_administrations(self, facts: Sequence[Fact]) -> "DrugExposures":
        """Return the exposures after *facts* of one instant, of which stops apply first."""
        drugs = self
        for fact in sorted(facts, key=_stops_first):
            drugs = drugs._apply_administration(fact)
        if drugs is self:
            return self
        running_since = {
            drug: self.running_since.get(drug, fact.observed_at)
            for drug, fact in drugs.running_drugs.items()
        }
        return replace(drugs, running_since=running_since)

    def leave_out(self, drugs: Container[str]) -> "DrugExposures":
        """Return the exposures without running *drugs*."""
        if not any(drug in drugs for drug in self.running_drugs):
            return self
        return replace(
            self,
            running_drugs={d: f for d, f in self.running_drugs.items() if d not in drugs},
            running_since={d: at for d, at in self.running_since.items() if d not in drugs},
        )

    def find_daily_dose(self, drug: str, instant: datetime) -> Fact | None:
        """Return the last dose of a drug that is given day by day, if that goes on at *instant*."""
        last = self.daily_doses.get(drug)
        return last if last is not None and instant - last.observed_at <= DAILY_INTERVAL else None

    def _apply_administration(self, fact: Fact) -> "DrugExposures":
        """Return the exposures after *fact*, an administration."""
        body = fact.body
        if not isinstance(body, Administration):
            return self
        last_starts: Mapping[str, Fact] = {**self.last_starts, body.drug: fact}
        if body.action is Action.DOSE:
            last_doses = {**self.last_doses, body.drug: fact}
            return replace(
                self,
                last_doses=last_doses,
                last_starts=last_starts,
                daily_doses=self._update_daily_doses(fact, body),
            )
        running_drugs = {
            drug: started for drug, started in self.running_drugs.items() if drug != body.drug
        }
        if is_stop(body):
            stop_times = {**self.stop_times, body.drug: fact.observed_at}
            return replace(self, running_drugs=running_drugs, stop_times=stop_times)
        last_starts = last_starts if body.action is Action.START else self.last_starts
        return replace(
            self, running_drugs={**running_drugs, body.drug: fact}, last_starts=last_starts
        )

    def _update_daily_doses(self, fact: Fact, body: Administration) -> Mapping[str, Fact]:
        last = self.last_doses.get(body.drug)
        goes_on = last is not None and fact.observed_at - last.observed_at <= DAILY_INTERVAL
        is_planned = body.scheduled or (last is not None and _is_scheduled(last))
        other_doses = {drug: dose for drug, dose in self.daily_doses.items() if drug != body.drug}
        return {**other_doses, body.drug: fact} if goes_on and not is_planned else other_doses


def is_stop(body: Body) -> bool:
    """Return True when *body* ends an infusion or a repeated drug: a stop, or a rate of 0."""
    if not isinstance(body, Administration):
        return False
    is_rate_zero = body.action is Action.RATE and body.dose is not None and body.dose.value == 0
    return body.action is Action.STOP or is_rate_zero


def _stops_first(fact: Fact) -> tuple[bool, str]:
    return not is_stop(fact.body), fact.id


def _is_scheduled(fact: Fact) -> bool:
    return isinstance(fact.body, Administration) and fact.body.scheduled
