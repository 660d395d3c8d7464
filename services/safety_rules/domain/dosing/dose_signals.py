"""Recommendations for the infusion from results and seizures, whatever the grade of a record.

Source: blinatumomab US prescribing information, 2.4; docs/decisions/dose.md
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.safety_rules.domain.dosing.case import DosingCase, TimedAdvice, make_advice
from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.dosing import DoseAction, DoseRule
from services.vocabulary.episode import EpisodeState
from services.vocabulary.fact import Fact
from services.vocabulary.recommendation import AdviceKind

_SEIZURE = ".seizure"


def advise_on_signals(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield the recommendations for multiples of ULN and for repeated seizures."""
    if case.protocol.dosing is None:
        return
    for name, rule in case.protocol.dosing.rules.items():
        if rule.over_uln:
            yield from _advise_on_multiples(case, name, rule)
        if rule.more_seizures_than is not None:
            yield from _advise_on_seizures(case, name, rule, rule.more_seizures_than)


@dataclass(slots=True)
class _Stretch:
    """The time from the first result over its limit to the first after which none is."""

    start: datetime
    end: datetime | None = None
    results: list[UlnResult] = field(default_factory=list)


def _advise_on_multiples(case: DosingCase, name: str, rule: DoseRule) -> Iterator[TimedAdvice]:
    first_dose_at = case.anchors.first_infusion_at
    if first_dose_at is None:
        return
    limit_changes = (
        one
        for measure, multiple in rule.over_uln.items()
        for one in case.find_results(measure).list_limit_changes(multiple, first_dose_at)
    )
    stretches = _list_stretches(sorted(limit_changes, key=_time_order), rule)
    for stretch in stretches:
        because = (
            f"{one.words}, more than {rule.over_uln[one.measure]} x ULN on"
            f" {case.describe_day(one.observed_at)}"
            for one in _take_first_of_each_measure(stretch.results)
        )
        yield TimedAdvice(
            make_advice(
                case,
                AdviceKind.DOSE,
                name,
                stretch.start,
                level=rule.do.level,
                says=f"{rule.do} {case.protocol.study_drug}",
                until=stretch.end,
                because=tuple(because),
                provisional=any(one.provisional for one in stretch.results),
                facts=tuple(one.fact for one in stretch.results),
            )
        )
    if all(stretch.end for stretch in stretches):
        yield from _advise_on_unknown_multiples(case, name, rule, first_dose_at)


def _list_stretches(results: Sequence[UlnResult], rule: DoseRule) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    measures_over: set[str] = set()
    for result in results:
        is_over = result.is_over(rule.over_uln[result.measure])
        if is_over:
            if not measures_over:
                stretches.append(_Stretch(result.observed_at))
            measures_over.add(result.measure)
            stretches[-1].results.append(result)
        elif is_over is False and measures_over:
            measures_over.discard(result.measure)
            if not measures_over:
                stretches[-1].end = result.observed_at
    return stretches


def _advise_on_unknown_multiples(
    case: DosingCase, name: str, rule: DoseRule, start: datetime
) -> Iterator[TimedAdvice]:
    """Yield one recommendation that is not certain, when the last results leave it open."""
    series = (case.find_results(measure) for measure in rule.over_uln)
    series_in_order = sorted(
        ((first, results) for results in series if (first := results.find_first(start))),
        key=lambda one: _time_order(one[0]),
    )
    unknown = [
        one
        for _, results in series_in_order
        for one in results.list_last(start)
        if one.is_over(rule.over_uln[one.measure]) is None
    ]
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


def _time_order(result: UlnResult) -> tuple[datetime, str, str]:
    return result.observed_at, result.measure, result.fact


def _take_first_of_each_measure(results: Sequence[UlnResult]) -> list[UlnResult]:
    return list({one.measure: one for one in reversed(results)}.values())[::-1]


def _advise_on_seizures(
    case: DosingCase, name: str, rule: DoseRule, most_allowed: int
) -> Iterator[TimedAdvice]:
    seizures = _list_distinct_seizures(case, rule)
    if len(seizures) <= most_allowed:
        return
    days = ", ".join(case.describe_day(at) for at, _ in seizures)
    yield TimedAdvice(
        make_advice(
            case,
            AdviceKind.DOSE,
            name,
            seizures[most_allowed][0],
            level=rule.do.level,
            says=f"{rule.do} {case.protocol.study_drug}",
            because=(f"{len(seizures)} seizures: {days}",),
            facts=tuple(fact for _, fact in seizures if fact),
        )
    )


def _list_distinct_seizures(case: DosingCase, rule: DoseRule) -> list[tuple[datetime, str]]:
    """Return the instant of each seizure since the first dose, and its fact.

    Charted again without a "none" in between it is the same one; so is a clinician's record of a
    seizure that was charted within the time that the protocol names.
    """
    first_dose_at = case.anchors.first_infusion_at
    seizures: list[tuple[datetime, str]] = []
    lasts = False
    for fact in case.seizures:
        seizes = _is_seizure(fact)
        if seizes and not lasts and first_dose_at is not None and fact.observed_at >= first_dose_at:
            seizures.append((fact.observed_at, fact.id))
        lasts = seizes
    charted_instants = [at for at, _ in seizures]
    for record in case.records:
        counts = record.state is not EpisodeState.REJECTED and not record.before_exposure
        if not counts or record.possible or not record.criterion.endswith(_SEIZURE):
            continue
        if all(abs(record.onset_at - at) > rule.seizures_apart for at in charted_instants):
            seizures.append((record.onset_at, ""))
    return sorted(seizures)


def _is_seizure(fact: Fact) -> bool:
    return isinstance(fact.body, Observation) and fact.body.text not in ("", "none")
