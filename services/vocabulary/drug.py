"""Drugs that decide between the grades of a reading: the rows of ``drug_classes.csv``."""

from dataclasses import dataclass
from enum import StrEnum


class DrugClass(StrEnum):
    """The effect by which a drug decides between grades."""

    INSULIN = "insulin"
    ORAL_AGENT = "oral agent"  # against a high glucose
    POTASSIUM = "potassium"
    ANTICOAGULANT = "anticoagulant"


@dataclass(frozen=True, slots=True)
class ClassifiedDrug:
    """A drug and its class.

    Args:
        name: As in facts.
        drug_class: Its class.
        counts_each_dose: False for a drug that counts only while it runs.
        source: Of the class, e.g. ``ATC A10BA02``.
    """

    name: str
    drug_class: DrugClass
    counts_each_dose: bool
    source: str
