"""Multiples of ULN, repeated seizures and Hy's law, worked out from the protocol's words.

ALT/AST > 5 x ULN or bilirubin > 3 x ULN: interrupt, whatever the baseline. More than one seizure:
discontinue. Hy's law: ALT or AST > 3 x ULN and bilirubin > 2 x ULN within 14 days of each other,
ALP < 2 x ULN in the same span; ALP missing is suspected.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.judgement import Assessment
from tests.helpers.dosing_course import describe_advice, fold_facts, format_hour
from tests.helpers.fact_notes import fact, hours, lab, status

UNITS = {
    "alt": ("U/L", "40"),
    "ast": ("U/L", "40"),
    "alp": ("U/L", "120"),
    "bilirubin": ("mg/dL", "1.0"),
}


def make_results(script):
    """``alt 201@24, bilirubin 3.1@30``; ``/?`` is without its limit, ``/P`` preliminary."""
    facts = []
    for part in script.split(", "):
        measure, text = part.split()
        value, hour = text.split("@")
        value, _, note = value.partition("/")
        unit, uln = UNITS[measure]
        facts.append(
            lab(
                measure,
                None if value == "-" else value,
                float(hour),
                unit,
                uln=None if note == "?" else "-40" if note == "negative" else uln,
                status=status("P" if note == "P" else "F"),
            )
        )
    return facts


def advise(fold, rule, hour=2000):
    advice, _ = fold.find_advice(hours(hour))
    return [one for one in advice if one.rule == rule]


LIVER = {
    "at 5 x ULN": ("alt 200@24", ""),
    "above 5 x ULN": ("alt 200.1@24", "interrupt from 24"),
    "above, and at it again": ("alt 201@24, alt 200@48", "interrupt from 24 to 48"),
    "AST": ("ast 201@24", "interrupt from 24"),
    "bilirubin at 3 x ULN": ("bilirubin 3.0@24", ""),
    "bilirubin above 3 x ULN": ("bilirubin 3.1@24", "interrupt from 24"),
    "whatever the baseline was": ("alt 150@-3, alt 201@24", "interrupt from 24"),
    "before the first dose": ("alt 900@-3", ""),
    "at the first dose": ("alt 900@0", "interrupt from 0"),
    "one after the other": (
        "alt 201@24, bilirubin 3.1@30, alt 40@36, bilirubin 1@48",
        "interrupt from 24 to 48",
    ),
    "twice": (
        "alt 201@24, alt 40@48, alt 300@72",
        "interrupt from 24 to 48; interrupt from 72",
    ),
    "more than can be measured": ("alt >200@24", "interrupt from 24"),
    "less than can be measured": ("alt <5@24", ""),
    "a bound that leaves it open": (
        "alt >100@24",
        "open from 24; maybe interrupt for want of value",
    ),
    "above and at it, at one instant": ("alt 201@24, alt 200@24", "interrupt from 24"),
    "above, then above and at it at one instant": (
        "alt 201@24, alt 300@48, alt 40@48, alt 40@72",
        "interrupt from 24 to 72",
    ),
    "at it and without its limit, at one instant": (
        "alt 200@24, alt 201/?@24",
        "open from 24; maybe interrupt for want of ULN",
    ),
    "without its limit": ("alt 201/?@24", "open from 24; maybe interrupt for want of ULN"),
    "without its limit, at the first dose": (
        "alt 201/?@0",
        "open from 0; maybe interrupt for want of ULN",
    ),
    "without its limit, before the first dose": ("alt 201/?@-0.1", ""),
    "a limit that cannot be": (
        "alt 201/negative@24",
        "open from 24; maybe interrupt for want of ULN",
    ),
    "a number that cannot be": ("alt 99999@24", "open from 24; maybe interrupt for want of value"),
    "no number at all": ("alt -@24", "open from 24; maybe interrupt for want of value"),
    "without its limit, then with it": ("alt 201/?@24, alt 30@36", ""),
    "without its limit, while it was high": ("alt 300@24, alt 201/?@36", "interrupt from 24"),
}


@pytest.mark.parametrize(("script", "expected"), LIVER.values(), ids=LIVER)
def test_multiples_of_the_limit(script, expected):
    assert (
        "; ".join(map(describe_advice, advise(fold_facts(*make_results(script)), "liver")))
        == expected
    )


def make_end(text):
    """``200``, or ``200+`` and ``200-`` for what lies just beside it."""
    return RangeEnd(Decimal(text.rstrip("+-")), {"+": 1, "-": -1}.get(text[-1], 0))


ENDS = {  # the ends of a result with ULN 40; is it over 5 x ULN, is it below 5 x ULN?
    "at the limit": ("200", "200", False, False),
    "above it": ("200.1", "200.1", True, False),
    "below it": ("199.9", "199.9", False, True),
    "more than it": ("200+", "Infinity", True, False),
    "at least it": ("200", "Infinity", None, False),
    "at least a little less": ("200-", "Infinity", None, None),
    "less than it": ("0", "200-", False, True),
    "at most it": ("0", "200", False, None),
    "at most a little more": ("0", "200+", None, None),
}


@pytest.mark.parametrize(("low", "high", "is_over", "is_below"), ENDS.values(), ids=ENDS)
def test_a_result_is_over_or_below_a_multiple_when_all_that_it_may_be_is(
    low, high, is_over, is_below
):
    value_range = Range(make_end(low), make_end(high))
    result = UlnResult(hours(0), "alt", value_range, Decimal(40), "f1", "", provisional=False)
    assert (result.is_over(Decimal(5)), result.is_below(Decimal(5))) == (is_over, is_below)
    for unknown_result in (replace(result, uln=None), replace(result, value_range=None)):
        assert unknown_result.is_over(Decimal(5)) is None
        assert unknown_result.is_below(Decimal(5)) is None


RESULT_WORDS = {  # a result; how a reason speaks of it
    "with its limit": ("alt 201@24", "ALT 201 U/L (ULN 40)"),
    "a bound": ("ast >1000@24", "AST >1000 U/L (ULN 40)"),
    "of a measure that is no abbreviation": ("bilirubin 9@24", "bilirubin 9 mg/dL (ULN 1.0)"),
    "without its limit": ("alt 201/?@24", "ALT 201 U/L (ULN not known)"),
    "without a number": ("alt -@24", "ALT without a number"),
}


@pytest.mark.parametrize(("script", "words"), RESULT_WORDS.values(), ids=RESULT_WORDS)
def test_a_result_is_spoken_of_with_its_limit(script, words):
    (signal,) = advise(fold_facts(*make_results(script)), "liver")
    assert signal.because[0].split(", more than")[0] == words


def test_a_preliminary_result_is_provisional_and_the_reason_has_value_limit_and_day():
    (signal,) = advise(fold_facts(*make_results("alt 201/P@24")), "liver")
    assert signal.provisional
    assert signal.because == ("ALT 201 U/L (ULN 40), more than 5 x ULN on treatment day 2",)


DAY = 24
LAW = {
    "together": ("alt 121@24, bilirubin 2.1@24, alp 100@24", "met from 24"),
    "AST": ("ast 121@24, bilirubin 2.1@24, alp 100@24", "met from 24"),
    "at 3 x ULN": ("alt 120@24, bilirubin 2.1@24, alp 100@24", ""),
    "bilirubin at 2 x ULN": ("alt 121@24, bilirubin 2.0@24, alp 100@24", ""),
    "14 days apart": (f"alt 121@24, bilirubin 2.1@{24 + 14 * DAY}, alp 100@24", "met from 360"),
    "bilirubin first": (f"bilirubin 2.1@24, alt 121@{24 + 14 * DAY}, alp 100@24", "met from 360"),
    "more than 14 days apart": (f"alt 121@24, bilirubin 2.1@{25 + 14 * DAY}, alp 100@24", ""),
    "no ALP": ("alt 121@24, bilirubin 2.1@24", "suspected from 24"),
    "ALP without its limit": ("alt 121@24, bilirubin 2.1@24, alp 100/?@24", "suspected from 24"),
    "ALP at 2 x ULN": ("alt 121@24, bilirubin 2.1@24, alp 240@24", ""),
    "ALP just below 2 x ULN": ("alt 121@24, bilirubin 2.1@24, alp 239@24", "met from 24"),
    "ALP 14 days before": (
        f"alt 121@400, bilirubin 2.1@400, alp 100@{400 - 14 * DAY}",
        "met from 400",
    ),
    "ALP more than 14 days before": (
        f"alt 121@400, bilirubin 2.1@400, alp 100@{399 - 14 * DAY}",
        "suspected from 400",
    ),
    "ALP on both sides": (
        "alt 121@24, bilirubin 2.1@24, alp 100@24, alp 300@48",
        "suspected from 24",
    ),
    "high ALP and one without its limit": (
        "alt 121@24, bilirubin 2.1@24, alp 300@24, alp 100/?@30",
        "suspected from 24",
    ),
    "before the first dose": ("alt 121@-3, bilirubin 2.1@24, alp 100@24", ""),
    "an enzyme alone": ("alt 900@24, alp 100@24", ""),
    "two stretches": (
        "alt 121@24, bilirubin 2.1@24, alp 100@24, alt 130@900, bilirubin 2.5@900, alp 90@900",
        "met from 24; met from 900",
    ),
    "pairs 14 days apart": (
        f"alt 121@24, bilirubin 2.1@24, alt 130@{24 + 14 * DAY}, bilirubin 2.5@{24 + 14 * DAY}",
        "suspected from 24",
    ),
    "pairs less than 14 days apart": (
        f"alt 121@25, bilirubin 2.1@25, alt 130@{24 + 14 * DAY}, bilirubin 2.5@{24 + 14 * DAY}",
        "suspected from 25",
    ),
    "pairs more than 14 days apart": (
        f"alt 121@24, bilirubin 2.1@24, alt 130@{25 + 14 * DAY}, bilirubin 2.5@{25 + 14 * DAY}",
        f"suspected from 24; suspected from {25 + 14 * DAY}",
    ),
    "suspected, then met": (
        "alt 121@24, bilirubin 2.1@24, alt 130@48, bilirubin 2.2@48, alp 100@380",
        "met from 24",
    ),
}


@pytest.mark.parametrize(("script", "expected"), LAW.values(), ids=LAW)
def test_hys_law(script, expected):
    words = {2: "met", 1: "suspected"}
    signals = advise(fold_facts(*make_results(script)), "hys_law")
    assert (
        "; ".join(f"{words[one.level]} from {format_hour(one.since)}" for one in signals)
        == expected
    )


def test_hys_law_says_what_it_rests_on():
    (signal,) = advise(fold_facts(*make_results("alt 121@24, bilirubin 2.1@30")), "hys_law")
    assert signal.says == "Hy's law suspected"
    assert signal.missing == ("ALP below the limit in the same span",)
    assert signal.because == (
        "ALT 121 U/L (ULN 40), more than 3 x ULN, on treatment day 2",
        "bilirubin 2.1 mg/dL (ULN 1.0), more than 2 x ULN, on treatment day 2",
    )


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("alt 121@24, ast 131@24, bilirubin 2.1@24", "ALT 121 U/L"),
        ("ast 131@24, alt 121@24, bilirubin 2.1@24", "AST 131 U/L"),
    ],
)
def test_of_two_enzymes_of_one_instant_hys_law_names_the_first_by_its_id(results, expected):
    (signal,) = advise(fold_facts(*make_results(results)), "hys_law")
    assert signal.because[0].startswith(expected)


ALP_WORDS = {
    "one": ("alp 90@24", "ALP 90 U/L (ULN 120), on treatment day 2"),
    "two of one day": (
        "alp 130@24, alp 90@25",
        "ALP 130 U/L (ULN 120), on treatment day 2, the highest of 2 in the same span",
    ),
    "one without its limit": ("alp 90/?@24", "ALP 90 U/L (ULN not known), on treatment day 2"),
    "two without a number": ("alp -@24, alp -@25", "ALP without a number, on treatment day 2"),
    "one without a number": (
        "alp -@24, alp 90@25",
        "ALP 90 U/L (ULN 120), on treatment day 2, the highest of 2 in the same span",
    ),
    "several": (
        "alp 90@24, alp 130@48, alp 110/?@60",
        "ALP 130 U/L (ULN 120), on treatment day 3, the highest of 3 in the same span",
    ),
}


@pytest.mark.parametrize(("results", "words"), ALP_WORDS.values(), ids=ALP_WORDS)
def test_of_several_results_of_alp_hys_law_shows_the_highest(results, words):
    facts = make_results(f"alt 121@24, bilirubin 2.1@30, {results}")
    (signal,) = advise(fold_facts(*facts), "hys_law")
    assert signal.because[2:] == (words,)


def chart_seizure(word, hour):
    return fact(Observation("seizure", text=word), hour)


def assess_seizure(grade, hour):
    return fact(Assessment("ctcae-5.0.seizure", grade, "a clinician"), hour)


SEIZURES = {
    "one": ([chart_seizure("brief", 24)], ""),
    "charted twice": ([chart_seizure("brief", 24), chart_seizure("brief", 30)], ""),
    "two": (
        [chart_seizure("brief", 24), chart_seizure("none", 36), chart_seizure("prolonged", 48)],
        "discontinue from 48",
    ),
    "one before the first dose": (
        [chart_seizure("brief", -24), chart_seizure("none", -12), chart_seizure("brief", 24)],
        "",
    ),
    "one at the first dose": (
        [chart_seizure("brief", 0), chart_seizure("none", 12), chart_seizure("brief", 24)],
        "discontinue from 24",
    ),
    "one, and a clinician's record 24 hours later": (
        [chart_seizure("brief", 24), chart_seizure("none", 36), assess_seizure(2, 48)],
        "",
    ),
    "one, and a clinician's record later than that": (
        [chart_seizure("brief", 24), chart_seizure("none", 36), assess_seizure(2, 48.1)],
        "discontinue from 48.1",
    ),
    "one, and a clinician's record of it": (
        [chart_seizure("brief", 24), assess_seizure(2, 40)],
        "",
    ),
    "one, and a clinician's record of another": (
        [chart_seizure("brief", 24), chart_seizure("none", 36), assess_seizure(2, 49)],
        "discontinue from 49",
    ),
    "one, and a clinician's record before the first dose": (
        [assess_seizure(2, -24), assess_seizure(0, -12), chart_seizure("brief", 24)],
        "",
    ),
    "one, and a clinician's record of another term": (
        [
            chart_seizure("brief", 24),
            chart_seizure("none", 36),
            fact(Assessment("ctcae-5.0.headache", 2, "a clinician"), 60),
        ],
        "",
    ),
    "two of a clinician": (
        [assess_seizure(2, 24), assess_seizure(0, 36), assess_seizure(1, 60)],
        "discontinue from 60",
    ),
}


@pytest.mark.parametrize(("facts", "expected"), SEIZURES.values(), ids=SEIZURES)
def test_more_than_one_seizure(facts, expected):
    assert "; ".join(map(describe_advice, advise(fold_facts(*facts), "seizures"))) == expected
