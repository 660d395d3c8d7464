"""The pressure and the oxygen support that a participant had before exposure.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, hypotension and hypoxia;
docs/decisions/bedside.md, "Before exposure"
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from statistics import median

from services.safety_rules.domain.syndromes.bedside import (
    ChartedReadings,
    chart_readings,
    read_number,
)
from services.safety_rules.domain.syndromes.hypoxia import (
    NO_HYPOXIA,
    OXYGEN_MEASURES,
    find_support,
)
from services.safety_rules.domain.syndromes.oxygen_support import OxygenSupport
from services.safety_rules.domain.syndromes.vital_signs import PRESSURE_UNIT, rank_severity
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.measure import Measure

BASELINE_MEASURES = OXYGEN_MEASURES | {"sbp"}
# Support that was charted so far apart is no single night or event.
_ANOTHER_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class CrsBaseline:
    """Pressures and support before exposure.

    Args:
        pressures: Systolic, in mm[Hg], increasing; empty: none was taken.
        supports: By device, the most that was charted.
    """

    pressures: tuple[Decimal, ...] = ()
    supports: Mapping[str, OxygenSupport] = field(default_factory=dict)

    @property
    def usual_pressure(self) -> Decimal | None:
        """The median pressure; None: no more than one was taken, and one may be unusual."""
        return median(self.pressures) if len(self.pressures) > 1 else None


def summarize_baseline(
    earlier_readings: Sequence[Fact], measures: Mapping[str, Measure]
) -> CrsBaseline:
    """Return the baseline that *earlier_readings* show, in time order."""
    plausible = measures["sbp"].plausible[PRESSURE_UNIT]
    pressures = (
        read_number(fact.body, PRESSURE_UNIT, plausible)
        for fact in earlier_readings
        if isinstance(fact.body, Observation) and fact.body.measure == "sbp"
    )
    return CrsBaseline(
        tuple(sorted(one for one in pressures if one is not None)),
        _find_usual_supports(earlier_readings, measures),
    )


def _find_usual_supports(
    earlier_readings: Iterable[Fact], measures: Mapping[str, Measure]
) -> Mapping[str, OxygenSupport]:
    """Return the support in use at the end, and each that was charted half a day apart."""
    readings: ChartedReadings = {}
    supports: dict[str, OxygenSupport] = {}
    charted_at: dict[str, list[datetime]] = {}
    rank = partial(rank_severity, measures=measures)
    device = ""
    for instant, facts in groupby(earlier_readings, key=_observed_at):
        changed_readings = chart_readings(readings, tuple(facts), OXYGEN_MEASURES, rank)
        if changed_readings is readings:
            continue
        readings = changed_readings
        support = find_support(readings, measures)
        device = support.device
        supports[device] = support.find_most(supports.get(device, support))
        charted_at.setdefault(device, []).append(instant)
    return {
        name: support
        for name, support in supports.items()
        if name not in NO_HYPOXIA
        and (name == device or charted_at[name][-1] - charted_at[name][0] >= _ANOTHER_DAY)
    }


def _observed_at(fact: Fact) -> datetime:
    return fact.observed_at
