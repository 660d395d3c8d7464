"""Bedside readings at one instant, carried forward from the last ones charted."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.facts.drugs import DrugExposures
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.episode import Span
from services.vocabulary.fact import Body, Fact
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import PlausibleRange
from services.vocabulary.protocol import Inducer, Protocol
from services.vocabulary.quantity import Censoring, Quantity

AS_BEFORE = "as before the study drug"  # why a sign is no new one

UPPER_BOUNDS = frozenset({Censoring.LESS_THAN, Censoring.AT_MOST})
LOWER_BOUNDS = frozenset({Censoring.MORE_THAN, Censoring.AT_LEAST})


@dataclass(frozen=True, slots=True)
class BedsideContext:
    """The graft and the site's time zone: the context in which bedside facts are graded."""

    graft_at: datetime | None = None
    donor: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class SignGrade:
    """The grade of one sign of a syndrome: its ends, its reason and its facts.

    **missing* names the inputs that would make the ends meet.
    """

    at_least: Grade
    at_most: Grade
    because: str = ""
    missing: tuple[Input, ...] = ()
    facts: tuple[Fact, ...] = ()

    @property
    def span(self) -> Span:
        """Both ends of the grade."""
        return Span(self.at_least, self.at_most)


NOT_AFFECTED = SignGrade(Grade.NONE, Grade.NONE)

ChartedReadings = Mapping[str, Fact]


SeverityRank = Callable[[Observation], Decimal | int | None]


def chart_readings(
    readings: ChartedReadings,
    facts: Sequence[Fact],
    measures: frozenset[str],
    severity: SeverityRank,
) -> ChartedReadings:
    """Return the last reading of each of *measures*; of one instant, the worst.

    Args:
        readings: The readings so far.
        facts: Of one instant, in any order.
        measures: Those to chart.
        severity: Ranks a reading among others of its measure; None: it cannot be read.
    """

    def rank_fact(fact: Fact) -> tuple[bool, Decimal | int, str]:
        rank = severity(fact.body) if isinstance(fact.body, Observation) else None
        return rank is not None, rank or 0, fact.id

    facts_by_measure: dict[str, list[Fact]] = {}
    for fact in facts:
        body = fact.body
        if isinstance(body, Observation) and body.measure in measures:
            facts_by_measure.setdefault(body.measure, []).append(fact)
    worst_facts = {
        measure: some[0] if len(some) == 1 else max(some, key=rank_fact)
        for measure, some in facts_by_measure.items()
    }
    return {**readings, **worst_facts} if worst_facts else readings


def read_number(body: Body, unit: str, plausible: PlausibleRange) -> Decimal | None:
    """Return the value of a reading in *unit*.

    None: it is a bound or implausible, has another unit, or *body* is no reading.
    """
    value = body.value if isinstance(body, Observation) else None
    if value is None or value.censoring is not None:
        return None
    reading = rescale_quantity(value, unit)
    return reading.value if reading is not None and plausible.contains(reading.value) else None


def find_current_reading(
    readings: ChartedReadings, measure: str, instant: datetime, stays: timedelta
) -> Fact | None:
    """Return the last reading of *measure*; None when there is none, or it is older than *stays*.

    At exactly *stays* it is still current.
    """
    fact = readings.get(measure)
    return None if fact is None or instant - fact.observed_at > stays else fact


def reaches_limit(fact: Fact, limit: Quantity, plausible: PlausibleRange) -> bool | None:
    """Return True when a reading is *limit* or more.

    None: its unit or its bound leaves it open, or the number is implausible.

    Args:
        fact: The reading.
        limit: In the unit of *plausible*.
        plausible: Plausible numbers: another is a slip of the pen.
    """
    if not isinstance(fact.body, Observation) or fact.body.value is None:
        return None
    reading = rescale_quantity(fact.body.value, limit.unit)
    if reading is None or not plausible.contains(reading.value):
        return None
    if reading.censoring in UPPER_BOUNDS:
        is_below = reading.value < limit.value or (
            reading.value == limit.value and reading.censoring is Censoring.LESS_THAN
        )
        return False if is_below else None
    if reading.censoring in LOWER_BOUNDS:
        return True if reading.value >= limit.value else None
    return reading.value >= limit.value


def may_be_induced(
    inducers: Sequence[Inducer], drugs: DrugExposures, context: BedsideContext, instant: datetime
) -> bool:
    """Return True when something may cause the syndrome at *instant*."""
    return any(_may_induce(inducer, drugs, context, instant) for inducer in inducers)


def was_drug_given(inducers: Sequence[Inducer], drugs: DrugExposures) -> bool:
    """Return True when a drug that may cause a syndrome was given, however long ago."""
    exposures = (drugs.running_drugs, drugs.last_doses, drugs.stop_times)
    return any(inducer.drug in given for inducer in inducers for given in exposures)


class ExposurePhase(StrEnum):
    """Where an instant lies: what is charted before exposure is usual for the participant."""

    BEFORE = "before"
    BEGINS = "begins"
    GOES_ON = "goes on"


def find_exposure_phase(
    protocol: Protocol,
    context: BedsideContext,
    previous_drugs: DrugExposures,
    drugs: DrugExposures,
    instant: datetime,
) -> ExposurePhase:
    """Return the phase of *instant*: exposed is who got the study drug, or on whom a cause acts.

    Args:
        protocol: The study's.
        context: The graft and the site.
        previous_drugs: Running and given before *instant*.
        drugs: The same, with those of *instant*.
        instant: The instant.
    """

    def is_exposed(given_drugs: DrugExposures) -> bool:
        exposures = (given_drugs.running_drugs, given_drugs.last_doses, given_drugs.stop_times)
        return any(protocol.study_drug in one for one in exposures) or may_be_induced(
            protocol.inducers, given_drugs, context, instant
        )

    if not is_exposed(drugs):
        return ExposurePhase.BEFORE
    return ExposurePhase.GOES_ON if is_exposed(previous_drugs) else ExposurePhase.BEGINS


def add_earlier_readings(
    earlier_readings: tuple[Fact, ...],
    facts: Sequence[Fact],
    measures: frozenset[str],
    instant: datetime,
    period: timedelta,
) -> tuple[Fact, ...]:
    """Return the readings of *measures* within *period* before *instant*, that instant included."""
    recent_readings = select_recent_readings(earlier_readings, instant, period)
    new_readings = (
        fact
        for fact in facts
        if isinstance(fact.body, Observation) and fact.body.measure in measures
    )
    return (*recent_readings, *new_readings)


def select_recent_readings(
    earlier_readings: tuple[Fact, ...], instant: datetime, period: timedelta
) -> tuple[Fact, ...]:
    """Return those of *earlier_readings*, in time order, within *period* before *instant*."""
    first = bisect_left(earlier_readings, instant - period, key=_observed_at)
    return earlier_readings[first:]


def _observed_at(fact: Fact) -> datetime:
    return fact.observed_at


def _may_induce(
    inducer: Inducer, drugs: DrugExposures, context: BedsideContext, instant: datetime
) -> bool:
    if inducer.graft_days is not None:
        return _near_graft(inducer, inducer.graft_days, context, instant)
    if inducer.drug in drugs.running_drugs:
        return True
    last_dose = drugs.last_doses.get(inducer.drug)
    ends = [drugs.stop_times.get(inducer.drug), last_dose.observed_at if last_dose else None]
    return any(end is not None and instant - end <= inducer.after_stop for end in ends)


def _near_graft(
    inducer: Inducer, days: tuple[int, int], context: BedsideContext, instant: datetime
) -> bool:
    if context.graft_at is None or context.donor not in inducer.donors:
        return False
    zone = ZoneInfo(context.timezone)
    graft = context.graft_at.astimezone(zone).date()
    return days[0] <= (instant.astimezone(zone).date() - graft).days <= days[1]


def is_inducer(drug: str, protocol: Protocol) -> bool:
    """Return True when *drug* may cause a syndrome."""
    return any(inducer.drug == drug for inducer in protocol.inducers)


def find_worst_grade(levels: Sequence[SignGrade]) -> SignGrade:
    """Return the worst of *levels* at each end; the one whose lower end leads gives the reason."""
    lead = max(levels, key=lambda level: (level.at_least, level.at_most))
    at_most = max(level.at_most for level in levels)
    missing = {name for level in levels if level.at_most > lead.at_least for name in level.missing}
    facts = {fact.id: fact for level in levels if level.at_most for fact in level.facts}
    return SignGrade(
        lead.at_least, at_most, lead.because, tuple(sorted(missing)), tuple(facts.values())
    )
