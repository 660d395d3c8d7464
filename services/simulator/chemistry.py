"""Laboratory values that mean a planned grade, in the units that each kind of site reports.

Grades are those of CTCAE v5.0, with the limits of normal below. The first value of each grade lies
exactly on a published threshold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

# A grade, or the grades that are possible while treatment, which would part them, is open
GradeSpan = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LabTest:
    """One laboratory test in one system of units: limits of normal, and values inside them."""

    unit: str
    lln: str
    uln: str
    normal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GradedValues:
    """An adverse event that a laboratory shows: its values by grade, in both systems.

    *ends* widens a grade that treatment or symptoms would tell apart.
    """

    slug: str
    measure: str
    conventional: Mapping[int, tuple[str, ...]]
    si: Mapping[int, tuple[str, ...]]
    ends: Mapping[int, GradeSpan]

    def values(self, system: str) -> Mapping[int, tuple[str, ...]]:
        """Return values by grade."""
        return self.si if system == "si" else self.conventional

    def span(self, grade: int) -> GradeSpan:
        """Return the grades that are possible when only the value is known."""
        return self.ends.get(grade, (grade, grade))


CONVENTIONAL: Mapping[str, LabTest] = {
    "neutrophils": LabTest("10*3/uL", "1.8", "7.7", ("2.4", "3.1", "3.9", "4.6")),
    "platelets": LabTest("10*3/uL", "150", "400", ("182", "210", "246", "288")),
    "hemoglobin": LabTest("g/dL", "12.0", "16.0", ("12.6", "13.1", "13.8", "14.2")),
    "alt": LabTest("U/L", "7", "40", ("18", "22", "27", "33")),
    "ast": LabTest("U/L", "8", "40", ("17", "21", "26", "31")),
    "bilirubin": LabTest("mg/dL", "0.2", "1.2", ("0.4", "0.5", "0.7", "0.8")),
    "alp": LabTest("U/L", "40", "120", ("61", "74", "83", "96")),
    "creatinine": LabTest("mg/dL", "0.6", "1.2", ("0.90",)),
    "lipase": LabTest("U/L", "10", "60", ("22", "31", "38", "44")),
    "sodium": LabTest("mmol/L", "135", "145", ("138", "139", "140", "142")),
    "potassium": LabTest("mmol/L", "3.5", "5.0", ("3.9", "4.1", "4.3", "4.6")),
    "calcium": LabTest("mg/dL", "8.6", "10.2", ("9.0", "9.2", "9.4", "9.6")),
    "albumin": LabTest("g/dL", "3.5", "5.2", ("4.0",)),
    "magnesium": LabTest("mg/dL", "1.7", "2.4", ("1.9", "2.0", "2.1")),
    "glucose": LabTest("mg/dL", "70", "110", ("92",)),
}
SI: Mapping[str, LabTest] = {
    **CONVENTIONAL,
    "neutrophils": LabTest("10*9/L", "1.8", "7.7", CONVENTIONAL["neutrophils"].normal),
    "platelets": LabTest("10*9/L", "150", "400", CONVENTIONAL["platelets"].normal),
    "hemoglobin": LabTest("g/L", "120", "160", ("126", "131", "138", "142")),
    "bilirubin": LabTest("umol/L", "3", "20", ("7", "9", "12", "14")),
    "creatinine": LabTest("umol/L", "50", "105", ("80",)),
    "calcium": LabTest("mmol/L", "2.15", "2.55", ("2.25", "2.30", "2.36", "2.41")),
    "albumin": LabTest("g/L", "35", "52", ("40",)),
    "magnesium": LabTest("mmol/L", "0.70", "1.00", ("0.78", "0.83", "0.88")),
    "glucose": LabTest("mmol/L", "3.9", "6.1", ("5.1",)),
}
TESTS = {"conventional": CONVENTIONAL, "si": SI}

CHEMISTRY = (
    "sodium", "potassium", "calcium", "albumin", "magnesium", "creatinine", "glucose",
    "alt", "ast", "alp", "bilirubin", "lipase",
)  # fmt: skip
COUNTS = ("hemoglobin", "platelets", "neutrophils")

_COUNTS = {
    1: ("1.5", "1.6", "1.7"),
    2: ("1.0", "1.1", "1.3", "1.4"),
    3: ("0.5", "0.6", "0.8", "0.9"),
    4: ("0.49", "0.1", "0.3"),
}
_PLATELETS = {1: ("75", "98", "140"), 2: ("50", "61", "70"), 3: ("25", "33", "44"), 4: ("24", "11")}
_TIMES_ULN_OF_40 = {1: ("120", "61", "95"), 2: ("200", "131", "180"), 3: ("800", "240", "510")}
_SODIUM_LOW = {1: ("130", "132", "134"), 2: ("125", "127", "129"), 3: ("120", "122", "124"), 4: ("119", "117")}  # fmt: skip  # noqa: E501
_SODIUM_HIGH = {1: ("150", "147"), 2: ("155", "152"), 3: ("160", "158"), 4: ("161", "165")}
_POTASSIUM_LOW = {1: ("3.0", "3.2", "3.4"), 3: ("2.5", "2.7", "2.9"), 4: ("2.4", "2.2")}
_POTASSIUM_HIGH = {1: ("5.5", "5.2"), 2: ("6.0", "5.7"), 3: ("7.0", "6.4"), 4: ("7.1",)}


def _same_in_both_systems(
    slug: str, measure: str, by_grade: Mapping[int, tuple[str, ...]], **ends: GradeSpan
) -> GradedValues:
    wider_spans = {int(name.removeprefix("grade")): span for name, span in ends.items()}
    return GradedValues(slug, measure, by_grade, by_grade, wider_spans)


PLANS: tuple[GradedValues, ...] = (
    _same_in_both_systems("neutrophil-count-decreased", "neutrophils", _COUNTS),
    _same_in_both_systems("platelet-count-decreased", "platelets", _PLATELETS),
    GradedValues(
        "anemia",
        "hemoglobin",
        {1: ("10.0", "10.7", "11.5"), 2: ("8.0", "8.6", "9.4"), 3: ("7.9", "7.1")},
        {1: ("100", "107", "115"), 2: ("80", "86", "94"), 3: ("79", "71")},
        {},
    ),
    _same_in_both_systems(
        "alanine-aminotransferase-increased", "alt", {**_TIMES_ULN_OF_40, 4: ("801", "1240")}
    ),
    _same_in_both_systems(
        "aspartate-aminotransferase-increased", "ast", {**_TIMES_ULN_OF_40, 4: ("801", "990")}
    ),
    GradedValues(
        "blood-bilirubin-increased",
        "bilirubin",
        {1: ("1.8", "1.4"), 2: ("3.6", "2.4"), 3: ("12.0", "5.1"), 4: ("12.1",)},
        {1: ("30", "24"), 2: ("60", "41"), 3: ("200", "87"), 4: ("201",)},
        {},
    ),
    _same_in_both_systems(
        "alkaline-phosphatase-increased",
        "alp",
        {1: ("300", "160"), 2: ("600", "410"), 3: ("2400", "880")},
    ),
    GradedValues(
        "creatinine-increased",
        "creatinine",
        {1: ("1.35", "1.30"), 2: ("1.8", "2.0"), 3: ("3.0", "3.5"), 4: ("7.3",)},
        {1: ("120", "110"), 2: ("160", "180"), 3: ("250", "310"), 4: ("631",)},
        {},
    ),
    _same_in_both_systems("lipase-increased", "lipase", {1: ("90", "75"), 2: ("120", "104")}),
    _same_in_both_systems("hyponatremia", "sodium", _SODIUM_LOW, grade2=(2, 3)),
    _same_in_both_systems("hypernatremia", "sodium", _SODIUM_HIGH),
    _same_in_both_systems("hypokalemia", "potassium", _POTASSIUM_LOW, grade1=(1, 2)),
    _same_in_both_systems("hyperkalemia", "potassium", _POTASSIUM_HIGH),
    GradedValues(
        "hypocalcemia",
        "calcium",
        {1: ("8.0", "8.3"), 2: ("7.0", "7.6"), 3: ("6.0", "6.5"), 4: ("5.9",)},
        {1: ("2.00", "2.08"), 2: ("1.75", "1.88"), 3: ("1.50", "1.62"), 4: ("1.45",)},
        {},
    ),
    GradedValues(
        "hypomagnesemia",
        "magnesium",
        {1: ("1.2", "1.5"), 2: ("0.9", "1.0"), 3: ("0.7", "0.8"), 4: ("0.6",)},
        {1: ("0.50", "0.61"), 2: ("0.40", "0.45"), 3: ("0.30", "0.36"), 4: ("0.28",)},
        {},
    ),
    GradedValues(
        "hyperglycemia",
        "glucose",
        {1: ("168", "231")},
        {1: ("9.3", "12.8")},
        {1: (1, 4)},
    ),
    GradedValues(
        "hypoglycemia",
        "glucose",
        {1: ("55", "61"), 2: ("40", "47"), 3: ("30", "34"), 4: ("29",)},
        {1: ("3.0", "3.4"), 2: ("2.2", "2.6"), 3: ("1.7", "1.9"), 4: ("1.6",)},
        {},
    ),
)


def draw_value(plan: GradedValues, grade: int, system: str, rng: Random) -> str:
    """Return a value of *plan* at *grade*: one in three lies exactly on the threshold."""
    values = plan.values(system)[grade]
    return values[0] if rng.random() < 1 / 3 else rng.choice(values)


def draw_normal_value(measure: str, system: str, rng: Random) -> str:
    """Return a value inside the limits of normal."""
    return rng.choice(TESTS[system][measure].normal)
