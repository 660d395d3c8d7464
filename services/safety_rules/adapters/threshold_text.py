"""The threshold language: what a criteria file may say after ``when``.

Source: docs/decisions/grading.md, "rise, fall or change from baseline in %"
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from services.safety_rules.domain.ctcae.criterion import (
    ArmPopulation,
    Comparison,
    Condition,
    Operator,
    Threshold,
)
from services.safety_rules.domain.ctcae.units import is_listed
from services.vocabulary.grade import Input
from services.vocabulary.number_text import DIGITS, UNSIGNED_NUMBER

_COMPARISON = re.compile(
    rf"(?P<operator><=|>=|<|>) (?:(?P<number>-?{UNSIGNED_NUMBER})"
    r"(?: x (?P<limit>LLN|ULN|baseline))?"
    rf"|(?P<alone>LLN|ULN|baseline)(?: (?P<sign>[+-]) (?P<offset>{UNSIGNED_NUMBER}))?)"
)
_MOVE = re.compile(
    rf"(?P<way>rise|fall|change) from baseline (?P<operator>>=|>) (?P<number>{UNSIGNED_NUMBER})"
    r"(?: (?P<unit>\S+))?"
)
_PAIRS = (
    {ArmPopulation.NORMAL_BASELINE, ArmPopulation.ABNORMAL_BASELINE},
    {ArmPopulation.BASELINE_UNAVAILABLE, ArmPopulation.BASELINE_AVAILABLE},
    {ArmPopulation.OFF_ANTICOAGULATION, ArmPopulation.ON_ANTICOAGULATION},
)
_ARMS = frozenset(arm for pair in _PAIRS for arm in pair)
_CONDITIONS = {condition.value: condition for condition in Condition}
_LASTING = re.compile(rf"if for longer than ({DIGITS}) h")
_SUM = re.compile(rf"sum over ({DIGITS}) h")
_HUNDRED = Decimal(100)


def parse_comparison(text: object, unit: str | None = None) -> Comparison:
    """Return the comparison that *text* says: a multiple (``> 3.0 x ULN``) or a number in *unit*.

    A rise or a fall from baseline is a multiple of it when it is given in per cent, and else so
    many of *unit*, or of its own unit, above or below it. A change is a rise.

    >>> parse_comparison("> 3.0 x ULN").factor
    Decimal('3.0')
    >>> fall = parse_comparison("fall from baseline >= 10 %")
    >>> str(fall.operator), fall.factor
    ('<=', Decimal('0.9'))
    >>> parse_comparison("change from baseline > 60 ms").offset
    Decimal('60')
    >>> parse_comparison("< 1,000", unit="/mm3")
    Traceback (most recent call last):
        ...
    ValueError: not a threshold: '< 1,000'
    >>> parse_comparison("< 1000")
    Traceback (most recent call last):
        ...
    ValueError: a number needs its unit, a multiple has none: '< 1000'

    Raises:
        ValueError: *text* is not in the language, or it is a number without *unit*, or a multiple
            with one, or *unit* is not one that criteria are published in.
    """
    if moved := _MOVE.fullmatch(str(text)):
        return _from_baseline(text, moved, unit)
    match = _COMPARISON.fullmatch(str(text))
    if match is None or not (factor := Decimal(match["number"] or 1)):
        raise ValueError(f"not a threshold: {text!r}")
    limit = match["limit"] or match["alone"]
    offset = Decimal(f"{match['sign']}{match['offset']}") if match["offset"] else Decimal(0)
    if (limit is not None and not offset) is (unit is not None):
        raise ValueError(f"a number needs its unit, a multiple has none: {text!r}")
    multiple_of = None if limit is None else Input(limit)
    return Comparison(Operator(match["operator"]), factor, multiple_of, _listed(unit), offset)


def _from_baseline(text: object, moved: re.Match[str], unit: str | None) -> Comparison:
    own, number = moved["unit"], Decimal(moved["number"])
    if (own is None) is (unit is None):
        raise ValueError(f"a number needs its unit, once: {text!r}")
    operator, one = Operator(moved["operator"]), Decimal(1)
    if moved["way"] == "fall":
        number = -number
        operator = Operator.LT if operator is Operator.GT else Operator.LE
    if own == "%":
        return Comparison(operator, one + number / _HUNDRED, Input.BASELINE, None)
    return Comparison(operator, one, Input.BASELINE, _listed(own or unit), number)


def _listed(unit: str | None) -> str | None:
    if unit is not None and not is_listed(unit):
        raise ValueError(f"not a unit that criteria are published in: {unit!r}")
    return unit


def parse_when(when: object) -> Mapping[ArmPopulation, tuple[Threshold, ...]]:
    """Return the thresholds of one grade for each arm that *when* tells apart.

    >>> arms = {"baseline normal": "> ULN", "baseline abnormal": "> 2.0 x baseline"}
    >>> sorted(map(str, parse_when(arms)))
    ['baseline abnormal', 'baseline normal']
    >>> either = parse_when(("> 5.0 x ULN", {"if symptomatic": "> 2.0 x ULN"}))
    >>> [threshold.text for threshold in either["any baseline"]]
    ['> 5.0 x ULN', '> 2.0 x ULN if symptomatic']
    >>> parse_when({"baseline normal": "> ULN"})
    Traceback (most recent call last):
        ...
    ValueError: 'baseline normal' without its counterpart

    Raises:
        ValueError: An arm has no counterpart, or something in it is not in the language.
    """
    if not isinstance(when, dict) or not _ARMS & when.keys():
        return {ArmPopulation.ANY_BASELINE: _any_of(when)}
    if when.keys() not in _PAIRS:
        raise ValueError(f"{', '.join(map(repr, when))} without its counterpart")
    return {ArmPopulation(arm): _any_of(given) for arm, given in when.items()}


def _any_of(given: object) -> tuple[Threshold, ...]:
    """Read thresholds of which any one is enough."""
    if not given:
        raise ValueError("no threshold")
    if isinstance(given, tuple):
        return tuple(threshold for one in given for threshold in _any_of(one))
    if not isinstance(given, dict):
        return (Threshold((parse_comparison(given),), None, str(given)),)
    if given.keys() == {"all"}:
        return (_all_of(given["all"]),)
    qualified = {key: found for key in given if (found := _qualifier(str(key)))}
    if not qualified:
        return tuple(_in_unit(str(unit), text) for unit, text in given.items())
    if len(given) > 1:
        raise ValueError(f"more than one condition: {', '.join(map(repr, given))}")
    ((key, qualify),) = qualified.items()
    return tuple(
        replace(qualify(threshold), text=f"{threshold.text} {key}")
        for threshold in _any_of(given[key])
    )


def _qualifier(key: str) -> Callable[[Threshold], Threshold] | None:
    """Return what *key* makes of a threshold: met under a condition, or lasting, or a sum."""
    if condition := _CONDITIONS.get(key):
        return lambda threshold: replace(threshold, condition=condition)
    if lasting := _LASTING.fullmatch(key):
        return lambda threshold: replace(threshold, min_duration=timedelta(hours=int(lasting[1])))
    if summed := _SUM.fullmatch(key):
        return lambda threshold: replace(threshold, sum_over=int(summed[1]))
    return None


def _all_of(given: object) -> Threshold:
    if not isinstance(given, tuple) or not given:
        raise ValueError("'all' needs a list of thresholds")
    parts = [_one_of_all(part) for part in given]
    return Threshold(
        tuple(comparison for comparison, _ in parts), None, " and ".join(text for _, text in parts)
    )


def _one_of_all(part: object) -> tuple[Comparison, str]:
    """Read one comparison: a text, a number in its unit, or what another measure has to be."""
    if not isinstance(part, dict):
        return parse_comparison(part), str(part)
    if part.keys() == {"measure", "is"}:
        comparison, text = _one_of_all(part["is"])
        return replace(comparison, measure=str(part["measure"])), f"{part['measure']} {text}"
    if len(part) != 1:
        raise ValueError(f"one comparison in one unit is wanted: {part!r}")
    ((unit, text),) = part.items()
    return parse_comparison(text, str(unit)), f"{text} {unit}"


def _in_unit(unit: str, text: object) -> Threshold:
    return Threshold((parse_comparison(text, unit),), None, f"{text} {unit}")
