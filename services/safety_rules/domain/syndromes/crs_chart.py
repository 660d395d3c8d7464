"""The facts charted of a participant, as cytokine release syndrome reads them."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from services.safety_rules.domain.facts.drugs import DrugExposures
from services.safety_rules.domain.syndromes.bedside import (
    NOT_AFFECTED,
    BedsideContext,
    ChartedReadings,
    ExposurePhase,
    SignGrade,
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
from services.safety_rules.domain.syndromes.hypotension import (
    grade_hypotension,
    list_running_pressors,
)
from services.safety_rules.domain.syndromes.hypoxia import find_last_charting, grade_hypoxia
from services.safety_rules.domain.syndromes.unended_support import (
    has_lapsed,
    is_discharge,
    widen_grade,
)
from services.safety_rules.domain.syndromes.vital_signs import (
    MEASURES,
    PRESSURE_UNIT,
    has_fever,
    rank_severity,
)
from services.vocabulary.clinical_fact import Administration
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
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
        discharged_at: The last discharge from hospital.
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
    discharged_at: datetime | None = None
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
    is_discharged = any(is_discharge(fact) for fact in facts)
    return replace(
        chart,
        readings=readings,
        drugs=drugs,
        discharged_at=instant if is_discharged else chart.discharged_at,
        masked_until=masked_until,
        is_fever_masked=is_fever_masked,
    )


def may_open_episode(chart: CrsChart, instant: datetime) -> bool:
    """Return True when a temperature was taken at *instant* that may be a fever."""
    temperature = chart.readings.get("temperature")
    if temperature is None or temperature.observed_at != instant:
        return False
    return has_fever(temperature, chart.protocol.bedside, chart.measures) is not False


def find_current_drugs(chart: CrsChart, instant: datetime) -> DrugExposures:
    """Return the drugs without the vasopressors of which nobody knows whether they still run."""
    return chart.drugs.leave_out(_find_lapsed_pressors(chart, instant))


def read_signs(
    chart: CrsChart, instant: datetime, facts: Sequence[Fact], episode_since: datetime
) -> CrsSigns:
    """Return the three signs at *instant*, after all its *facts* were charted.

    Args:
        chart: With these facts.
        instant: The instant.
        facts: Of the instant.
        episode_since: When the episode began that they are graded for.
    """
    limits = chart.protocol.bedside
    temperature = find_current_reading(chart.readings, "temperature", instant, limits.vitals_stay)
    pressors = list_running_pressors(chart.drugs, limits)
    lapsed_pressors = _find_lapsed_pressors(chart, instant)
    oxygen = grade_hypoxia(
        chart.readings, chart.measures, (chart.baseline or CrsBaseline()).supports
    )
    unended_facts = list(lapsed_pressors.values())
    last_charting = find_last_charting(chart.readings)
    is_on_support = last_charting is not None and oxygen.at_most > Grade.NONE
    if last_charting and is_on_support and _has_lapsed(chart, last_charting, instant):
        is_on_support = False
        unended_facts.append(last_charting)
        oxygen = widen_grade(NOT_AFFECTED, oxygen)
    is_unended = bool(unended_facts) and not is_on_support
    return CrsSigns(
        instant,
        has_fever(temperature, limits, chart.measures) if temperature else None,
        temperature,
        is_fever_masked=chart.is_fever_masked,
        pressure=_grade_pressure_with_doubt(chart, instant, lapsed_pressors, episode_since),
        oxygen=oxygen,
        facts=tuple(facts),
        pressure_alone=_grade_pressure(chart, instant, pressors),
        unended_since=max(fact.observed_at for fact in unended_facts) if is_unended else None,
    )


def _grade_pressure_with_doubt(
    chart: CrsChart, instant: datetime, lapsed_pressors: Mapping[str, Fact], episode_since: datetime
) -> SignGrade:
    """Return the grade without *lapsed_pressors*, or up to that with them.

    Those are over that were discharged with the participant, or had lapsed when the episode began.
    """
    level = _grade_pressure(chart, instant, lapsed_pressors)
    stays = chart.protocol.bedside.support_stays
    pressors_that_are_over = {
        name
        for name, fact in lapsed_pressors.items()
        if _was_discharged_with(chart, fact) or has_lapsed(fact, episode_since, stays)
    }
    if len(pressors_that_are_over) == len(lapsed_pressors):
        return level
    return widen_grade(level, _grade_pressure(chart, instant, pressors_that_are_over))


def _grade_pressure(chart: CrsChart, instant: datetime, ended_drugs: Container[str]) -> SignGrade:
    return grade_hypotension(
        chart.readings,
        chart.drugs.leave_out(ended_drugs),
        chart.baseline or CrsBaseline(),
        instant,
        chart.protocol.bedside,
        plausible=chart.measures["sbp"].plausible[PRESSURE_UNIT],
    )


def _find_lapsed_pressors(chart: CrsChart, instant: datetime) -> Mapping[str, Fact]:
    pressors = list_running_pressors(chart.drugs, chart.protocol.bedside)
    return {name: fact for name, fact in pressors.items() if _has_lapsed(chart, fact, instant)}


def _has_lapsed(chart: CrsChart, fact: Fact, instant: datetime) -> bool:
    """Return True when nobody knows at *instant* whether the support of *fact* goes on."""
    stays = chart.protocol.bedside.support_stays
    return _was_discharged_with(chart, fact) or has_lapsed(fact, instant, stays)


def _was_discharged_with(chart: CrsChart, fact: Fact) -> bool:
    return chart.discharged_at is not None and fact.observed_at <= chart.discharged_at


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
