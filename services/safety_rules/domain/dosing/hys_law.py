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

_Answer = Literal["met", "suspected", "no"]
_LEVEL: dict[_Answer, int] = {"no": 0, "suspected": 1, "met": 2}
_SAYS = {"met": "Hy's law: its biochemical criteria are met", "suspected": "Hy's law suspected"}


def advise_on_liver(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield one finding for each stretch of pairs that are near enough to each other."""
    law = case.protocol.hys_law
    first = case.anchors.first_infusion_at
    if law is None or first is None:
        return
    pairs = [
        (enzyme, bilirubin, answer)
        for enzyme, bilirubin in _pairs(case, law, first)
        if (answer := _answer(case, enzyme, bilirubin, first)) != "no"
    ]
    for together in _runs(pairs, law):
        yield TimedAdvice(_finding(case, together, law, first))


_Pair = tuple[UlnResult, UlnResult, _Answer]


def _pairs(case: DosingCase, law: HysLaw, since: datetime) -> Iterator[tuple[UlnResult, UlnResult]]:
    bilirubins = case.find_results(BILIRUBIN).list_above(law.bilirubin_over, since)
    for measure in AMINOTRANSFERASES if bilirubins else ():
        for enzyme in case.find_results(measure).list_above(law.aminotransferase_over, since):
            first = bisect_left(bilirubins, enzyme.observed_at - law.within, key=_seen_at)
            last = bisect_right(bilirubins, enzyme.observed_at + law.within, key=_seen_at)
            for bilirubin in bilirubins[first:last]:
                yield enzyme, bilirubin


def _seen_at(result: UlnResult) -> datetime:
    return result.observed_at


def _answer(case: DosingCase, enzyme: UlnResult, bilirubin: UlnResult, since: datetime) -> _Answer:
    """Say what the alkaline phosphatase of the same span makes of a pair.

    All below the limit: met. All at or above it: no. None known, or some of each: suspected.
    """
    law, phosphatase = case.protocol.hys_law, case.find_results(ALP)
    if law is None:
        return "no"
    beside = _in_span(enzyme, bilirubin, phosphatase, law, since)
    below = {phosphatase.is_below(one, law.alp_below) for one in beside}
    known = below - {None}
    if known == {True}:
        return "met"
    return "no" if known == {False} and None not in below else "suspected"


def _in_span(
    enzyme: UlnResult,
    bilirubin: UlnResult,
    phosphatase: MeasureResults,
    law: HysLaw,
    since: datetime,
) -> Sequence[UlnResult]:
    """Return what lies in one span of the law's length with both, from *since* on."""
    first, last = (
        min(enzyme.observed_at, bilirubin.observed_at),
        max(enzyme.observed_at, bilirubin.observed_at),
    )
    return phosphatase.list_between(max(since, last - law.within), first + law.within)


def _runs(pairs: Sequence[_Pair], law: HysLaw) -> Iterator[list[_Pair]]:
    """Yield pairs that follow each other within the law's span, as one finding."""
    together: list[_Pair] = []
    for pair in sorted(pairs, key=lambda one: (_met_at(one), one[0].fact, one[1].fact)):
        if together and _met_at(pair) - _met_at(together[-1]) > law.within:
            yield together
            together = []
        together.append(pair)
    if together:
        yield together


def _met_at(pair: _Pair) -> datetime:
    return max(pair[0].observed_at, pair[1].observed_at)


def _phosphatase(case: DosingCase, beside: Sequence[UlnResult]) -> list[str]:
    """Return the highest of *beside* in words, and how many there are."""
    known = [one for one in beside if one.value_range is not None and one.uln]
    if not known:
        return [f"{one.words}, on {case.describe_day(one.observed_at)}" for one in beside[:1]]
    highest = max(known, key=_multiple)
    number = f", the highest of {len(beside)} in the same span" if len(beside) > 1 else ""
    return [f"{highest.words}, on {case.describe_day(highest.observed_at)}{number}"]


def _multiple(one: UlnResult) -> Decimal:
    return one.value_range.low.number / one.uln if one.value_range and one.uln else Decimal(0)


def _finding(case: DosingCase, pairs: Sequence[_Pair], law: HysLaw, since: datetime) -> Advice:
    enzyme, bilirubin, answer = max(pairs, key=lambda pair: _LEVEL[pair[2]])
    beside = _in_span(enzyme, bilirubin, case.find_results(ALP), law, since)
    facts = (enzyme, bilirubin, *beside)
    over = ((enzyme, law.aminotransferase_over), (bilirubin, law.bilirubin_over))
    words = [
        f"{one.words}, more than {multiple} x ULN, on {case.describe_day(one.observed_at)}"
        for one, multiple in over
    ]
    words += _phosphatase(case, beside)
    missing = () if answer == "met" else ("ALP below the limit in the same span",)
    return make_advice(
        case,
        AdviceKind.HYS_LAW,
        "hys_law",
        _met_at(pairs[0]),
        level=_LEVEL[answer],
        says=_SAYS[answer],
        because=tuple(words),
        then=("look for another cause (hepatitis, GVHD, obstruction, other drugs)",),
        missing=missing,
        provisional=any(one.provisional for one in facts),
        facts=tuple(dict.fromkeys(one.fact for one in facts)),
    )
