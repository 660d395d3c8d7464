"""Laboratory values of one participant over the grades that they have, for charts."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from services.charts.lab_course import Band, LabSeries
from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.grading import BaselineKnown
from services.safety_rules.domain.ctcae.prepared_grading import PreparedGrading, prepare_grading
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.safety_rules.reports.folded_participant import FoldedParticipant
from services.safety_rules.reports.participant_swimmer import DayAxis
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.quantity import Quantity

_HALF = Decimal("0.5")


def list_lab_series(
    folded_participant: FoldedParticipant, rules: Rules, criteria: Sequence[str], axis: DayAxis
) -> Iterator[LabSeries]:
    """Yield the series of each measure that *criteria* are graded from and that has a value."""
    for criterion in criteria:
        course = folded_participant.fold.find_course(criterion)
        if isinstance(course, CriterionCourse) and course.context.criterion is not None:
            yield from _list_of_course(course, rules.find_title(criterion), axis)


def _list_of_course(course: CriterionCourse, title: str, axis: DayAxis) -> Iterator[LabSeries]:
    by_measure: dict[str, list[Fact]] = {}
    for fact in course.timeline.list_facts():
        if isinstance(fact.body, Observation) and fact.body.value is not None:
            by_measure.setdefault(fact.body.measure, []).append(fact)
    for measure, facts in by_measure.items():
        yield _make_series(course, title, measure, facts, axis)


def _make_series(
    course: CriterionCourse, title: str, measure: str, facts: Sequence[Fact], axis: DayAxis
) -> LabSeries:
    last = facts[-1].body
    if not isinstance(last, Observation) or last.value is None:
        raise TypeError("a series has values")
    unit = last.value.unit
    points = [
        (axis.count(fact.observed_at), value)
        for fact in facts
        if isinstance(fact.body, Observation)
        and (value := _convert(fact.body.value, unit)) is not None
    ]
    baseline = course.context.baseline
    return LabSeries(
        title,
        measure,
        unit,
        points,
        _list_bands(course, facts[-1], unit),
        _convert(baseline.quantity, unit) if isinstance(baseline, BaselineKnown) else None,
        _convert(last.lln, unit),
        _convert(last.uln, unit),
        axis.name,
    )


def _convert(quantity: Quantity | None, unit: str) -> float | None:
    if quantity is None:
        return None
    converted_quantity = quantity if quantity.unit == unit else rescale_quantity(quantity, unit)
    return None if converted_quantity is None else float(converted_quantity.value)


def _list_bands(course: CriterionCourse, fact: Fact, unit: str) -> tuple[Band, ...]:
    """Return the grades by value, as everything else is at *fact*; empty: they are not certain."""
    criterion = course.context.criterion
    if criterion is None:
        return ()
    reading = course.context.make_reading(fact)
    prepared_grading = prepare_grading(criterion, reading, course.context.baseline, unit)
    turns = prepared_grading.turning_points
    if not turns:
        return ()
    edges = [turns[0] - 1, *turns, turns[-1] + 1]
    bands: list[Band] = []
    for low, high in pairwise(edges):
        grade = _grade(prepared_grading, (low + high) * _HALF)
        if bands and bands[-1].grade == grade:
            bands[-1] = Band(bands[-1].low, float(high), grade)
        else:
            bands.append(Band(float(low), float(high), grade))
    return _open_ends(_drop_implausible(bands, criterion.direction))


def _grade(prepared_grading: PreparedGrading, number: Decimal) -> int:
    return int(prepared_grading.grade_value(Quantity(number, prepared_grading.unit)).at_least)


def _drop_implausible(bands: Sequence[Band], direction: Direction) -> Sequence[Band]:
    """Return *bands* without those beyond the worst grade: there no value is plausible."""
    graded_places = [number for number, band in enumerate(bands) if band.grade]
    if not graded_places:
        return bands
    return (
        bands[: graded_places[-1] + 1] if direction is Direction.HIGH else bands[graded_places[0] :]
    )


def _open_ends(bands: Sequence[Band]) -> tuple[Band, ...]:
    if len(bands) == 1:
        return (Band(None, None, bands[0].grade),)
    first, *middle, last = bands
    return (Band(None, first.high, first.grade), *middle, Band(last.low, None, last.grade))
