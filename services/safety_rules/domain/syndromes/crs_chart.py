"""The facts charted of a participant, as cytokine release syndrome reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.syndromes.bedside import (
    BedsideContext,
    ChartedReadings,
    ExposurePhase,
    add_earlier_readings,
    chart_readings,
    find_current_reading,
    find_exposure_phase,
    select_recent_readings,
)
from services.safety_rules.domain.syndromes.crs_baseline import (
    BASELINE_MEASURES,
    CrsBaseline,
    summarize_baseline,
)
from services.safety_rules.domain.syndromes.crs_course import CrsSigns
from services.safety_rules.domain.syndromes.hypotension import grade_hypotension
from services.safety_rules.domain.syndromes.hypoxia import grade_hypoxia
from services.safety_rules.domain.syndromes.vital_signs import (
    MEASURES,
    PRESSURE_UNIT,
    has_fever,
    rank_severity,
)
from services.vocabulary.clinical_fact import Administration
from services.vocabulary.fact import Fact
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol


@dataclass(frozen=True, slots=True)
class CrsChart:
    """Readings and drugs up to an instant, and what was usual before exposure.

    Args:
        protocol: The study's.
        measures: By name.
        context: The graft and the site.
        readings: Last of each measure.
        drugs: Running and given.
        earlier_readings: Of pressure and oxygen before exposure, as far back as a baseline reads.
        baseline: Before exposure; None: it has not begun.
        masked_until: When the last antipyretic stops hiding a fever.
        is_fever_masked: An antipyretic could hide a fever when the temperature was last taken.
    """

    protocol: Protocol
    measures: Mapping[str, Measure]
    context: BedsideContext
    readings: ChartedReadings = field(default_factory=dict)
    drugs: DrugExposures = field(default_factory=DrugExposures)
    earlier_readings: tuple[Fact, ...] = ()
    baseline: CrsBaseline | None = None
    masked_until: datetime | None = None
    is_fever_masked: bool = False


def add_facts(
    chart: CrsChart, instant: datetime, facts: Sequence[Fact], *, is_episode_open: bool
) -> CrsChart:
    """Return *chart* with all *facts* of *instant*.

    What is charted in an episode that is still open is never what was there before.
    """
    limits = chart.protocol.bedside
    administrations = [fact for fact in facts if isinstance(fact.body, Administration)]
    drugs = chart.drugs.apply_administrations(administrations) if administrations else chart.drugs
    rank = partial(rank_severity, measures=chart.measures)
    readings = chart_readings(chart.readings, facts, MEASURES, rank)
    masked_until, is_fever_masked = chart.masked_until, chart.is_fever_masked
    temperature = readings.get("temperature")
    if temperature is not None and temperature.observed_at == instant:
        is_fever_masked = masked_until is not None and instant <= masked_until
    if any(_find_drug_name(fact) in limits.antipyretics for fact in administrations):
        masked_until = instant + limits.antipyretic_masks
    phase = (
        ExposurePhase.GOES_ON
        if is_episode_open
        else find_exposure_phase(chart.protocol, chart.context, chart.drugs, drugs, instant)
    )
    if phase is ExposurePhase.BEFORE:
        chart = _add_earlier_readings(chart, instant, facts)
    elif phase is ExposurePhase.BEGINS or chart.baseline is None:
        chart = _set_baseline(chart, instant)
    return replace(
        chart,
        readings=readings,
        drugs=drugs,
        masked_until=masked_until,
        is_fever_masked=is_fever_masked,
    )


def may_open_episode(chart: CrsChart, instant: datetime) -> bool:
    """Return True when a temperature was taken at *instant* that may be a fever."""
    temperature = chart.readings.get("temperature")
    if temperature is None or temperature.observed_at != instant:
        return False
    return has_fever(temperature, chart.protocol.bedside, chart.measures) is not False


def read_signs(chart: CrsChart, instant: datetime, facts: Sequence[Fact]) -> CrsSigns:
    """Return the three signs at *instant*, after all its *facts* were charted."""
    limits, baseline = chart.protocol.bedside, chart.baseline or CrsBaseline()
    temperature = find_current_reading(chart.readings, "temperature", instant, limits.vitals_stay)
    return CrsSigns(
        instant,
        has_fever(temperature, limits, chart.measures) if temperature else None,
        temperature,
        is_fever_masked=chart.is_fever_masked,
        pressure=grade_hypotension(
            chart.readings,
            chart.drugs,
            baseline,
            instant,
            limits,
            plausible=chart.measures["sbp"].plausible[PRESSURE_UNIT],
        ),
        oxygen=grade_hypoxia(chart.readings, chart.measures, baseline.supports),
        facts=tuple(facts),
    )


def _add_earlier_readings(chart: CrsChart, instant: datetime, facts: Sequence[Fact]) -> CrsChart:
    """Return *chart* with the readings of *facts* among those of before exposure."""
    period = chart.protocol.bedside.baseline_period
    earlier_readings = add_earlier_readings(
        chart.earlier_readings, facts, BASELINE_MEASURES, instant, period
    )
    return replace(chart, earlier_readings=earlier_readings, baseline=None)


def _set_baseline(chart: CrsChart, instant: datetime) -> CrsChart:
    """Return *chart* with the baseline that exposure finds when it begins at *instant*."""
    earlier_readings = select_recent_readings(
        chart.earlier_readings, instant, chart.protocol.bedside.baseline_period
    )
    baseline = summarize_baseline(earlier_readings, chart.measures)
    return replace(chart, earlier_readings=earlier_readings, baseline=baseline)


def _find_drug_name(fact: Fact) -> str:
    return fact.body.drug if isinstance(fact.body, Administration) else ""
