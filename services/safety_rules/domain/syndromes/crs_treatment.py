"""The treatment of a cytokine release syndrome, after which its grade needs no fever.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2; where it is silent:
docs/decisions/bedside.md
"""

from datetime import datetime

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.syndromes.crs_course import CrsSigns
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.protocol import Bedside


def list_treatments(limits: Bedside) -> tuple[str, ...]:
    """Return the drugs that treat the syndrome or its fever."""
    return (*limits.antipyretics, *limits.steroids, *limits.anticytokines)


def waives_fever(limits: Bedside, signs: CrsSigns, previous_drugs: DrugExposures) -> bool:
    """Return True when a treatment among the facts of *signs* waives fever.

    A treatment that the protocol schedules does not, nor a steroid that goes on unchanged.

    Args:
        limits: The protocol's.
        signs: Of the instant.
        previous_drugs: Running and given before it.
    """
    for fact in signs.facts:
        body = fact.body
        if not isinstance(body, Administration) or body.scheduled or body.action is Action.STOP:
            continue
        if body.drug in limits.antipyretics or body.drug in limits.anticytokines:
            return True
        if body.drug in limits.steroids and not _goes_on(body, signs.instant, previous_drugs):
            return True
    return False


def _goes_on(body: Administration, instant: datetime, previous_drugs: DrugExposures) -> bool:
    """Return True when the steroid ran, or was given day by day, at this dose or more."""
    daily_dose = previous_drugs.find_daily_dose(body.drug, instant)
    fact = previous_drugs.running_drugs.get(body.drug) or daily_dose
    dose = fact.body.dose if fact and isinstance(fact.body, Administration) else None
    if dose is None or body.dose is None or dose.unit != body.dose.unit:
        return fact is not None and body.dose is None
    return body.dose.value <= dose.value
