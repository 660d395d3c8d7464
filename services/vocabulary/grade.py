"""How severe an event is, as far as the facts decide it."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Grade(IntEnum):
    """Severity; ``NONE`` means assessed, with no threshold met, never "unknown".

    Source: CTCAE v5.0, introductory page, "Grades"
    """

    NONE = 0
    MILD = 1
    MODERATE = 2
    SEVERE = 3
    LIFE_THREATENING = 4
    DEATH = 5


class Symptoms(StrEnum):
    """Whether something causes signs or symptoms, the mildest first."""

    NONE = "none"
    PRESENT = "present"  # how severe is not said
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"

    @property
    def rank(self) -> int:
        """Grows with severity."""
        return _RANKS[self]

    @property
    def at_least_moderate(self) -> bool | None:
        """Whether they are moderate or severe; None: not said."""
        return None if self is Symptoms.PRESENT else self in _MODERATE


_RANKS = {symptoms: rank for rank, symptoms in enumerate(Symptoms)}
_MODERATE = (Symptoms.MODERATE, Symptoms.SEVERE)


class Input(StrEnum):
    """What a grade is computed from: the names by which something can be missing."""

    VALUE = "value"  # reported only as a bound, such as <0.1
    UNIT = "unit"
    LLN = "LLN"
    ULN = "ULN"
    BASELINE = "baseline"
    ALBUMIN = "albumin"
    FASTING = "fasting"
    SYMPTOMS = "symptoms"
    SEVERITY = "severity of symptoms"
    INTERVENTION = "intervention"
    AT_REST = "at rest"
    ANTICOAGULATION = "anticoagulation"
    INFARCTION = "limit of infarction"  # the manufacturer's
    NEUTROPHILS = "neutrophils"
    TEXT = "text"  # the published wording does not cover the case
    TEMPERATURE = "temperature"
    BLOOD_PRESSURE = "blood pressure"
    FLUID_RESPONSE = "response to fluids"
    OXYGEN_DEVICE = "oxygen device"
    OXYGEN_FLOW = "oxygen flow"
    FIO2 = "FiO2"
    ICE = "ICE score"
    AROUSAL = "arousal"


@dataclass(frozen=True, slots=True)
class ExactGrade:
    """The grade is exact, whatever is still unknown; *because* is the threshold that was met."""

    grade: Grade
    because: str

    @property
    def at_least(self) -> Grade:
        """The lower end: the grade itself."""
        return self.grade

    @property
    def at_most(self) -> Grade:
        """The upper end: the grade itself."""
        return self.grade

    @property
    def missing(self) -> frozenset[Input]:
        """Nothing."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The grade lies between two ends, both of them possible until *missing* is known.

    *because* is the threshold that makes the lower end certain.
    """

    at_least: Grade
    at_most: Grade
    missing: frozenset[Input]
    because: str = "no threshold met for certain"


GradingOutcome = ExactGrade | Incomplete
