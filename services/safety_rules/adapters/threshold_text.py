"""The threshold language: what a criteria file may say after ``when``."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from services.safety_rules.domain.criteria import (
    Baseline,
    Comparison,
    Condition,
    Operator,
    Threshold,
)
from services.safety_rules.domain.units import is_listed
from services.vocabulary.grade import Input

_COMPARISON = re.compile(
    r"(?P<operator><=|>=|<|>) "
    r"(?:(?P<number>\d+(?:\.\d+)?)(?: x (?P<limit>LLN|ULN|baseline))?|(?P<alone>LLN|ULN|baseline))"
)
_ARMS = {Baseline.NORMAL, Baseline.ABNORMAL}
_CONDITIONS = {condition.value: condition for condition in Condition}


def parse_comparison(text: object, unit: str | None = None) -> Comparison:
    """Return the comparison that *text* says: a multiple (``> 3.0 x ULN``) or a number in *unit*.

    >>> parse_comparison("> 3.0 x ULN").factor
    Decimal('3.0')
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
    match = _COMPARISON.fullmatch(str(text))
    if match is None or not (factor := Decimal(match["number"] or 1)):
        raise ValueError(f"not a threshold: {text!r}")
    limit = match["limit"] or match["alone"]
    if (limit is None) == (unit is None):
        raise ValueError(f"a number needs its unit, a multiple has none: {text!r}")
    if unit is not None and not is_listed(unit):
        raise ValueError(f"not a unit that criteria are published in: {unit!r}")
    multiple_of = None if limit is None else Input(limit)
    return Comparison(Operator(match["operator"]), factor, multiple_of, unit)


def parse_when(when: object) -> Mapping[Baseline, tuple[Threshold, ...]]:
    """Return the thresholds of one grade for each baseline arm that *when* tells apart.

    >>> sorted(parse_when({"baseline normal": "> ULN", "baseline abnormal": "> 2.0 x baseline"}))
    [<Baseline.ABNORMAL: 'baseline abnormal'>, <Baseline.NORMAL: 'baseline normal'>]
    >>> either = parse_when(["> 5.0 x ULN", {"if symptomatic": "> 2.0 x ULN"}])
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
        return {Baseline.ANY: _any_of(when)}
    if when.keys() != _ARMS:
        raise ValueError(f"{', '.join(map(repr, when))} without its counterpart")
    return {Baseline(arm): _any_of(given) for arm, given in when.items()}


def _any_of(given: object) -> tuple[Threshold, ...]:
    """Read thresholds of which any one is enough."""
    if not given:
        raise ValueError("no threshold")
    if isinstance(given, list):
        return tuple(threshold for one in given for threshold in _any_of(one))
    if not isinstance(given, dict):
        return (Threshold((parse_comparison(given),), None, str(given)),)
    if given.keys() == {"all"}:
        return (_all_of(given["all"]),)
    conditions = [_CONDITIONS[key] for key in given if key in _CONDITIONS]
    if not conditions:
        return tuple(_in_unit(str(unit), text) for unit, text in given.items())
    if len(given) > 1:
        raise ValueError(f"more than one condition: {', '.join(map(repr, given))}")
    asked = conditions[0]
    return tuple(
        replace(threshold, condition=asked, text=f"{threshold.text} {asked}")
        for threshold in _any_of(given[asked.value])
    )


def _all_of(given: object) -> Threshold:
    if not isinstance(given, list) or not given:
        raise ValueError("'all' needs a list of thresholds")
    comparisons = tuple(parse_comparison(text) for text in given)
    return Threshold(comparisons, None, " and ".join(map(str, given)))


def _in_unit(unit: str, text: object) -> Threshold:
    return Threshold((parse_comparison(text, unit),), None, f"{text} {unit}")
