"""Facts that cannot be: kept, asked about, never graded as normal, and never a reason to crash."""

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    Death,
    Enrolment,
    Movement,
    Observation,
    Transplant,
)
from services.vocabulary.judgement import Assessment
from tests.helpers.fact_notes import fact, quantity
from tests.helpers.random_trials import RULES

TREMOR = "ctcae-5.0.tremor"
GRAFT = fact(Transplant("haploidentical"), -78 * 24)
DOSE = fact(Administration("blinatumomab", Action.START), 0)


def ask_about(*facts):
    fold = Fold("P-001", RULES)
    named_facts = [replace(one, id=f"f{n}") for n, one in enumerate(facts)]
    has_graft = any(isinstance(one.body, Transplant) for one in facts)
    fold.apply([*([] if has_graft else [GRAFT]), DOSE, *named_facts])
    fold.list_records()
    return [(query.problem, query.facts) for query in fold.list_queries()], fold


def drug(action, observed_hour, order="1", name="norepinephrine"):
    return fact(Administration(name, action), observed_hour, series=f"ICU|{order}|{name}|{action}")


def make_assessment(grade, observed_hour, reported_hour):
    return fact(
        Assessment(TREMOR, grade, "a clinician"), observed_hour, reported_hour=reported_hour
    )


def vital(measure, number, observed_hour):
    return fact(Observation(measure, quantity(number)), observed_hour)


DAY = 24
ENROLMENT = fact(Enrolment("north"), -80 * DAY)  # New York: midnight is at hours 21 and 45
TABLE = {
    "one transplant": ([fact(Transplant(), -70 * DAY)], []),
    "a transplant said twice": (
        [fact(Transplant(), -70 * DAY), fact(Transplant(), -70 * DAY)],
        [],
    ),
    "two dates of one transplant": (
        [fact(Transplant(), -70 * DAY), fact(Transplant(), -69 * DAY)],
        [("transplant 1 has 2 dates", ("f0", "f1"))],
    ),
    "two transplants": ([fact(Transplant(), -70 * DAY), fact(Transplant(number=2), 9)], []),
    "the second before the first": (
        [fact(Transplant(), -70 * DAY), fact(Transplant(number=2), -90 * DAY)],
        [("transplant 2 is dated before transplant 1", ("f0", "f1"))],
    ),
    "the second at the very instant of the first": (
        [fact(Transplant(), -70 * DAY), fact(Transplant(number=2), -70 * DAY)],
        [("transplant 2 is dated before transplant 1", ("f0", "f1"))],
    ),
    "death before admission": (
        [fact(Death(), 2 * DAY), fact(Movement("admission"), 5 * DAY)],
        [("death is dated before movement to admission", ("f0", "f1"))],
    ),
    "death before an admission that was cancelled": (
        [
            fact(Death(), 2 * DAY),
            fact(Movement("admission"), 5 * DAY),
            fact(Movement("admission", True), 6 * DAY),
        ],
        [],
    ),
    "an admission was cancelled that nobody has sent": (
        [fact(Movement("admission", True), 5 * DAY)],
        [("a cancelled admission matches none that is known", ("f0",))],
    ),
    "a drug later on the day of death, which has no time": (
        [fact(Death(), 16), fact(Administration("cefepime", Action.DOSE), 30)],
        [],
    ),
    "a drug on the day after death": (
        [fact(Death(), 16), fact(Administration("cefepime", Action.DOSE), 54)],
        [("death is dated before cefepime given", ("f0", "f1"))],
    ),
    "death before transplant": (
        [fact(Death(), -80 * DAY), fact(Transplant(), -70 * DAY)],
        [
            ("death is dated before blinatumomab given", ("f0", DOSE.id)),
            ("death is dated before transplant", ("f0", "f1")),
        ],
    ),
    "two dates of death": (
        [fact(Death(), 2 * DAY), fact(Death(), 4 * DAY)],
        [("death has 2 dates", ("f0", "f1"))],
    ),
    "a pressure later on the day of death": (
        [fact(Death(), 16), vital("sbp", "120 mm[Hg]", 39)],
        [],
    ),
    "a pressure at midnight after the day of death": (
        [fact(Death(), 16), vital("sbp", "120 mm[Hg]", 40)],
        [("signs of life after the date of death: sbp", ("f0", "f1"))],
    ),
    "an hour later, and still that day at the site": (
        [ENROLMENT, fact(Death(), 21), vital("sbp", "120 mm[Hg]", 44)],
        [],
    ),
    "midnight at the site": (
        [ENROLMENT, fact(Death(), 21), vital("sbp", "120 mm[Hg]", 45)],
        [("signs of life after the date of death: sbp", ("f1", "f2"))],
    ),
    "a pressure before death": ([fact(Death(), 60), vital("sbp", "120 mm[Hg]", 16)], []),
    "a monitor that shows zero": ([fact(Death(), 16), vital("heart-rate", "0 /min", 60)], []),
    "a pressure that is at most a number": (
        [fact(Death(), 16), vital("map", "<20 mm[Hg]", 60)],
        [],
    ),
    "a pulse of more than zero": (
        [fact(Death(), 16), vital("heart-rate", ">0 /min", 60)],
        [("signs of life after the date of death: heart-rate", ("f0", "f1"))],
    ),
    "an ICE score of 10": (
        [fact(Death(), 16), vital("ice", "10 ", 60)],
        [("signs of life after the date of death: ice", ("f0", "f1"))],
    ),
    "a CAPD score of 0, which is well": (
        [fact(Death(), 16), vital("capd", "0 ", 60)],
        [("signs of life after the date of death: capd", ("f0", "f1"))],
    ),
    "a laboratory result, whose sample may be older": (
        [fact(Death(), 16), vital("potassium", "4 mmol/L", 60)],
        [],
    ),
    "a device that still runs": ([fact(Death(), 16), vital("oxygen-flow", "2 L/min", 60)], []),
    "of several signs the last of each kind": (
        [
            fact(Death(), 16),
            vital("sbp", "120 mm[Hg]", 60),
            vital("ice", "10 ", 61),
            vital("sbp", "118 mm[Hg]", 62),
        ],
        [("signs of life after the date of death: ice, sbp", ("f0", "f2", "f3"))],
    ),
    "discharged on paper on the day after death": (
        [fact(Death(), 16), fact(Movement("discharge"), 63)],
        [],
    ),
    "discharged on the second day after death": (
        [fact(Death(), 16), fact(Movement("discharge"), 64)],
        [("signs of life after the date of death: discharge", ("f0", "f1"))],
    ),
    "two times of one day of death at the site": (
        [ENROLMENT, fact(Death(), 21), fact(Death(), 44)],
        [],
    ),
    "two dates of death at the site": (
        [ENROLMENT, fact(Death(), 20), fact(Death(), 21)],
        [("death has 2 dates", ("f1", "f2"))],
    ),
    "started, then stopped": ([drug(Action.START, 1), drug(Action.STOP, 2)], []),
    "stopped before it was started": (
        [drug(Action.STOP, 1), drug(Action.START, 2)],
        [("norepinephrine was stopped before it was started", ("f0", "f1"))],
    ),
    "a new bag: stopped and started at one instant": (
        [drug(Action.STOP, 1), drug(Action.START, 1)],
        [],
    ),
    "stopped, and another order started": (
        [drug(Action.STOP, 1, "1"), drug(Action.START, 2, "2")],
        [],
    ),
    "assessed as none before the onset": (
        [make_assessment(0, 5, 5), make_assessment(2, 10, 10)],
        [],
    ),
    "resolution before onset": (
        [make_assessment(2, 10, 10), make_assessment(0, 5, 20)],
        [("resolution of tremor is dated before its onset", ("f1", "f0"))],
    ),
    "resolution at the instant of the onset": (
        [make_assessment(2, 10, 10), make_assessment(0, 10, 20)],
        [],
    ),
    "resolution before onset, reported at one instant": (
        [make_assessment(2, 10, 20), make_assessment(0, 5, 20)],
        [],
    ),
}


@pytest.mark.parametrize(("facts", "expected"), TABLE.values(), ids=TABLE)
def test_what_is_asked_about_facts_that_contradict_each_other(facts, expected):
    assert ask_about(*facts)[0] == expected
    reversed_ids = {f"f{n}": f"f{len(facts) - 1 - n}" for n in range(len(facts))}
    assert sorted(ask_about(*reversed(facts))[0]) == sorted(
        (problem, tuple(reversed_ids.get(one, one) for one in ids)) for problem, ids in expected
    )


def test_a_resolution_before_its_onset_ends_nothing():
    _, fold = ask_about(make_assessment(2, 10, 10), make_assessment(0, 5, 20))
    (record,) = fold.list_records()
    assert (record.resolved_at, record.worst.at_least) == (None, 2)


def test_of_two_transplant_dates_the_earliest_counts():
    _, fold = ask_about(fact(Transplant(), -70 * DAY), fact(Transplant(), -69 * DAY))
    assert fold.anchors.find_transplant_day(DOSE.observed_at) == 70


# measure, number with unit, and what is asked
BEDSIDE = {
    "temperature 98.6 Cel": ("temperature", "98.6 Cel", "temperature of 98.6 Cel cannot be"),
    "temperature 98.6 [degF]": ("temperature", "98.6 [degF]", None),
    "SBP 1100": ("sbp", "1100 mm[Hg]", "sbp of 1100 mm[Hg] cannot be"),
    "SBP 110": ("sbp", "110 mm[Hg]", None),
    "SBP 20": ("sbp", "20 mm[Hg]", None),
    "SBP 350": ("sbp", "350 mm[Hg]", None),
    "SBP 351": ("sbp", "351 mm[Hg]", "sbp of 351 mm[Hg] cannot be"),
    "ICE 0": ("ice", "0 ", None),
    "SBP 19": ("sbp", "19 mm[Hg]", "sbp of 19 mm[Hg] cannot be"),
    "SBP in degrees": ("sbp", "110 Cel", "a unit of Cel does not fit sbp"),
    "SpO2 970": ("spo2", "970 %", "spo2 of 970 % cannot be"),
    "ICE 11": ("ice", "11 ", "ice of 11 cannot be"),
    "ICE 10": ("ice", "10 ", None),
    "ICE 7.5": ("ice", "7.5 ", "ice of 7.5 cannot be"),
    "ICE -1": ("ice", "-1 ", "ice of -1 cannot be"),
    "CAPD 33": ("capd", "33 ", "capd of 33 cannot be"),
    "oxygen at 150 L/min": ("oxygen-flow", "150 L/min", "oxygen-flow of 150 L/min cannot be"),
    "FiO2 0.4 %": ("fio2", "0.4 %", "fio2 of 0.4 % cannot be"),
    "FiO2 4000 %": ("fio2", "4000 %", "fio2 of 4000 % cannot be"),
    "FiO2 21 %": ("fio2", "21 %", None),
    "more than can be": ("sbp", ">1100 mm[Hg]", "sbp of >1100 mm[Hg] cannot be"),
    "less than a number that cannot be": ("sbp", "<1100 mm[Hg]", None),
    "less than can be": ("fio2", "<=0.4 %", "fio2 of <=0.4 % cannot be"),
    "more than a number that cannot be": ("fio2", ">0.4 %", None),
    "a bound in degrees": ("sbp", ">110 Cel", "a unit of Cel does not fit sbp"),
}


@pytest.mark.parametrize(("measure", "number", "expected"), BEDSIDE.values(), ids=BEDSIDE)
def test_bedside_numbers_that_cannot_be_are_asked_about(measure, number, expected):
    queries, _ = ask_about(fact(Observation(measure, quantity(number)), 5))
    problems = [
        problem for problem, facts in queries if facts == ("f0",) and "may be" not in problem
    ]
    assert problems == ([expected] if expected else [])


def test_an_impossible_temperature_is_no_fever_and_not_normal():
    _, fold = ask_about(
        fact(Observation("temperature", quantity("38.5 Cel")), 5),
        fact(Observation("temperature", quantity("98.6 Cel")), 9),
    )
    crs = next(one for one in fold.list_records() if one.criterion == "astct-2019.crs")
    assert crs.resolved_at is None
    assert crs.current.at_most > 0


@pytest.mark.parametrize(
    ("value", "lln", "uln"),
    [
        ("1400", "135", "145"),
        ("140", "145", "135"),
        ("140", "-135", "145"),
        ("140", "135", "0"),
        ("1400", "1350", "1450"),
    ],
)
def test_what_cannot_be_is_kept_and_never_graded_as_normal(value, lln, uln):
    body = Observation(
        "sodium",
        quantity(value, "mmol/L"),
        lln=quantity(lln, "mmol/L"),
        uln=quantity(uln, "mmol/L"),
    )
    queries, fold = ask_about(fact(body, 5))
    assert [facts for problem, facts in queries if "cannot be" in problem or "wrong way" in problem]
    assert any(one.possible and one.worst.at_most > 0 for one in fold.list_records())
