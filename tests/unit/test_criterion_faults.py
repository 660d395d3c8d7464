"""Faults of a criterion that would make it grade wrongly: both sides of each comparison."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.criterion import (
    Arm,
    ArmPopulation,
    Comparison,
    Condition,
    Criterion,
    Direction,
    Operator,
    Threshold,
)
from services.safety_rules.domain.ctcae.criterion_faults import find_criterion_faults
from services.vocabulary.grade import Grade, Input

DAY = timedelta(days=1)


def make_threshold(text, **fields):
    """``> 3 ULN``, ``>= 5 U/L`` or ``> 1 ULN + 2``: one comparison."""
    operator, factor, word, *offset = text.replace("+ ", "").split()
    limits = {"ULN": Input.ULN, "LLN": Input.LLN, "baseline": Input.BASELINE}
    comparison = Comparison(
        Operator(operator),
        Decimal(factor),
        limits.get(word),
        None if word in limits else word,
        Decimal(offset[0]) if offset else Decimal(0),
    )
    return Threshold((comparison,), fields.pop("condition", None), text, **fields)


def list_faults(grades, measure="alt", direction=Direction.HIGH, levels=(1, 2, 3, 4)):
    """The faults of a criterion with *grades*: thresholds, or their texts."""
    thresholds = {
        Grade(level): tuple(make_threshold(one) if isinstance(one, str) else one for one in any_of)
        for level, any_of in grades.items()
    }
    criterion = Criterion(
        "ctcae-5.0.test",
        "Test",
        "1",
        "Investigations",
        direction,
        {Grade(level): "as published" for level in levels},
        {measure: (Arm(ArmPopulation.ANY_BASELINE, thresholds),)},
        "a test",
    )
    return [f"{fault.field}: {fault.problem}" for fault in find_criterion_faults(criterion)]


def with_companion(measure):
    """A threshold that also asks for another *measure*."""
    threshold = make_threshold("> 3 ULN")
    other = Comparison(Operator.GT, Decimal(2), None, "mg/dL", measure=measure)
    return replace(threshold, comparisons=(*threshold.comparisons, other))


SOUND = {1: ["> 1 ULN"], 2: ["> 3 ULN"], 3: ["> 5 ULN"]}
NO_HARDER = "is no harder to reach than grade"
LAST = "only what is compared with a number can last"
NO_SUM = "which is no such sum"
NO_MEASURE = "is no other measure that can be missing"

HIGH = {  # grades of a measure that gets worse upwards; the faults
    "sound": (SOUND, []),
    "no threshold": ({}, ["alt: no grade has a threshold"]),
    "a grade that is not published": (
        {**SOUND, 5: ["> 9 ULN"]},
        ["alt.grades.5: a threshold for a grade that the table does not publish"],
    ),
    "the wrong way": (
        {1: ["< 1 ULN"]}, ["alt.grades.1: '< 1 ULN' in a term of direction high"],
    ),
    "the wrong way, or as much": (
        {1: ["<= 1 ULN"]}, ["alt.grades.1: '<= 1 ULN' in a term of direction high"],
    ),
    "as much or more": ({1: [">= 1 ULN"]}, []),
    "as much, then more": ({1: [">= 3 ULN"], 2: ["> 3 ULN"]}, []),
    "more, then as much": (
        {1: ["> 3 ULN"], 2: [">= 3 ULN"]},
        [f"alt.grades.2: '>= 3 ULN' {NO_HARDER} 1, '> 3 ULN'"],
    ),
    "the same twice": (
        {1: ["> 3 ULN"], 2: ["> 3 ULN"]}, [f"alt.grades.2: '> 3 ULN' {NO_HARDER} 1, '> 3 ULN'"],
    ),
    "milder": (
        {1: ["> 3 ULN"], 3: ["> 2.9 ULN"]},
        [f"alt.grades.3: '> 2.9 ULN' {NO_HARDER} 1, '> 3 ULN'"],
    ),
    "milder than the one before alone": (
        {1: ["> 1 ULN"], 2: ["> 5 ULN"], 3: ["> 3 ULN"]},
        [f"alt.grades.3: '> 3 ULN' {NO_HARDER} 2, '> 5 ULN'"],
    ),
    "more above the limit": ({1: ["> 1 ULN"], 2: ["> 1 ULN + 2"]}, []),
    "less above the limit": (
        {1: ["> 1 ULN + 2"], 2: ["> 1 ULN + 1"]},
        [f"alt.grades.2: '> 1 ULN + 1' {NO_HARDER} 1, '> 1 ULN + 2'"],
    ),
    "multiples of two limits": ({1: ["> 3 ULN"], 2: ["> 2 baseline"]}, []),
    "with a condition": (
        {1: ["> 3 ULN"], 2: [make_threshold("> 2 ULN", condition=Condition.SYMPTOMATIC)]}, [],
    ),
    "for some time": (
        {1: ["> 3 U/L"], 2: [make_threshold("> 2 U/L", min_duration=DAY)]}, [],
    ),
    "a multiple for some time": (
        {1: [make_threshold("> 3 ULN", min_duration=DAY)]}, [f"alt.grades.1: '> 3 ULN': {LAST}"],
    ),
    "two comparisons are not compared": ({1: ["> 3 ULN"], 2: [with_companion("albumin")]}, []),
    "itself as the other measure": (
        {1: [with_companion("alt")]}, [f"alt.grades.1: 'alt' {NO_MEASURE}"],
    ),
    "another measure without an input": (
        {1: [with_companion("sodium")]}, [f"alt.grades.1: 'sodium' {NO_MEASURE}"],
    ),
    "two units": ({1: ["> 3 U/L", "> 3 kat/L"], 2: ["> 5 U/L", "> 5 kat/L"]}, []),
    "one unit of two": (
        {1: ["> 3 U/L", "> 3 kat/L"], 2: ["> 5 U/L"]},
        ["alt.grades.2: no threshold in kat/L, which other grades have"],
    ),
    "a unit, or a multiple": ({1: ["> 1 ULN"], 2: ["> 5 U/L"]}, []),
    "a sum of a measure that is none": (
        {1: [make_threshold("> 3 ULN", sum_over=24)]},
        [f"alt.grades.1: '> 3 ULN' of alt, {NO_SUM}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("grades", "expected"), HIGH.values(), ids=HIGH)
def test_a_worse_grade_is_harder_to_reach_and_every_comparison_has_a_meaning(grades, expected):
    assert list_faults(grades) == expected


LOW = {  # grades of a measure that gets worse downwards; the faults
    "sound": ({1: ["< 1 LLN"], 2: ["< 1.5 10*9/L"], 3: ["< 1 10*9/L"]}, []),
    "the wrong way": (
        {1: ["> 1 LLN"]}, ["alt.grades.1: '> 1 LLN' in a term of direction low"],
    ),
    "as little, then less": ({1: ["<= 2 U/L"], 2: ["< 2 U/L"]}, []),
    "less, then as little": (
        {1: ["< 2 U/L"], 2: ["<= 2 U/L"]},
        [f"alt.grades.2: '<= 2 U/L' {NO_HARDER} 1, '< 2 U/L'"],
    ),
    "milder": (
        {1: ["< 2 U/L"], 2: ["< 2.1 U/L"]},
        [f"alt.grades.2: '< 2.1 U/L' {NO_HARDER} 1, '< 2 U/L'"],
    ),
    "more above the limit is milder": (
        {1: ["< 1 LLN"], 2: ["< 1 LLN + 1"]},
        [f"alt.grades.2: '< 1 LLN + 1' {NO_HARDER} 1, '< 1 LLN'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("grades", "expected"), LOW.values(), ids=LOW)
def test_a_worse_grade_of_a_low_measure_is_lower(grades, expected):
    assert list_faults(grades, direction=Direction.LOW) == expected


@pytest.mark.parametrize(
    ("measure", "is_sum"), [("urine-24h", True), ("urine-12h", False), ("urine24h", False)]
)
def test_a_sum_is_of_a_measure_over_its_hours(measure, is_sum):
    faults = list_faults({1: [make_threshold("> 3 ULN", sum_over=24)]}, measure)
    assert faults == ([] if is_sum else [f"{measure}.grades.1: '> 3 ULN' of {measure}, {NO_SUM}"])
