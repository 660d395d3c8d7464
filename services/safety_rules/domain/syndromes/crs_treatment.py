"""The treatment of a cytokine release syndrome, after which its grade needs no fever.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from datetime import datetime

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.syndromes.crs_course import CrsSigns
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.fact import Body, Fact
from services.vocabulary.protocol import Bedside


def list_treatments(limits: Bedside) -> tuple[str, ...]:
    """Return the drugs that treat the syndrome or its fever."""
    return (*limits.antipyretics, *limits.steroids, *limits.anticytokines)


def list_waivers(
    limits: Bedside, signs: CrsSigns, previous_drugs: DrugExposures
) -> tuple[Fact, ...]:
    """Return the treatments among the facts of *signs* that waive fever.

    A treatment that the protocol schedules does not, nor a steroid that goes on unchanged.

    Args:
        limits: The protocol's.
        signs: Of the instant.
        previous_drugs: Running and given before it.
    """
    return tuple(
        fact for fact in signs.facts if _waives(fact.body, limits, signs.instant, previous_drugs)
    )


def _waives(body: Body, limits: Bedside, instant: datetime, previous_drugs: DrugExposures) -> bool:
    if not isinstance(body, Administration) or body.scheduled or body.action is Action.STOP:
        return False
    if body.drug in limits.antipyretics or body.drug in limits.anticytokines:
        return True
    return body.drug in limits.steroids and not _goes_on(body, instant, previous_drugs)


def _goes_on(body: Administration, instant: datetime, previous_drugs: DrugExposures) -> bool:
    """Return True when the steroid ran, or was given day by day, at this dose or more."""
    daily_dose = previous_drugs.find_daily_dose(body.drug, instant)
    fact = previous_drugs.running_drugs.get(body.drug) or daily_dose
    dose = fact.body.dose if fact and isinstance(fact.body, Administration) else None
    if dose is None or body.dose is None:
        return fact is not None and body.dose is None
    new_dose = body.dose if body.dose.unit == dose.unit else rescale_quantity(body.dose, dose.unit)
    return new_dose is not None and new_dose.value <= dose.value
