"""Hy's law: aminotransferase and bilirubin high together, without cholestasis.

Source: FDA, Drug-Induced Liver Injury: Premarketing Clinical Evaluation, 2009; what it leaves
open: docs/decisions/dose.md
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from services.safety_rules.domain.dosing.case import DosingCase, TimedAdvice, make_advice
from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult
from services.safety_rules.domain.dosing.results import MeasureResults
from services.vocabulary.dosing import HysLaw
from services.vocabulary.recommendation import Advice, AdviceKind

AMINOTRANSFERASES = ("alt", "ast")
BILIRUBIN, ALP = "bilirubin", "alp"
MEASURES = frozenset({*AMINOTRANSFERASES, BILIRUBIN, ALP})

_Verdict = Literal["met", "suspected", "no"]
_LEVEL: dict[_Verdict, int] = {"no": 0, "suspected": 1, "met": 2}
_SAYS = {"met": "Hy's law: its biochemical criteria are met", "suspected": "Hy's law suspected"}


def advise_on_liver(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield one finding for each stretch of pairs that are near enough to each other."""
    law = case.protocol.hys_law
    first_dose_at = case.anchors.first_infusion_at
    if law is None or first_dose_at is None:
        return
    pairs = [
        (enzyme, bilirubin, verdict)
        for enzyme, bilirubin in _list_pairs(case, law, first_dose_at)
        if (verdict := _judge_pair(case, enzyme, bilirubin, first_dose_at)) != "no"
    ]
    for run in _group_pairs(pairs, law):
        yield TimedAdvice(_make_finding(case, run, law, first_dose_at))


_Pair = tuple[UlnResult, UlnResult, _Verdict]


def _list_pairs(
    case: DosingCase, law: HysLaw, start: datetime
) -> Iterator[tuple[UlnResult, UlnResult]]:
    bilirubins = case.find_results(BILIRUBIN).list_above(law.bilirubin_over, start)
    for measure in AMINOTRANSFERASES if bilirubins else ():
        for enzyme in case.find_results(measure).list_above(law.aminotransferase_over, start):
            first = bisect_left(bilirubins, enzyme.observed_at - law.within, key=_find_instant)
            last = bisect_right(bilirubins, enzyme.observed_at + law.within, key=_find_instant)
            for bilirubin in bilirubins[first:last]:
                yield enzyme, bilirubin


def _find_instant(result: UlnResult) -> datetime:
    return result.observed_at


def _judge_pair(
    case: DosingCase, enzyme: UlnResult, bilirubin: UlnResult, start: datetime
) -> _Verdict:
    """Return the verdict on a pair from the alkaline phosphatase of the same span.

    All below the limit: met. All at or above it: no. None known, or some of each: suspected.
    """
    law, phosphatase = case.protocol.hys_law, case.find_results(ALP)
    if law is None:
        return "no"
    alp_results = _list_alp_in_span(enzyme, bilirubin, phosphatase, law, start)
    answers = {phosphatase.is_below(one, law.alp_below) for one in alp_results}
    certain_answers = answers - {None}
    if certain_answers == {True}:
        return "met"
    return "no" if certain_answers == {False} and None not in answers else "suspected"


def _list_alp_in_span(
    enzyme: UlnResult,
    bilirubin: UlnResult,
    phosphatase: MeasureResults,
    law: HysLaw,
    start: datetime,
) -> Sequence[UlnResult]:
    """Return the results from *start* on that lie in one span of the law's length with both."""
    first, last = (
        min(enzyme.observed_at, bilirubin.observed_at),
        max(enzyme.observed_at, bilirubin.observed_at),
    )
    return phosphatase.list_between(max(start, last - law.within), first + law.within)


def _group_pairs(pairs: Sequence[_Pair], law: HysLaw) -> Iterator[list[_Pair]]:
    """Yield pairs that follow each other within the law's span, as one finding."""
    run: list[_Pair] = []
    for pair in sorted(pairs, key=lambda one: (_met_at(one), one[0].fact, one[1].fact)):
        if run and _met_at(pair) - _met_at(run[-1]) > law.within:
            yield run
            run = []
        run.append(pair)
    if run:
        yield run


def _met_at(pair: _Pair) -> datetime:
    return max(pair[0].observed_at, pair[1].observed_at)


def _describe_alp(case: DosingCase, alp_results: Sequence[UlnResult]) -> list[str]:
    """Return the highest of *alp_results* in words, and how many there are."""
    measured_results = [one for one in alp_results if one.value_range is not None and one.uln]
    if not measured_results:
        return [f"{one.words}, on {case.describe_day(one.observed_at)}" for one in alp_results[:1]]
    highest = max(measured_results, key=_compute_multiple)
    number = f", the highest of {len(alp_results)} in the same span" if len(alp_results) > 1 else ""
    return [f"{highest.words}, on {case.describe_day(highest.observed_at)}{number}"]


def _compute_multiple(result: UlnResult) -> Decimal:
    return (
        result.value_range.low.number / result.uln
        if result.value_range and result.uln
        else Decimal(0)
    )


def _make_finding(case: DosingCase, pairs: Sequence[_Pair], law: HysLaw, start: datetime) -> Advice:
    enzyme, bilirubin, verdict = max(pairs, key=lambda pair: _LEVEL[pair[2]])
    alp_results = _list_alp_in_span(enzyme, bilirubin, case.find_results(ALP), law, start)
    facts = (enzyme, bilirubin, *alp_results)
    multiples = ((enzyme, law.aminotransferase_over), (bilirubin, law.bilirubin_over))
    words = [
        f"{one.words}, more than {multiple} x ULN, on {case.describe_day(one.observed_at)}"
        for one, multiple in multiples
    ]
    words += _describe_alp(case, alp_results)
    missing = () if verdict == "met" else ("ALP below the limit in the same span",)
    return make_advice(
        case,
        AdviceKind.HYS_LAW,
        "hys_law",
        _met_at(pairs[0]),
        level=_LEVEL[verdict],
        says=_SAYS[verdict],
        because=tuple(words),
        then=("look for another cause (hepatitis, GVHD, obstruction, other drugs)",),
        missing=missing,
        provisional=any(one.provisional for one in facts),
        facts=tuple(dict.fromkeys(one.fact for one in facts)),
    )
