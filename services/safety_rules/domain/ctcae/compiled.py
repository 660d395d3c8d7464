"""Criteria arranged for grading: by measure, then by unit, the worst grade first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from services.safety_rules.domain.ctcae.criterion import (
    Arm,
    ArmPopulation,
    Comparison,
    Criterion,
    Direction,
    Threshold,
)
from services.safety_rules.domain.ctcae.ranges import UNKNOWN, Range, RangeEnd
from services.safety_rules.domain.ctcae.ungraded_ranges import (
    UngradedByUnit,
    UngradedRanges,
    find_ungraded_ranges,
)
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.grade import Grade
from services.vocabulary.measure import Ion, Measure, MeasureKind
from services.vocabulary.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Ladder:
    """The thresholds of one arm that apply to one unit, the worst grade first."""

    population: ArmPopulation
    rungs: tuple[tuple[Grade, tuple[Threshold, ...]], ...]


@dataclass(frozen=True, slots=True)
class MeasureGrading:
    """The grading of one measure under one criterion.

    *lasting_comparisons* have to hold for some time; *companions* are the other measures that are
    compared. *ungraded_ranges* has, by unit, the numbers that no criterion of the measure grades by
    themselves, *normal* one that is normal in everybody.
    """

    direction: Direction
    units: tuple[str, ...]
    ion: Ion | None
    by_unit: Mapping[str, tuple[Ladder, ...]]
    in_any_unit: tuple[Ladder, ...]
    plausible: Mapping[str, Range]
    lasting_comparisons: tuple[Comparison, ...]
    companions: tuple[str, ...]
    ungraded_ranges: Mapping[str, UngradedRanges]
    normal: Mapping[str, Decimal]

    def find_ladders(self, unit: str) -> tuple[Ladder, ...]:
        """Return the arms for a value in *unit*."""
        return self.by_unit.get(unit, self.in_any_unit)

    def find_plausible_range(self, unit: str) -> Range:
        """Return the plausible range in *unit*; all above 0 when the table has none that fits."""
        plausible = self.plausible.get(unit)
        if plausible is not None:
            return plausible
        rescaled_ranges = (
            _rescale_range(one, listed_unit, unit) for listed_unit, one in self.plausible.items()
        )
        return next((one for one in rescaled_ranges if one is not None), UNKNOWN)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledCriterion:
    """One criterion, ready to grade.

    *has_lasting_thresholds*: a grade needs a value to last. *min_duration*: every grade has to last
    for longer. *is_laboratory*: a laboratory reports every measure of it.
    """

    id: str
    term: str
    soc: str
    direction: Direction
    measures: tuple[str, ...]
    gradings: Mapping[str, MeasureGrading]
    worst: Grade
    criterion: Criterion
    has_lasting_thresholds: bool = False
    min_duration: timedelta | None = None
    is_laboratory: bool = False

    def list_companions(self, measure: str) -> tuple[str, ...]:
        """Return the measures of about the same time that *measure* is graded beside."""
        companions = ("albumin",) if measure == "calcium" else ()
        return (*companions, *self.gradings[measure].companions)


@dataclass(frozen=True, slots=True)
class CompiledCriteria:
    """Every criterion by id, by each measure that is graded for it, and by their companions."""

    by_id: Mapping[str, CompiledCriterion]
    by_measure: Mapping[str, tuple[CompiledCriterion, ...]]
    by_companion: Mapping[str, tuple[CompiledCriterion, ...]] = field(default_factory=dict)


def compile_criteria(
    criteria: Iterable[Criterion], measures: Mapping[str, Measure]
) -> CompiledCriteria:
    """Return *criteria* arranged so that a fact is graded only under those of its measure.

    Args:
        criteria: Whose measures are all among *measures*.
        measures: By name.
    """
    criteria = tuple(criteria)
    ungraded_ranges = find_ungraded_ranges(criteria)
    by_id = {one.id: _compile_criterion(one, measures, ungraded_ranges) for one in criteria}
    by_measure: dict[str, tuple[CompiledCriterion, ...]] = {}
    by_companion: dict[str, tuple[CompiledCriterion, ...]] = {}
    for compiled_criterion in by_id.values():
        followed_measures = [
            m
            for m in compiled_criterion.measures
            if m not in compiled_criterion.criterion.unfollowed_measures
        ]
        for measure in followed_measures:
            by_measure[measure] = (*by_measure.get(measure, ()), compiled_criterion)
        for companion in {
            o for measure in followed_measures for o in compiled_criterion.list_companions(measure)
        }:
            by_companion[companion] = (*by_companion.get(companion, ()), compiled_criterion)
    return CompiledCriteria(by_id, by_measure, by_companion)


def _compile_criterion(
    criterion: Criterion,
    measures: Mapping[str, Measure],
    ungraded_ranges: Mapping[str, UngradedByUnit],
) -> CompiledCriterion:
    of_laboratory = {n for n in criterion.measures if measures[n].kind is MeasureKind.LABORATORY}
    gradings = {
        name: _compile_measure(
            criterion,
            measures[name],
            ungraded_ranges.get(name, {}) if name in of_laboratory else {},
        )
        for name in criterion.measures
    }
    worst = max(level for arms in criterion.arms.values() for arm in arms for level in arm.grades)
    return CompiledCriterion(
        id=criterion.id,
        term=criterion.term,
        soc=criterion.soc,
        direction=criterion.direction,
        measures=criterion.measures,
        gradings=gradings,
        worst=worst,
        criterion=criterion,
        has_lasting_thresholds=any(one.lasting_comparisons for one in gradings.values()),
        min_duration=criterion.min_duration,
        is_laboratory=of_laboratory == {*criterion.measures},
    )


def _compile_measure(
    criterion: Criterion, measure: Measure, ungraded_ranges: UngradedByUnit
) -> MeasureGrading:
    arms, units = criterion.arms[measure.name], criterion.list_units(measure.name)
    thresholds = [t for arm in arms for any_of in arm.grades.values() for t in any_of]
    lasting_comparisons = [
        c for t in thresholds if t.min_duration is not None for c in t.list_value_comparisons()
    ]
    companions = [c.measure for t in thresholds for c in t.comparisons if c.measure is not None]
    return MeasureGrading(
        direction=criterion.find_direction(measure.name),
        units=units,
        ion=measure.ion,
        by_unit={unit: tuple(_build_ladder(arm, unit) for arm in arms) for unit in units},
        in_any_unit=tuple(_build_ladder(arm, "") for arm in arms),
        plausible={
            unit: Range(RangeEnd(plausible.low), RangeEnd(plausible.high))
            for unit, plausible in measure.plausible.items()
        },
        lasting_comparisons=tuple(dict.fromkeys(lasting_comparisons)),
        companions=tuple(dict.fromkeys(companions)),
        ungraded_ranges=ungraded_ranges,
        normal=measure.normal,
    )


def _rescale_range(listed_range: Range, listed_unit: str, unit: str) -> Range | None:
    """Return *listed_range* in *unit*, None when it does not share a dimension."""
    ends = (listed_range.low, listed_range.high)
    low, high = (rescale_quantity(Quantity(e.number, listed_unit), unit) for e in ends)
    return None if low is None or high is None else Range(RangeEnd(low.value), RangeEnd(high.value))


def _build_ladder(arm: Arm, unit: str) -> Ladder:
    steps = [
        (level, tuple(t for t in arm.grades[level] if t.applies_in_unit(unit)))
        for level in sorted(arm.grades, reverse=True)
    ]
    return Ladder(arm.population, tuple((level, any_of) for level, any_of in steps if any_of))
