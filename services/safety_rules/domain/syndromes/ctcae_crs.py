"""CTCAE's own grades of cytokine release syndrome, beside the ASTCT scale.

Source: CTCAE v5.0 and v6.0, Immune system disorders, "Cytokine release syndrome"
"""

from collections.abc import Mapping

from services.safety_rules.domain.syndromes.bedside import ChartedReadings, SignGrade
from services.safety_rules.domain.syndromes.hypoxia import (
    POSITIVE_PRESSURE,
    find_device_name,
    find_inspired_40_percent,
)
from services.vocabulary.episode import Span, find_worst_span
from services.vocabulary.grade import Grade
from services.vocabulary.measure import Measure

CRS_V5, CRS_V6 = "ctcae-5.0.cytokine-release-syndrome", "ctcae-6.0.cytokine-release-syndrome"
_MILDEST = Span(Grade.MILD, Grade.MILD)


def grade_spans(
    hypotension: SignGrade,
    hypoxia: SignGrade,
    readings: ChartedReadings,
    measures: Mapping[str, Measure],
) -> Mapping[str, Span]:
    """Return the grade on both CTCAE scales at an instant of an open episode.

    Args:
        hypotension: On the ASTCT scale.
        hypoxia: The same.
        readings: Last of each measure.
        measures: By name; they bound the inspired oxygen that can be.
    """
    pressure = _grade_pressors(hypotension)
    return {
        CRS_V5: _combine_spans(pressure, _grade_inspired_oxygen(hypoxia, readings, measures)),
        CRS_V6: _combine_spans(pressure, hypoxia.span),
    }


def merge_worst_spans(
    spans: Mapping[str, Span], other_spans: Mapping[str, Span]
) -> Mapping[str, Span]:
    """Return the worst of two instants on each scale."""
    return {scale: _combine_spans(span, spans[scale]) if scale in spans else span
            for scale, span in other_spans.items()}  # fmt: skip


def _grade_pressors(hypotension: SignGrade) -> Span:
    """Return the grade of the pressure: several pressors lie between 3 and "life-threatening"."""
    if hypotension.at_least is Grade.LIFE_THREATENING:
        return Span(Grade.SEVERE, Grade.LIFE_THREATENING)
    return hypotension.span


def _grade_inspired_oxygen(
    hypoxia: SignGrade, readings: ChartedReadings, measures: Mapping[str, Measure]
) -> Span:
    """Return the grade of v5.0, which parts 2 from 3 by 40 % oxygen, whatever the device."""
    if hypoxia.at_least is Grade.NONE:
        return hypoxia.span
    device = find_device_name(readings)
    if not device:
        return hypoxia.span
    is_at_least_40_percent = find_inspired_40_percent(readings, measures)
    low = Grade.SEVERE if is_at_least_40_percent or device == "non-rebreather" else Grade.MODERATE
    high = Grade.MODERATE if is_at_least_40_percent is False else Grade.SEVERE
    if device == "ventilator":
        return Span(Grade.LIFE_THREATENING, Grade.LIFE_THREATENING)
    if device in POSITIVE_PRESSURE:
        return Span(low, Grade.LIFE_THREATENING)
    return Span(low, max(low, high))


def _combine_spans(first: Span, second: Span) -> Span:
    return find_worst_span((first, second, _MILDEST))
