"""What results and seizures ask of the infusion, whatever a record's grade is.

Source: blinatumomab US prescribing information, 2.4; docs/decisions/dose.md
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.safety_rules.domain.dosing.case import DosingCase, TimedAdvice, make_advice
from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult
from services.vocabulary.dosing import DoseAction, DoseRule
from services.vocabulary.episode import EpisodeState
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.recommendation import AdviceKind

_SEIZURE = ".seizure"


def advise_on_signals(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield what multiples of ULN and repeated seizures ask for."""
    if case.protocol.dosing is None:
        return
    for name, rule in case.protocol.dosing.rules.items():
        if rule.over_uln:
            yield from _of_multiples(case, name, rule)
        if rule.more_seizures_than is not None:
            yield from _of_seizures(case, name, rule, rule.more_seizures_than)


@dataclass(slots=True)
class _Stretch:
    """From the first result over its limit to the first after which none is."""

    since: datetime
    until: datetime | None = None
    over: list[UlnResult] = field(default_factory=list)


def _of_multiples(case: DosingCase, name: str, rule: DoseRule) -> Iterator[TimedAdvice]:
    first = case.anchors.first_infusion_at
    if first is None:
        return
    telling = (
        one
        for measure, multiple in rule.over_uln.items()
        for one in case.find_results(measure).list_limit_changes(multiple, first)
    )
    stretches = _stretches(sorted(telling, key=_in_order), rule)
    for stretch in stretches:
        because = (
            f"{one.words}, more than {rule.over_uln[one.measure]} x ULN on"
            f" {case.describe_day(one.observed_at)}"
            for one in _first_of_each(stretch.over)
        )
        yield TimedAdvice(
            make_advice(
                case,
                AdviceKind.DOSE,
                name,
                stretch.since,
                level=rule.do.level,
                says=f"{rule.do} {case.protocol.study_drug}",
                until=stretch.until,
                because=tuple(because),
                provisional=any(one.provisional for one in stretch.over),
                facts=tuple(one.fact for one in stretch.over),
            )
        )
    if all(stretch.until for stretch in stretches):
        yield from _perhaps(case, name, rule, first)


def _stretches(results: Sequence[UlnResult], rule: DoseRule) -> list[_Stretch]:
    found: list[_Stretch] = []
    over: set[str] = set()
    for one in results:
        is_over = one.is_over(rule.over_uln[one.measure])
        if is_over:
            if not over:
                found.append(_Stretch(one.observed_at))
            over.add(one.measure)
            found[-1].over.append(one)
        elif is_over is False and over:
            over.discard(one.measure)
            if not over:
                found[-1].until = one.observed_at
    return found


def _perhaps(case: DosingCase, name: str, rule: DoseRule, since: datetime) -> Iterator[TimedAdvice]:
    """Yield one recommendation that is not certain, when the last results leave it open."""
    measured = (case.find_results(measure) for measure in rule.over_uln)
    begun = sorted(
        ((first, results) for results in measured if (first := results.find_first(since))),
        key=lambda one: _in_order(one[0]),
    )
    last = [one for _, results in begun if (one := results.find_last(since))]
    unknown = [one for one in last if one.is_over(rule.over_uln[one.measure]) is None]
    if unknown:
        yield TimedAdvice(
            make_advice(
                case,
                AdviceKind.DOSE,
                name,
                min(one.observed_at for one in unknown),
                level=DoseAction.NONE.level,
                says="nothing is certain yet",
                because=tuple(one.words for one in unknown),
                missing=tuple(sorted({word for one in unknown for word in one.missing})),
                may_be=f"{rule.do} {case.protocol.study_drug}",
                facts=tuple(one.fact for one in unknown),
            )
        )


def _in_order(one: UlnResult) -> tuple[datetime, str, str]:
    return one.observed_at, one.measure, one.fact


def _first_of_each(results: Sequence[UlnResult]) -> list[UlnResult]:
    return list({one.measure: one for one in reversed(results)}.values())[::-1]


def _of_seizures(
    case: DosingCase, name: str, rule: DoseRule, allowed: int
) -> Iterator[TimedAdvice]:
    seizures = _distinct(case, rule)
    if len(seizures) <= allowed:
        return
    days = ", ".join(case.describe_day(at) for at, _ in seizures)
    yield TimedAdvice(
        make_advice(
            case,
            AdviceKind.DOSE,
            name,
            seizures[allowed][0],
            level=rule.do.level,
            says=f"{rule.do} {case.protocol.study_drug}",
            because=(f"{len(seizures)} seizures: {days}",),
            facts=tuple(fact for _, fact in seizures if fact),
        )
    )


def _distinct(case: DosingCase, rule: DoseRule) -> list[tuple[datetime, str]]:
    """Return when each seizure since the first dose was, and the fact that says so.

    Charted again without a "none" in between it is the same one; so is a clinician's record of a
    seizure that was charted within the time that the protocol names.
    """
    first = case.anchors.first_infusion_at
    found: list[tuple[datetime, str]] = []
    lasts = False
    for fact in case.seizures:
        seizes = _seizes(fact)
        if seizes and not lasts and first is not None and fact.observed_at >= first:
            found.append((fact.observed_at, fact.id))
        lasts = seizes
    charted = [at for at, _ in found]
    for record in case.records:
        counts = record.state is not EpisodeState.REJECTED and not record.before_exposure
        if not counts or record.possible or not record.criterion.endswith(_SEIZURE):
            continue
        if all(abs(record.onset_at - at) > rule.apart for at in charted):
            found.append((record.onset_at, ""))
    return sorted(found)


def _seizes(fact: Fact) -> bool:
    return isinstance(fact.body, Observation) and fact.body.text not in ("", "none")
