"""Several results under one code and time: the one that each report is about.

Two results of one report with one key are two results: a laboratory counts twice, a nurse measures
twice. Another report of that key is about the result with the same number (OBX-1).

Source: docs/decisions/corrections.md, "Several results of one key"
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.facts.current_report import (
    CORRECTING_STATUSES,
    RETRACTING_STATUSES,
    is_empty,
)
from services.vocabulary.fact import Body, Fact, Status


@dataclass(frozen=True, slots=True)
class SplitSet:
    """The facts of one key and time, by the result that they report.

    *unmatched* are those of *results* that could be about any of several.
    """

    results: tuple[Sequence[Fact], ...]
    unmatched: tuple[Fact, ...] = ()


def split_by_result(facts: Sequence[Fact]) -> SplitSet:
    """Return *facts* of one key and time, in the reports of each result.

    What matches none of several results stands alone, unless a later report repeats them all.
    """
    if len(facts) == 1:
        return SplitSet((facts,))
    reports = _group_by_report(facts)
    replacing_reports = {name for name, report in reports.items() if _has_one_result(report)}
    facts = [
        fact
        for fact in facts
        if fact.status not in RETRACTING_STATUSES or _get_report(fact) not in replacing_reports
    ]
    repeating_reports = sorted(filter(_has_several_results, reports.values()), key=_order_of_report)
    if not repeating_reports:
        return SplitSet((facts,))
    last_report = repeating_reports[-1]
    result_of = _number_results(repeating_reports)
    results: dict[str, list[Fact]] = {number: [] for number in result_of.values()}
    unmatched: dict[str, list[Fact]] = {}
    number_of_content: dict[Body, str] = {}
    for fact in last_report:
        number_of_content.setdefault(fact.body, _get_number(fact))
    for fact in facts:
        number = result_of.get(_get_number(fact), "")
        if not number and _is_result(fact):
            number = number_of_content.get(fact.body, "")
        if number:
            results[result_of[number]].append(fact)
        elif fact.reported_at >= last_report[-1].reported_at:
            unmatched.setdefault(_get_number(fact), []).append(fact)
    return SplitSet(
        (*results.values(), *unmatched.values()),
        tuple(fact for group in unmatched.values() for fact in group),
    )


def _order_of_report(report: Sequence[Fact]) -> tuple[datetime, str]:
    return report[-1].reported_at, _get_report(report[-1])


def _group_by_report(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Return the facts of each report by time; a fact of an older release names none."""
    reports: dict[str, list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: (fact.reported_at, _get_number(fact))):
        if report := _get_report(fact):
            reports.setdefault(report, []).append(fact)
    return reports


def _has_one_result(report: Sequence[Fact]) -> bool:
    """Return True when *report* has a result, which takes the place of those that it deletes."""
    return any(map(_is_result, report)) and not _has_several_results(report)


def _has_several_results(report: Sequence[Fact]) -> bool:
    """Return True when *report* has two contents of one status: a correction is no second one."""
    results = [fact for fact in report if _is_result(fact)]
    corrections = {fact.body for fact in results if fact.status in CORRECTING_STATUSES}
    originals = {fact.body for fact in results if fact.status not in CORRECTING_STATUSES}
    return len(originals) > 1 or len(corrections) > 1


def _is_result(fact: Fact) -> bool:
    is_taken_back = fact.status in RETRACTING_STATUSES or fact.status is Status.NO_RESULT
    return not is_taken_back and not is_empty(fact)


def _number_results(reports: Iterable[Sequence[Fact]]) -> dict[str, str]:
    """Return the result of each number in *reports*: equal contents of one report are one.

    A number that is a result of its own in any report is one in all.
    """
    result_of: dict[str, str] = {}
    for report in reports:
        first_numbers: dict[Body, str] = {}
        for fact in report:
            number = _get_number(fact)
            first_number = first_numbers.setdefault(fact.body, number)
            if number == first_number or number not in result_of:
                result_of[number] = first_number
    return {number: result_of[first] for number, first in result_of.items()}


def _get_number(fact: Fact) -> str:
    return fact.result_key.number if fact.result_key is not None else ""


def _get_report(fact: Fact) -> str:
    return fact.result_key.report if fact.result_key is not None else ""
