"""Every term that is a list of bounds, over a grid: units, values at each bound, limits, baselines.

What the product grades is compared with the published wording, read by itself
(`tests.helpers.published_wording`). Then something is hidden or made impossible: no grade may be
certain that the text contradicts, and the interval has to contain the grade by the text.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.grading import (
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    OwnLimits,
    Reading,
    grade_reading,
)
from services.safety_rules.domain.ctcae.reported_limits import check_limits
from services.vocabulary.grade import ExactGrade
from services.vocabulary.quantity import Quantity
from tests.helpers.lab_reading import TABLES
from tests.helpers.published_wording import grade_by_wording, read_bounds

HAIR = Decimal("0.001")
SIDES = (1 - HAIR, Decimal(1), 1 + HAIR)
USUAL_LIMITS = {  # of terms whose bounds are multiples, or far from normal
    "bilirubin": ("0.2", "1.2"),
    "creatinine": ("0.6", "1.2"),
    "cpk": ("30", "200"),
    "aptt": ("25", "35"),
    "haptoglobin": ("30", "200"),
    "leukocytes": ("4000", "10000"),
}
MICROMOLES = {"bilirubin": Decimal("17.1"), "creatinine": Decimal("88.4")}  # in 1 mg/dL
# Units so near to each other that limits of one may be limits of the other
NEAR_UNITS = {"g/dL", "mmol/L"}
# LLN and ULN as parts of the first bound, of a term that rises and of one that falls
AROUND_BOUND = {
    Direction.HIGH: (Decimal("0.82"), Decimal("0.95")),
    Direction.LOW: (Decimal("1.1"), Decimal("1.35")),
}
FACTORS_OF_BASELINE = (Decimal("0.7"), Decimal(1), Decimal("1.3"), Decimal(3))
FACTORS_OF_OTHER_LABORATORY = (Decimal("0.8"), Decimal(1), Decimal("1.25"))


def list_grids():
    """A criterion, its measure, a unit and its bounds, for each term that the oracle can read."""
    for table in TABLES.values():
        for criterion in table.compiled.by_id.values():
            wordings = {g: text for g, text in criterion.criterion.wordings.items() if g < 5}
            bounds = read_bounds(wordings)
            for measure, grading in criterion.gradings.items() if bounds else ():
                if measure in ("calcium", "calcium-ionized"):
                    continue
                for unit in grading.units or tuple(grading.plausible) or ("U/L",):
                    yield pytest.param(
                        criterion, measure, unit, bounds, id=f"{criterion.id} {unit}"
                    )


@dataclass(frozen=True)
class Case:
    """One reading in which nothing is missing; *baseline* None: before exposure."""

    value: Decimal
    lln: Decimal
    uln: Decimal
    baseline: tuple[Decimal, Decimal, Decimal] | None  # with its own LLN and ULN


def make_cases(criterion, measure, unit, bounds):
    grading = criterion.gradings[measure]
    plausible = grading.find_plausible_range(unit)
    lln, uln = find_limits(grading, measure, unit, bounds)
    limit = uln if grading.direction is Direction.HIGH else lln
    baselines = list(list_baselines(lln, uln, limit))
    asks_baseline = any(one.arm or one.multiple_of == "baseline" for one in bounds)
    for baseline in [None, *(baselines if asks_baseline else baselines[:1])]:
        references = {"": Decimal(1), "ULN": uln, "LLN": lln}
        references |= {"baseline": baseline[0]} if baseline else {}
        points = {
            bound.number * references[bound.multiple_of]
            for bound in bounds
            if bound.multiple_of in references and bound.unit in ("", unit)
        }
        for value in sorted({p * side for p in (*points, lln, uln) for side in SIDES}):
            if plausible.contains(value):
                yield Case(value, lln, uln, baseline)


def find_limits(grading, measure, unit, bounds):
    numbers = [b.number for b in bounds if b.unit == unit]
    if not numbers or (measure, unit) == ("leukocytes", "/mm3"):
        lln, uln = USUAL_LIMITS.get(measure, ("10", "40"))
        scale = MICROMOLES[measure] if unit == "umol/L" else Decimal(1)
        return Decimal(lln) * scale, Decimal(uln) * scale
    is_high = grading.direction is Direction.HIGH
    first = min(numbers) if is_high else max(numbers)
    low, high = AROUND_BOUND[grading.direction]
    return first * low, first * high


def list_baselines(lln, uln, limit):
    for factor in FACTORS_OF_BASELINE:
        for other in FACTORS_OF_OTHER_LABORATORY:
            yield limit * factor, lln * other, uln * other


def read_case(measure, unit, case, **changes):
    """Return the reading and the baseline of *case*; *changes* are of its limits, None: hidden."""

    def quantity(number):
        return None if number is None else Quantity(number, unit)

    numbers = {"lln": case.lln, "uln": case.uln} | changes
    reading = Reading(
        measure,
        quantity(case.value),
        lln=quantity(numbers["lln"]),
        uln=quantity(numbers["uln"]),
    )
    if case.baseline is None:
        return reading, NoBaseline()
    baseline, lln, uln = (quantity(number) for number in case.baseline)
    return reading, BaselineKnown(baseline, OwnLimits(lln, uln))


def grade_by_text(criterion, measure, unit, bounds, case):
    is_high = criterion.gradings[measure].direction is Direction.HIGH
    baseline = case.baseline and (case.baseline[0], case.baseline[2 if is_high else 1])
    limits = {"LLN": case.lln, "ULN": case.uln}
    return grade_by_wording(bounds, unit, case.value, limits, baseline)


GRIDS = list(list_grids())


def test_the_oracle_reads_a_good_part_of_both_versions():
    terms = {param.values[0].id for param in GRIDS}
    assert sum(term.startswith("ctcae-5.0") for term in terms) >= 25
    assert sum(term.startswith("ctcae-6.0") for term in terms) >= 18


@pytest.mark.parametrize(("criterion", "measure", "unit", "bounds"), GRIDS)
def test_with_nothing_missing_the_grade_is_that_of_the_text(criterion, measure, unit, bounds):
    for case in make_cases(criterion, measure, unit, bounds):
        outcome = grade_reading(criterion, *read_case(measure, unit, case))
        expected = grade_by_text(criterion, measure, unit, bounds, case)
        assert isinstance(outcome, ExactGrade), (case, outcome)
        assert outcome.grade == expected, (case, outcome)


@pytest.mark.parametrize(("criterion", "measure", "unit", "bounds"), GRIDS)
def test_what_is_hidden_or_cannot_be_leaves_an_interval_around_it(criterion, measure, unit, bounds):
    plausible = criterion.gradings[measure].find_plausible_range(unit)
    too_high, too_low = plausible.high.number * 2, -Decimal(1)
    cases = list(make_cases(criterion, measure, unit, bounds))
    if too_high.is_infinite():
        too_high = Decimal(0)
    for case in cases[:: max(1, len(cases) // 120)]:
        truth = grade_by_text(criterion, measure, unit, bounds, case)
        outcomes = {}
        for changes in (
            {"lln": None},
            {"uln": None},
            {"lln": None, "uln": None},
            {"lln": too_low},
            {"uln": too_high},
            {"lln": case.uln, "uln": case.lln},
        ):
            outcome = grade_reading(criterion, *read_case(measure, unit, case, **changes))
            assert outcome.at_least <= truth <= outcome.at_most, (case, changes, outcome)
            outcomes[str(changes)] = outcome
        hidden_outcomes = [outcomes[str({name: None})] for name in ("lln", "uln")]
        impossible = [outcomes[str({"lln": too_low})], outcomes[str({"uln": too_high})]]
        assert impossible == hidden_outcomes, case


@pytest.mark.parametrize(("criterion", "measure", "unit", "bounds"), GRIDS)
def test_a_baseline_without_its_own_limits_leaves_its_arm_open(criterion, measure, unit, bounds):
    for case in make_cases(criterion, measure, unit, bounds):
        if case.baseline is None:
            continue
        truth = grade_by_text(criterion, measure, unit, bounds, case)
        reading, baseline = read_case(measure, unit, case)
        bare = replace(baseline, own_limits=OwnLimits(None, None))
        outcome = grade_reading(criterion, reading, bare)
        assert outcome.at_least <= truth <= outcome.at_most, (case, outcome)
        has_arms = any(bound.arm for bound in bounds)
        assert has_arms or isinstance(outcome, ExactGrade), (case, outcome)
        same_limits = (case.baseline[1], case.baseline[2]) == (case.lln, case.uln)
        if same_limits:
            in_one_row = grade_reading(criterion, reading, replace(baseline, own_limits=None))
            assert (in_one_row.at_least, in_one_row.at_most) == (truth, truth)
            unknown = grade_reading(criterion, reading, BaselineUnknown())
            assert unknown.at_least <= truth <= unknown.at_most


@pytest.mark.parametrize(("criterion", "measure", "unit", "bounds"), GRIDS)
def test_a_result_and_its_limits_in_another_unit_are_no_certain_grade(
    criterion, measure, unit, bounds
):
    """All that the laboratory says is in *unit*, and the label names another published one."""
    other_units = [one for one in criterion.gradings[measure].units if one != unit]
    for other_unit in other_units:
        for case in make_cases(criterion, measure, unit, bounds):
            if case.baseline is not None or {unit, other_unit} == NEAR_UNITS:
                continue
            limits = (Quantity(number, other_unit) for number in (case.lln, case.uln))
            reported = check_limits(criterion.gradings[measure], other_unit, *limits)
            if not reported.has_impossible:  # which count as missing
                truth = grade_by_text(criterion, measure, unit, bounds, case)
                outcome = grade_reading(criterion, *read_case(measure, other_unit, case))
                is_certain = isinstance(outcome, ExactGrade)
                assert not is_certain or outcome.grade == truth, (case, other_unit, outcome)
