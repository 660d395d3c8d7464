"""Grades of severity, exact or as far as the facts decide them."""

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
    """Signs or symptoms of an abnormality, the mildest first."""

    NONE = "none"
    PRESENT = "present"  # of unknown severity
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"

    @property
    def rank(self) -> int:
        """The rank, which grows with severity."""
        return _RANKS[self]

    @property
    def at_least_moderate(self) -> bool | None:
        """True when moderate or severe; None when the severity is unknown."""
        return None if self is Symptoms.PRESENT else self in _MODERATE


_RANKS = {symptoms: rank for rank, symptoms in enumerate(Symptoms)}
_MODERATE = (Symptoms.MODERATE, Symptoms.SEVERE)


class Input(StrEnum):
    """The inputs of a grade, by the names under which they can be missing."""

    VALUE = "value"  # reported only as a bound, such as <0.1
    UNIT = "unit"
    LLN = "LLN"
    ULN = "ULN"
    BASELINE = "baseline"
    BASELINE_LLN = "LLN of the baseline"
    BASELINE_ULN = "ULN of the baseline"
    DURATION = "duration"  # whether it lasts for as long as the definition asks
    ALBUMIN = "albumin"
    FASTING = "fasting"
    SYMPTOMS = "symptoms"
    SEVERITY = "severity of symptoms"
    INTERVENTION = "intervention"
    AT_REST = "at rest"
    ANTICOAGULATION = "anticoagulation"
    CORE_TEMPERATURE = "core temperature"
    INFARCTION = "limit of infarction"  # the manufacturer's
    NEUTROPHILS = "neutrophils"
    TEXT = "text"  # the published wording does not cover the case
    TEMPERATURE = "temperature"
    BLOOD_PRESSURE = "blood pressure"
    USUAL_PRESSURE = "usual pressure"
    FLUID_REASON = "reason for the fluids"
    PRESSOR_OVERLAP = "overlap of the vasopressors"
    OXYGEN_DEVICE = "oxygen device"
    OXYGEN_FLOW = "oxygen flow"
    FIO2 = "inspired oxygen"
    SUPPORT_END = "end of the support"
    ICE = "ICE score"
    AROUSAL = "arousal"
    UNSEDATED_ASSESSMENT = "assessment without sedation"
    INDUCER = "inducer in its window"  # a cause that acts at the time
    RASH = "extent of the rash"
    BILIRUBIN = "bilirubin"
    BILIRUBIN_CAUSE = "cause of the bilirubin"
    UPPER_GI = "upper GI symptoms"
    STOOL = "stool volume"


@dataclass(frozen=True, slots=True)
class ExactGrade:
    """An exact grade, whatever is still unknown; *because* is the threshold that was met."""

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
        """The empty set."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A grade between two ends, both of them possible until *missing* is known.

    *because* is the threshold that makes the lower end certain.
    """

    at_least: Grade
    at_most: Grade
    missing: frozenset[Input]
    because: str = "no threshold met for certain"


GradingOutcome = ExactGrade | Incomplete
