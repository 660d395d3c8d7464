"""What is true at the bedside at one instant: readings carried forward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.facts.drugs import DrugExposures
from services.vocabulary.fact import Fact, Observation
from services.vocabulary.grade import Grade, Input
from services.vocabulary.measure import PlausibleRange
from services.vocabulary.protocol import Inducer, Protocol
from services.vocabulary.quantity import Censoring, Quantity

_UPPER = frozenset({Censoring.LESS_THAN, Censoring.AT_MOST})
_LOWER = frozenset({Censoring.MORE_THAN, Censoring.AT_LEAST})


@dataclass(frozen=True, slots=True)
class BedsideContext:
    """What a syndrome needs to know of the participant beside its own facts."""

    graft_at: datetime | None = None
    donor: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class SignGrade:
    """How severe one part of a syndrome is: a grade's ends, why, and from which facts.

    *missing* names what would make the ends meet.
    """

    at_least: Grade
    at_most: Grade
    because: str = ""
    missing: tuple[Input, ...] = ()
    facts: tuple[Fact, ...] = ()


NOT_AFFECTED = SignGrade(Grade.NONE, Grade.NONE)

ChartedReadings = Mapping[str, Fact]


SeverityRank = Callable[[Observation], Decimal | int | None]


def chart_readings(
    before: ChartedReadings, facts: Sequence[Fact], measures: frozenset[str], severity: SeverityRank
) -> ChartedReadings:
    """Return the last reading of each of *measures*; of one instant, the worst.

    Args:
        before: The readings so far.
        facts: Of one instant, in any order.
        measures: That are read.
        severity: How bad a reading is beside others of its measure; None: it cannot be read.
    """

    def how_bad(fact: Fact) -> tuple[bool, Decimal | int, str]:
        found = severity(fact.body) if isinstance(fact.body, Observation) else None
        return found is not None, found or 0, fact.id

    new: dict[str, Fact] = {}
    for fact in facts:
        body = fact.body
        if isinstance(body, Observation) and body.measure in measures:
            other = new.get(body.measure)
            new[body.measure] = fact if other is None else max(fact, other, key=how_bad)
    return {**before, **new} if new else before


def read_number(body: Observation, unit: str) -> Decimal | None:
    """Return the value of a reading in *unit*; None when it is a bound, or has another unit."""
    if body.value is None or body.value.censoring is not None:
        return None
    compared = rescale_quantity(body.value, unit)
    return None if compared is None else compared.value


def find_current_reading(
    readings: ChartedReadings, measure: str, at: datetime, stays: timedelta
) -> Fact | None:
    """Return the last reading of *measure*; None when there is none, or it is older than *stays*.

    At exactly *stays* it is still true.
    """
    found = readings.get(measure)
    return None if found is None or at - found.observed_at > stays else found


def reaches_limit(
    fact: Fact, limit: Quantity, plausible: PlausibleRange | None = None
) -> bool | None:
    """Say whether a reading is *limit* or more.

    None: its unit or its bound leaves it open, or it is a number that cannot be.

    Args:
        fact: The reading.
        limit: In the unit of *plausible*.
        plausible: What the number can be: another is a slip of the pen; None: any.
    """
    if not isinstance(fact.body, Observation) or fact.body.value is None:
        return None
    compared = rescale_quantity(fact.body.value, limit.unit)
    if compared is None or (plausible is not None and not plausible.contains(compared.value)):
        return None
    if compared.censoring in _UPPER:
        below = compared.value < limit.value or (
            compared.value == limit.value and compared.censoring is Censoring.LESS_THAN
        )
        return False if below else None
    if compared.censoring in _LOWER:
        return True if compared.value >= limit.value else None
    return compared.value >= limit.value


def may_be_induced(
    inducers: Sequence[Inducer], drugs: DrugExposures, context: BedsideContext, at: datetime
) -> bool:
    """Say whether *at* lies where something may cause the syndrome."""
    return any(_may_induce(inducer, drugs, context, at) for inducer in inducers)


def _may_induce(
    inducer: Inducer, drugs: DrugExposures, context: BedsideContext, at: datetime
) -> bool:
    if inducer.graft_days is not None:
        return _near_graft(inducer, inducer.graft_days, context, at)
    if inducer.drug in drugs.running_drugs:
        return True
    given = drugs.last_doses.get(inducer.drug)
    ends = [drugs.stop_times.get(inducer.drug), given.observed_at if given else None]
    return any(end is not None and at - end <= inducer.after_stop for end in ends)


def _near_graft(
    inducer: Inducer, days: tuple[int, int], context: BedsideContext, at: datetime
) -> bool:
    if context.graft_at is None or context.donor not in inducer.donors:
        return False
    zone = ZoneInfo(context.timezone)
    graft = context.graft_at.astimezone(zone).date()
    return days[0] <= (at.astimezone(zone).date() - graft).days <= days[1]


def is_inducer(drug: str, protocol: Protocol) -> bool:
    """Say whether *drug* is one that may cause a syndrome."""
    return any(inducer.drug == drug for inducer in protocol.inducers)


def find_worst_grade(levels: Sequence[SignGrade]) -> SignGrade:
    """Return the worst of *levels* at each end; it is because of the one whose lower end leads."""
    lead = max(levels, key=lambda level: (level.at_least, level.at_most))
    at_most = max(level.at_most for level in levels)
    missing = {name for level in levels if level.at_most > lead.at_least for name in level.missing}
    facts = {fact.id: fact for level in levels if level.at_least for fact in level.facts}
    return SignGrade(
        lead.at_least, at_most, lead.because, tuple(sorted(missing)), tuple(facts.values())
    )
