"""The known inputs of a grade: baseline beside its limits, populations, durations, conditions."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.criterion import (
    ArmPopulation,
    Comparison,
    Condition,
    Direction,
    Operator,
    Threshold,
)
from services.safety_rules.domain.ctcae.grading_inputs import BaselineReport, GradingInputs
from services.safety_rules.domain.ctcae.ranges import UNKNOWN, Range, RangeEnd
from services.vocabulary.grade import Input
from tests.helpers.fact_notes import quantity


def make_end(text):
    """``40``, or ``40+`` and ``40-`` for what lies just beside it."""
    side = {"+": 1, "-": -1}.get(text[-1], 0)
    return RangeEnd(Decimal(text.rstrip("+-")), side)


def make_report(low, high=None, lln=None, uln=None):
    limits = {Input.LLN: lln, Input.ULN: uln}
    return BaselineReport(
        Range(make_end(low), make_end(high or low)),
        {name: Decimal(limit) for name, limit in limits.items() if limit is not None},
    )


BASELINES = {  # baseline, its limit; is it beyond?
    "at ULN": (make_report("40", uln=40), Input.ULN, 1, False),
    "above ULN": (make_report("40.1", uln=40), Input.ULN, 1, True),
    "more than ULN": (make_report("40+", "900", uln=40), Input.ULN, 1, True),
    "at least ULN": (make_report("40", "900", uln=40), Input.ULN, 1, None),
    "at most ULN": (make_report("1", "40", uln=40), Input.ULN, 1, False),
    "at most a little more than ULN": (make_report("1", "40+", uln=40), Input.ULN, 1, None),
    "ULN not known": (make_report("40.1", lln=5), Input.ULN, 1, None),
    "at 5 x ULN": (make_report("200", uln=40), Input.ULN, 5, False),
    "above 5 x ULN": (make_report("200.1", uln=40), Input.ULN, 5, True),
    "at LLN": (make_report("2", lln=2), Input.LLN, 1, False),
    "below LLN": (make_report("1.9", lln=2), Input.LLN, 1, True),
    "less than LLN": (make_report("0", "2-", lln=2), Input.LLN, 1, True),
    "at most LLN": (make_report("0", "2", lln=2), Input.LLN, 1, None),
    "at least LLN": (make_report("2", "9", lln=2), Input.LLN, 1, False),
    "at least a little less than LLN": (make_report("2-", "9", lln=2), Input.LLN, 1, None),
    "LLN not known": (make_report("1.9", uln=5), Input.LLN, 1, None),
}


@pytest.mark.parametrize(
    ("report", "name", "multiple", "expected"), BASELINES.values(), ids=BASELINES
)
def test_a_baseline_at_its_limit_is_within_it(report, name, multiple, expected):
    assert report.is_beyond(name, multiple) is expected


def make_inputs(**fields):
    """Inputs of which nothing is known but that there is a baseline to compare with."""
    settings = {
        "unit": "U/L",
        "value_range": UNKNOWN,
        "value": None,
        "imprecise_input": Input.VALUE,
        "limits": {},
        "misfits": frozenset(),
        "compares_with_baseline": True,
        "conditions": {},
        "is_anticoagulated": None,
        "held_durations": None,
        "companions": {},
    }
    return GradingInputs(**(settings | fields))


NORMAL, ABNORMAL = make_report("40", uln=40, lln=20), make_report("41", uln=40, lln=20)
LOW = make_report("19", uln=40, lln=20)
NO_BASELINE = make_inputs(compares_with_baseline=False)
KNOWN_BASELINE = make_inputs(limits={Input.BASELINE: quantity("40 U/L")})
POPULATIONS = {  # inputs, arm of a high measure; is it the participant's?
    "everybody's": (make_inputs(), ArmPopulation.ANY_BASELINE, True),
    "normal, normal": (
        make_inputs(baseline_report=NORMAL), ArmPopulation.NORMAL_BASELINE, True,
    ),
    "normal, abnormal": (
        make_inputs(baseline_report=NORMAL), ArmPopulation.ABNORMAL_BASELINE, False,
    ),
    "abnormal, normal": (
        make_inputs(baseline_report=ABNORMAL), ArmPopulation.NORMAL_BASELINE, False,
    ),
    "abnormal, abnormal": (
        make_inputs(baseline_report=ABNORMAL), ArmPopulation.ABNORMAL_BASELINE, True,
    ),
    "too low is not abnormally high": (
        make_inputs(baseline_report=LOW), ArmPopulation.ABNORMAL_BASELINE, False,
    ),
    "not known, normal": (make_inputs(), ArmPopulation.NORMAL_BASELINE, None),
    "not known, abnormal": (make_inputs(), ArmPopulation.ABNORMAL_BASELINE, None),
    "none, normal": (NO_BASELINE, ArmPopulation.NORMAL_BASELINE, True),
    "none, abnormal": (NO_BASELINE, ArmPopulation.ABNORMAL_BASELINE, False),
    "none, unavailable": (NO_BASELINE, ArmPopulation.BASELINE_UNAVAILABLE, True),
    "none, available": (NO_BASELINE, ArmPopulation.BASELINE_AVAILABLE, False),
    "some, unavailable": (KNOWN_BASELINE, ArmPopulation.BASELINE_UNAVAILABLE, False),
    "some, available": (KNOWN_BASELINE, ArmPopulation.BASELINE_AVAILABLE, True),
    "not known, unavailable": (make_inputs(), ArmPopulation.BASELINE_UNAVAILABLE, None),
    "not known, available": (make_inputs(), ArmPopulation.BASELINE_AVAILABLE, None),
    "a drug, on it": (
        make_inputs(is_anticoagulated=True), ArmPopulation.ON_ANTICOAGULATION, True,
    ),
    "a drug, off it": (
        make_inputs(is_anticoagulated=True), ArmPopulation.OFF_ANTICOAGULATION, False,
    ),
    "no drug, on it": (
        make_inputs(is_anticoagulated=False), ArmPopulation.ON_ANTICOAGULATION, False,
    ),
    "no drug, off it": (
        make_inputs(is_anticoagulated=False), ArmPopulation.OFF_ANTICOAGULATION, True,
    ),
    "a drug that is not known": (make_inputs(), ArmPopulation.ON_ANTICOAGULATION, None),
}  # fmt: skip


@pytest.mark.parametrize(("inputs", "arm", "expected"), POPULATIONS.values(), ids=POPULATIONS)
def test_an_arm_is_the_participants_or_not_or_nobody_knows(inputs, arm, expected):
    assert inputs.is_in_population(arm, Direction.HIGH) is expected


def test_a_low_measure_is_abnormal_below_its_lower_limit():
    arm = ArmPopulation.ABNORMAL_BASELINE
    reports = (LOW, NORMAL, ABNORMAL)
    assert [
        make_inputs(baseline_report=one).is_in_population(arm, Direction.LOW) for one in reports
    ] == [True, False, False]


DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
FIRST = Comparison(Operator.GT, Decimal(5), None, "U/L")
SECOND = Comparison(Operator.LT, Decimal(9), None, "U/L")
ALBUMIN = Comparison(Operator.GT, Decimal(2), None, "mg/dL", measure="albumin")
LASTING_THRESHOLD = Threshold((FIRST, SECOND, ALBUMIN), None, "", min_duration=DAY)
DURATIONS = {  # how long it is known to have held; has it lasted for more than a day?
    "nothing known": (None, False),
    "a day": (DAY, False),
    "more than a day": (DAY + TICK, True),
    "each for more than a day": ({FIRST: DAY + TICK, SECOND: DAY + TICK}, True),
    "one for a day alone": ({FIRST: DAY + TICK, SECOND: DAY}, False),
    "one not at all": ({FIRST: DAY + TICK}, False),
}


@pytest.mark.parametrize(("durations", "expected"), DURATIONS.values(), ids=DURATIONS)
def test_a_threshold_that_has_to_last_has_held_for_longer(durations, expected):
    inputs = make_inputs(held_durations=durations)
    assert inputs.has_lasted(LASTING_THRESHOLD) is expected
    assert inputs.has_lasted(Threshold((FIRST,), None, ""))


UP_TO_5, BELOW_LLN = Condition.BASELINE_UP_TO_5_ULN, Condition.BASELINE_BELOW_LLN
CONDITIONS = {  # inputs, a condition; whether it holds, and what would decide it
    "no symptoms": (
        make_inputs(conditions={Condition.SYMPTOMATIC: False}),
        Condition.SYMPTOMATIC, False, Input.SYMPTOMS,
    ),
    "symptoms that are not known": (
        make_inputs(), Condition.MODERATELY_SYMPTOMATIC, None, Input.SYMPTOMS,
    ),
    "symptoms of unknown severity": (
        make_inputs(conditions={Condition.SYMPTOMATIC: True}),
        Condition.MODERATELY_SYMPTOMATIC, None, Input.SEVERITY,
    ),
    "not fasting": (
        make_inputs(conditions={Condition.FASTING: False}), Condition.FASTING, False, Input.FASTING,
    ),
    "a treatment that is not known": (make_inputs(), Condition.INSULIN, None, Input.INTERVENTION),
    "no baseline, below LLN": (NO_BASELINE, BELOW_LLN, False, Input.BASELINE),
    "no baseline, up to 5 x ULN": (NO_BASELINE, UP_TO_5, False, Input.BASELINE),
    "a baseline that is not known": (make_inputs(), BELOW_LLN, None, Input.BASELINE),
    "a baseline below LLN": (make_inputs(baseline_report=LOW), BELOW_LLN, True, Input.TEXT),
    "a baseline within": (make_inputs(baseline_report=NORMAL), BELOW_LLN, False, Input.TEXT),
    "a baseline up to 5 x ULN": (
        make_inputs(baseline_report=make_report("200", uln=40)), UP_TO_5, True, Input.TEXT,
    ),
    "a baseline above 5 x ULN, which no text covers": (
        make_inputs(baseline_report=make_report("201", uln=40)), UP_TO_5, None, Input.TEXT,
    ),
    "a baseline without its limit": (
        make_inputs(baseline_report=make_report("201")), UP_TO_5, None, Input.ULN,
    ),
    "a baseline without its own limit": (
        make_inputs(baseline_report=make_report("201"), has_own_limits=True),
        UP_TO_5, None, Input.BASELINE_ULN,
    ),
    "a baseline that is only a bound": (
        make_inputs(baseline_report=make_report("1", "201", uln=40)), UP_TO_5, None, Input.BASELINE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "condition", "holds", "missing_input"), CONDITIONS.values(), ids=CONDITIONS
)
def test_a_condition_holds_or_names_what_would_decide_it(inputs, condition, holds, missing_input):
    assert inputs.evaluate_condition(condition) is holds
    assert inputs.find_missing_input(condition) is missing_input


COMPANIONS = {  # the albumin beside the value; its range in mg/dL, and its number
    "in the unit": ("3 mg/dL", "3", "3", "3"),
    "in another unit": ("0.003 g/dL", "3", "3", "3"),
    "only a bound": ("<3 mg/dL", "0+", "3-", None),
    "in a unit that does not fit": ("3 mmol/L", "0+", "Infinity", None),
    "none": (None, "0+", "Infinity", None),
}


@pytest.mark.parametrize(("albumin", "low", "high", "number"), COMPANIONS.values(), ids=COMPANIONS)
def test_another_measure_is_compared_in_the_unit_of_the_comparison(albumin, low, high, number):
    inputs = make_inputs(companions={"albumin": quantity(albumin)} if albumin else {})
    assert inputs.find_companion_range(ALBUMIN) == Range(make_end(low), make_end(high))
    assert inputs.find_exact_companion(ALBUMIN) == (None if number is None else Decimal(number))


def test_a_limit_is_exact_unless_it_is_a_bound():
    inputs = make_inputs(limits={Input.ULN: quantity("40 U/L"), Input.LLN: quantity("<5 U/L")})
    names = (Input.ULN, Input.LLN, Input.BASELINE)
    assert [inputs.find_exact_limit(name) for name in names] == [40, None, None]
    assert inputs.without_limits().find_exact_limit(Input.ULN) is None
    assert make_inputs(baseline_report=LOW).without_limits().baseline_report is None
