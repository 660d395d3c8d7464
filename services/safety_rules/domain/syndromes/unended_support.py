"""Support whose end nobody charted: vasopressors that run, and oxygen devices in use.

After a discharge, or after the protocol's hours without anything charted of it, nobody knows
whether it goes on. See docs/decisions/bedside.md, "Support without an end"
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.syndromes.bedside import (
    ChartedReadings,
    SignGrade,
    chart_readings,
)
from services.safety_rules.domain.syndromes.hypotension import list_running_pressors
from services.safety_rules.domain.syndromes.hypoxia import (
    NO_HYPOXIA,
    OXYGEN_MEASURES,
    find_device_name,
    find_last_charting,
)
from services.safety_rules.domain.syndromes.vital_signs import rank_severity
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Input
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Bedside

_TICK = timedelta(microseconds=1)  # the resolution of an instant


@dataclass(frozen=True, slots=True)
class UnendedSupport:
    """Support without a charted end.

    Args:
        name: Of the drug or the device.
        fact: The last that was charted of it.
        is_discharged: The participant was discharged with it; else nothing of it was charted since.
    """

    name: str
    fact: Fact
    is_discharged: bool


def is_discharge(fact: Fact) -> bool:
    """Return True when *fact* is a discharge from hospital."""
    return (
        isinstance(fact.body, Movement) and fact.body.to == "discharge" and not fact.body.cancelled
    )


def has_lapsed(fact: Fact, instant: datetime, stays: timedelta) -> bool:
    """Return True when *fact*, the last of a support, is too old to say that it goes on.

    At exactly *stays* it still does.
    """
    return instant - fact.observed_at > stays


def widen_grade(level: SignGrade, level_with_support: SignGrade) -> SignGrade:
    """Return the grade between *level*, without a support, and that with it: nobody knows."""
    if level_with_support.at_most <= level.at_most:
        return level
    return SignGrade(
        level.at_least,
        level_with_support.at_most,
        f"{level_with_support.because}, without a charted end",
        tuple(sorted({*level.missing, Input.SUPPORT_END})),
        level_with_support.facts,
    )


def list_unended_supports(
    facts: Iterable[Fact], limits: Bedside, measures: Mapping[str, Measure], as_of: datetime
) -> Iterator[UnendedSupport]:
    """Yield every support among *facts*, in time order, that has no charted end by *as_of*."""
    discharged_supports, open_supports = _follow_supports(facts, limits, measures, as_of)
    yield from discharged_supports
    for name, fact in open_supports:
        if has_lapsed(fact, as_of, limits.support_stays):
            yield UnendedSupport(name, fact, is_discharged=False)


def find_next_lapse(
    facts: Iterable[Fact], limits: Bedside, measures: Mapping[str, Measure], as_of: datetime
) -> datetime | None:
    """Return the first instant after *as_of* at which a support among *facts* has lapsed.

    None: none goes on. Arguments as of `list_unended_supports`.
    """
    _, open_supports = _follow_supports(facts, limits, measures, as_of)
    lapses = [fact.observed_at + limits.support_stays + _TICK for _, fact in open_supports]
    return min((lapse for lapse in lapses if lapse > as_of), default=None)


def _follow_supports(
    facts: Iterable[Fact], limits: Bedside, measures: Mapping[str, Measure], as_of: datetime
) -> tuple[list[UnendedSupport], list[tuple[str, Fact]]]:
    """Return the supports at discharges, and those that go on with their last charting."""
    drugs, rank = DrugExposures(), partial(rank_severity, measures=measures)
    readings: ChartedReadings = {}
    discharged_supports: list[UnendedSupport] = []
    for instant, group in groupby(facts, key=_observed_at):
        if instant > as_of:
            break
        simultaneous_facts = tuple(group)
        drugs = drugs.apply_administrations(simultaneous_facts)
        readings = chart_readings(readings, simultaneous_facts, OXYGEN_MEASURES, rank)
        if any(is_discharge(fact) for fact in simultaneous_facts):
            discharged_supports += [
                UnendedSupport(name, fact, is_discharged=True)
                for name, fact in _list_supports(drugs, readings, limits)
            ]
            drugs, readings = DrugExposures(), {}
    return discharged_supports, [*_list_supports(drugs, readings, limits)]


def _list_supports(
    drugs: DrugExposures, readings: ChartedReadings, limits: Bedside
) -> Iterator[tuple[str, Fact]]:
    """Yield each support that goes on, with the last that was charted of it."""
    yield from list_running_pressors(drugs, limits).items()
    device, last_fact = find_device_name(readings), find_last_charting(readings)
    if device and device not in NO_HYPOXIA and last_fact is not None:
        yield device, last_fact


def _observed_at(fact: Fact) -> datetime:
    return fact.observed_at
