"""A term whose definition needs time is possible until it lasts, and none when it does not."""

from datetime import timedelta

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.judgement import Adjudication, Assessment, Verdict
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, lab, status
from tests.helpers.random_trials import RULES, RULES_6

KIDNEY, HYPERTENSION = "chronic-kidney-disease", "hypertension"
EGFR, RATIO = "mL/min/{1.73_m2}", "mg/mg"
OPEN = None
# a term; readings by day: of eGFR, or (measure, value); then of each record: first day (of onset),
# the earliest possible one, the last day, the worst grade, the present one, and if it is possible
KIDNEYS = {
    "one result": ({6: "13"}, [(6, None, OPEN, "0-4", "0-4", True)]),
    "three days, then recovery": ({6: "13", 9: "72"}, []),
    "no longer than 90 days": ({6: "13", 96: "13"}, [(6, None, OPEN, "0-4", "0-4", True)]),
    "longer than 90 days": ({6: "13", 96.1: "13"}, [(6, None, OPEN, "4", "4", False)]),
    "90 days between, but a recovery": (
        {6: "13", 50: "75", 97: "13"},
        [(97, None, OPEN, "0-4", "0-4", True)],
    ),
    "results in between": (
        {6: "13", 30: "14", 60: "12", 97: "14.9"},
        [(6, None, OPEN, "4", "4", False)],
    ),
    "silence for half a year": ({6: "25", 190: "25"}, [(6, None, OPEN, "3", "3", False)]),
    "ended after it had lasted": (
        {6: "50", 97: "50", 100: "75"},
        [(6, None, 100, "2", "0", False)],
    ),
    "a part of it that did not last": (
        {6: "50", 97: "50", 100: "13", 103: "50"},
        [(6, None, OPEN, "2", "2", False)],
    ),
    "a part of it that may last": (
        {6: "50", 97: "50", 100: "13"},
        [(6, None, OPEN, "2-4", "2-4", False)],
    ),
    "worse by and by": (
        {6: "50", 60: "25", 97: "20", 151: "20"},
        [(6, None, OPEN, "3", "3", False)],
    ),
    "a lesser grade since before": (
        {6: "50", 60: "25", 97: "20"},
        [(6, None, OPEN, "2-3", "2-3", False)],
    ),
    "better before 90 days": (
        {6: "13", 50: "50", 97: "50"},
        [(6, None, OPEN, "2", "2", False)],
    ),
    "a bound at the beginning": (
        {6: "<59", 97: "25", 188: "25"},
        [(6, None, OPEN, "3", "3", False)],
    ),
    "another measure that is normal": (
        {6: "13", 50: ("urine-protein-creatinine", "0.2"), 97: "13"},
        [(6, None, OPEN, "4", "4", False)],
    ),
    "another measure does not prolong it": (
        {6: "13", 97: ("urine-protein-creatinine", "0.6")},
        [(6, None, OPEN, "0-4", "0-4", True)],
    ),
    "each measure by itself": (
        {6: "13", 30: ("urine-protein-creatinine", "0.6"), 121: ("urine-protein-creatinine", "1")},
        [(30, 6, OPEN, "1-4", "1-4", False)],
    ),
}


@pytest.mark.parametrize("rules", [RULES, RULES_6], ids=["v5", "v6"])
@pytest.mark.parametrize(("readings", "expected"), KIDNEYS.values(), ids=KIDNEYS)
def test_a_loss_of_kidney_function_is_chronic_once_it_lasts(rules, readings, expected):
    facts = [drug_started(), egfr("98", -1), *(read(one, day) for day, one in readings.items())]
    for order in (facts, facts[::-1], facts[1::2] + facts[::2]):
        assert describe_records(fold(order, rules), KIDNEY) == expected


# pressures by hour under version 6
PRESSURES = {
    "once": ({30: ("sbp", "185")}, [(30, None, OPEN, "0-4", "0-4", True)]),
    "for an hour": (
        {30: ("sbp", "185"), 31: ("sbp", "185")},
        [(30, None, OPEN, "0-4", "0-4", True)],
    ),
    "for longer than an hour": (
        {30: ("sbp", "185"), 31.1: ("sbp", "180")},
        [(30, None, OPEN, "4", "4", False)],
    ),
    "grade 3": (
        {30: ("sbp", "160"), 31.1: ("sbp", "179"), 40: ("sbp", "139")},
        [(30, None, 40, "3", "0", False)],
    ),
    "lower at the end of the hour": (
        {30: ("sbp", "185"), 31.1: ("sbp", "165")},
        [(30, None, OPEN, "3", "3", False)],
    ),
    "normal within the hour": ({30: ("sbp", "185"), 30.5: ("sbp", "120")}, []),
    "the diastolic pressure": (
        {30: ("dbp", "110"), 31.1: ("dbp", "115"), 32: ("dbp", "80")},
        [(30, None, 32, "4", "0", False)],
    ),
    "first one, then the other": (
        {30: ("sbp", "165"), 30.5: ("dbp", "105"), 31.2: ("sbp", "120")},
        [(30, None, OPEN, "0-3", "0-3", True)],
    ),
    "a silence longer than a run's": (
        {30: ("sbp", "185"), 30 + 15 * 24: ("sbp", "185")},
        [
            (30, None, OPEN, "0-4", "0-4", True),
            (30 + 15 * 24, None, OPEN, "0-4", "0-4", True),
        ],
    ),
}


@pytest.mark.parametrize(("readings", "expected"), PRESSURES.values(), ids=PRESSURES)
def test_a_pressure_is_hypertension_once_it_lasts_for_an_hour(readings, expected):
    facts = [drug_started(), lab("sbp", "120", -1, "mm[Hg]"), lab("dbp", "80", -1, "mm[Hg]")]
    facts += [lab(measure, value, at, "mm[Hg]") for at, (measure, value) in readings.items()]
    for order in (facts, facts[::-1]):
        person = fold(order, RULES_6)
        assert describe_records(person, HYPERTENSION, timedelta(hours=1)) == expected


def test_the_pressures_of_version_5_make_no_record():
    facts = [drug_started(), *(lab("sbp", "185", hour, "mm[Hg]") for hour in (30, 40))]
    assert describe_records(fold(facts, RULES), HYPERTENSION) == []


def test_a_clinicians_grade_needs_no_time():
    assessment = fact(Assessment("ctcae-5.0.chronic-kidney-disease", 3, "Dr. A"), day(10))
    facts = [drug_started(), egfr("98", -1), egfr("25", 6), assessment]
    assert describe_records(fold(facts), KIDNEY) == [(10, 6, OPEN, "3", "3", False)]
    for value, present in (("20", "3"), ("13", "3-4"), ("50", "2")):
        person = fold([*facts, egfr(value, 12)])
        assert describe_records(person, KIDNEY)[0][4] == present


PROTEIN = "urine-protein-creatinine"
CHANGES = {  # readings, with grade 1 of protein from day 30 on; then the changes of the record
    "between two changes": (
        [(6, "13"), (30, (PROTEIN, "0.6")), (50, "50"), (60, "13"), (121, (PROTEIN, "1"))],
        [(30, "1-2"), (60, "1-4")],
    ),
    "at the instant of a change": (
        [(6, "13"), (30, "50"), (30, (PROTEIN, "0.6")), (60, "13"), (121, (PROTEIN, "1"))],
        [(30, "1-2"), (60, "1-4")],
    ),
    "after two changes": (
        [(6, "50"), (20, "13"), (30, (PROTEIN, "0.6")), (121, (PROTEIN, "1"))],
        [(30, "1-4")],
    ),
}


@pytest.mark.parametrize(("readings", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_where_the_grade_that_has_lasted_began(readings, expected):
    facts = [drug_started(), egfr("98", -1), *(read(one, number) for number, one in readings)]
    for order in (facts, facts[::-1]):
        (record,) = fold(order).list_records()
        changes = [((one.at - HOUR_ZERO).days, str(one.span)) for one in record.history]
        assert changes == expected


@pytest.mark.parametrize(("number", "expected"), [(10, (10, 6)), (6, (6, None)), (5, (5, None))])
def test_a_grade_that_lasts_leaves_the_onset_to_the_clinician(number, expected):
    assessment = fact(Assessment("ctcae-5.0.chronic-kidney-disease", 3, "Dr. A"), day(number))
    facts = [drug_started(), egfr("98", -1), egfr("25", 6), assessment, egfr("25", 97)]
    assert describe_records(fold(facts), KIDNEY) == [(*expected, OPEN, "3", "3", False)]


def test_a_clinician_who_sees_none_ends_it():
    assessment = fact(Assessment("ctcae-5.0.chronic-kidney-disease", 0, "Dr. A"), day(10))
    assert describe_records(fold([drug_started(), egfr("25", 6), assessment]), KIDNEY) == []


VERDICTS = {  # of a clinician about the only result; then the record
    "confirmed": (Verdict.CONFIRM, None, "13", ("4", "4", False)),
    "regraded": (Verdict.REGRADE, 3, "13", ("3", "3", False)),
    "regraded to none": (Verdict.REGRADE, 0, "13", ("0", "0", True)),
    "rejected": (Verdict.REJECT, None, "13", ("0-4", "0-4", True)),
    "confirmed without a unit": (Verdict.CONFIRM, None, "13 U/L", ("0-4", "0-4", True)),
}


@pytest.mark.parametrize(("verdict", "grade", "value", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_who_confirms_it_needs_no_time(verdict, grade, value, expected):
    criterion = "ctcae-5.0.chronic-kidney-disease"
    decision = fact(Adjudication(criterion, verdict, "Dr. A", "seen", day(8), grade), day(6))
    facts = [drug_started(), egfr("98", -1), egfr(value, 6), decision]
    assert describe_records(fold(facts), KIDNEY) == [(6, None, OPEN, *expected)]


def test_a_correction_of_the_result_that_showed_it_undoes_it():
    first, last = egfr("13", 6), egfr("13", 97, series="S1")
    person = fold([drug_started(), egfr("98", -1), first, last])
    assert describe_records(person, KIDNEY) == [(6, None, OPEN, "4", "4", False)]
    person.apply([egfr("80", 97, series="S1", status=status("C"), reported_hour=98 * 24)])
    assert describe_records(person, KIDNEY) == []


def test_the_result_that_shows_it_is_evidence_and_may_be_preliminary():
    first, last = egfr("13", 6), egfr("13", 97, status=status("P"))
    (record,) = fold([drug_started(), egfr("98", -1), first, last]).list_records()
    assert record.history[0].facts == (first.id, last.id)
    assert record.provisional
    (record,) = fold([drug_started(), egfr("98", -1), first, egfr("13", 97)]).list_records()
    assert not record.provisional


def test_what_is_only_possible_asks_for_time():
    person = fold([drug_started(), egfr("98", -1), egfr("13", 6)])
    (query,) = person.list_queries()[:1]
    assert query.problem == "Chronic kidney disease may be grade 4; missing: duration"


def test_a_loss_from_before_the_drug_counts_only_when_it_grows():
    facts = [egfr("25", -200), drug_started(), egfr("25", -1), egfr("24", 6), egfr("24", 97)]
    records = fold(facts).list_records()
    assert all(one.before_exposure for one in records if one.criterion.endswith(KIDNEY))
    worse = fold([*facts, egfr("13", 98), egfr("13", 189)])
    assert describe_records(worse, KIDNEY)[-1] == (98, None, OPEN, "4", "4", False)


def drug_started():
    return fact(Administration("blinatumomab", Action.START), 0)


def day(number):
    return hours(number * 24)


def egfr(value, number, **fields):
    return lab("egfr", value, day(number), EGFR, lln="60", **fields)


def read(reading, number):
    if isinstance(reading, str):
        return egfr(reading, number)
    measure, value = reading
    return lab(measure, value, day(number), RATIO)


def fold(facts, rules=RULES):
    person = Fold("P-001", rules)
    for next_fact in facts:
        person.apply([next_fact])
    return person


def describe_records(person, slug, unit=timedelta(days=1)):
    def number(instant):
        return None if instant is None else pytest.approx((instant - HOUR_ZERO) / unit)

    return [
        (
            number(one.onset_at),
            number(one.onset_not_before),
            number(one.resolved_at),
            str(one.worst),
            str(one.current),
            one.possible,
        )
        for one in person.list_records()
        if one.criterion.endswith(slug) and not one.before_exposure
    ]
