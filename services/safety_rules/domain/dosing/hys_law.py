"""Hy's law: aminotransferase and bilirubin high together, without cholestasis.

Source: FDA, Drug-Induced Liver Injury: Premarketing Clinical Evaluation, 2009; what it leaves
open: docs/decisions/dose.md
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from services.safety_rules.domain.dosing.case import Advised, Case, advice
from services.safety_rules.domain.dosing.multiples_of_uln import Result
from services.safety_rules.domain.dosing.results import Results
from services.vocabulary.dosing import HysLaw
from services.vocabulary.recommendation import Advice, AdviceKind

AMINOTRANSFERASES = ("alt", "ast")
BILIRUBIN, ALP = "bilirubin", "alp"
MEASURES = frozenset({*AMINOTRANSFERASES, BILIRUBIN, ALP})

_Answer = Literal["met", "suspected", "no"]
_LEVEL: dict[_Answer, int] = {"no": 0, "suspected": 1, "met": 2}
_SAYS = {"met": "Hy's law: its biochemical criteria are met", "suspected": "Hy's law suspected"}


def of_liver(case: Case) -> Iterator[Advised]:
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
        yield Advised(_finding(case, together, law, first))


_Pair = tuple[Result, Result, _Answer]


def _pairs(case: Case, law: HysLaw, since: datetime) -> Iterator[tuple[Result, Result]]:
    bilirubins = case.results_of(BILIRUBIN).over(law.bilirubin_over, since)
    for measure in AMINOTRANSFERASES if bilirubins else ():
        for enzyme in case.results_of(measure).over(law.aminotransferase_over, since):
            first = bisect_left(bilirubins, enzyme.at - law.within, key=_seen_at)
            last = bisect_right(bilirubins, enzyme.at + law.within, key=_seen_at)
            for bilirubin in bilirubins[first:last]:
                yield enzyme, bilirubin


def _seen_at(result: Result) -> datetime:
    return result.at


def _answer(case: Case, enzyme: Result, bilirubin: Result, since: datetime) -> _Answer:
    """Say what the alkaline phosphatase of the same span makes of a pair.

    All below the limit: met. All at or above it: no. None known, or some of each: suspected.
    """
    law, phosphatase = case.protocol.hys_law, case.results_of(ALP)
    if law is None:
        return "no"
    beside = _in_span(enzyme, bilirubin, phosphatase, law, since)
    below = {phosphatase.is_below(one, law.alp_below) for one in beside}
    known = below - {None}
    if known == {True}:
        return "met"
    return "no" if known == {False} and None not in below else "suspected"


def _in_span(
    enzyme: Result, bilirubin: Result, phosphatase: Results, law: HysLaw, since: datetime
) -> Sequence[Result]:
    """Return what lies in one span of the law's length with both, from *since* on."""
    first, last = min(enzyme.at, bilirubin.at), max(enzyme.at, bilirubin.at)
    return phosphatase.between(max(since, last - law.within), first + law.within)


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
    return max(pair[0].at, pair[1].at)


def _phosphatase(case: Case, beside: Sequence[Result]) -> list[str]:
    """Return the highest of *beside* in words, and how many there are."""
    known = [one for one in beside if one.lies is not None and one.uln]
    if not known:
        return [f"{one.words}, on {case.treatment_day(one.at)}" for one in beside[:1]]
    highest = max(known, key=_multiple)
    number = f", the highest of {len(beside)} in the same span" if len(beside) > 1 else ""
    return [f"{highest.words}, on {case.treatment_day(highest.at)}{number}"]


def _multiple(one: Result) -> Decimal:
    return one.lies.low.number / one.uln if one.lies and one.uln else Decimal(0)


def _finding(case: Case, pairs: Sequence[_Pair], law: HysLaw, since: datetime) -> Advice:
    enzyme, bilirubin, answer = max(pairs, key=lambda pair: _LEVEL[pair[2]])
    beside = _in_span(enzyme, bilirubin, case.results_of(ALP), law, since)
    facts = (enzyme, bilirubin, *beside)
    over = ((enzyme, law.aminotransferase_over), (bilirubin, law.bilirubin_over))
    words = [
        f"{one.words}, more than {multiple} x ULN, on {case.treatment_day(one.at)}"
        for one, multiple in over
    ]
    words += _phosphatase(case, beside)
    missing = () if answer == "met" else ("ALP below the limit in the same span",)
    return advice(
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
