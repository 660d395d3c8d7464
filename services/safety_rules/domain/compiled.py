"""Criteria arranged for grading: by measure, then by unit, the worst grade first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.safety_rules.domain.criteria import Arm, Baseline, Criterion, Direction, Threshold
from services.safety_rules.domain.ranges import UNKNOWN, Range
from services.safety_rules.domain.units import VALENCE
from services.vocabulary.grade import Grade
from services.vocabulary.quantity import Quantity

# measure -> unit -> what a living person's value may be
Plausible = Mapping[str, Mapping[str, Range]]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The thresholds of one arm that apply to one unit, the worst grade first."""

    baseline: Baseline
    steps: tuple[tuple[Grade, tuple[Threshold, ...]], ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """How one measure is graded under one criterion."""

    units: tuple[str, ...]
    valence: int | None
    by_unit: Mapping[str, tuple[Ladder, ...]]
    in_any_unit: tuple[Ladder, ...]
    plausible: Mapping[str, Range]

    def ladders(self, unit: str) -> tuple[Ladder, ...]:
        """Return the arms for a value in *unit*."""
        return self.by_unit.get(unit, self.in_any_unit)

    def range_in(self, unit: str) -> Range:
        """Return what is plausible in *unit*."""
        return self.plausible.get(unit, UNKNOWN)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledCriterion:
    """One criterion, ready to grade."""

    id: str
    term: str
    soc: str
    direction: Direction
    measures: tuple[str, ...]
    measured: Mapping[str, Measured]
    worst: Grade
    sustained_above: Quantity | None
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class Compiled:
    """Every criterion by id, and by the measure that it is graded from."""

    by_id: Mapping[str, CompiledCriterion]
    by_measure: Mapping[str, tuple[CompiledCriterion, ...]]


def compile_criteria(criteria: Iterable[Criterion], plausible: Plausible) -> Compiled:
    """Return *criteria* arranged so that a fact meets only its own."""
    by_id = {criterion.id: _compiled(criterion, plausible) for criterion in criteria}
    by_measure: dict[str, tuple[CompiledCriterion, ...]] = {}
    for compiled in by_id.values():
        for measure in compiled.measures:
            by_measure[measure] = (*by_measure.get(measure, ()), compiled)
    return Compiled(by_id, by_measure)


def _compiled(criterion: Criterion, plausible: Plausible) -> CompiledCriterion:
    measured = {
        measure: _measured(criterion, measure, plausible.get(measure, {}))
        for measure in criterion.measures
    }
    worst = max(level for arms in criterion.arms.values() for arm in arms for level in arm.grades)
    return CompiledCriterion(
        id=criterion.id,
        term=criterion.term,
        soc=criterion.soc,
        direction=criterion.direction,
        measures=criterion.measures,
        measured=measured,
        worst=worst,
        sustained_above=criterion.sustained_above,
        criterion=criterion,
    )


def _measured(criterion: Criterion, measure: str, plausible: Mapping[str, Range]) -> Measured:
    arms, units = criterion.arms[measure], criterion.units(measure)
    return Measured(
        units=units,
        valence=VALENCE.get(measure),
        by_unit={unit: tuple(_ladder(arm, unit) for arm in arms) for unit in units},
        in_any_unit=tuple(_ladder(arm, "") for arm in arms),
        plausible=plausible,
    )


def _ladder(arm: Arm, unit: str) -> Ladder:
    steps = [
        (level, tuple(t for t in arm.grades[level] if t.in_unit(unit)))
        for level in sorted(arm.grades, reverse=True)
    ]
    return Ladder(arm.baseline, tuple((level, any_of) for level, any_of in steps if any_of))
