"""The thresholds that a reading may still meet, while some of its inputs are missing."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion, MeasureGrading
from services.safety_rules.domain.ctcae.grading import (
    Baseline,
    Reading,
    collect_inputs,
    grade_reading,
)
from services.safety_rules.domain.ctcae.intervals import (
    find_deciding_inputs,
    find_possible_arms,
    name_missing_inputs,
)
from services.safety_rules.domain.ctcae.reported_limits import check_limits, is_unit_doubtful
from services.safety_rules.domain.ctcae.units import convert_to_published_unit
from services.vocabulary.grade import Grade, GradingOutcome
from services.vocabulary.quantity import Quantity


@dataclass(frozen=True, slots=True)
class OpenThreshold:
    """A threshold of *grade*, in the words of the criteria files, that nothing decides yet.

    *missing* are the inputs that would.
    """

    grade: Grade
    text: str
    missing: tuple[str, ...]


def list_open_thresholds(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline
) -> tuple[OpenThreshold, ...]:
    """Return the thresholds that *reading* may still meet, the mildest grade first.

    Empty when its grade is exact.
    """
    outcome = grade_reading(criterion, reading, baseline)
    if outcome.at_least == outcome.at_most:
        return ()
    grading = criterion.gradings[reading.measure]
    value = _find_readable_value(grading, reading)
    if value is None:
        thresholds = list(_list_all(grading, outcome))
    else:
        thresholds = list(_list_undecided(grading, reading, baseline, value, outcome))
    return tuple(sorted(dict.fromkeys(thresholds), key=lambda threshold: threshold.grade))


def _find_readable_value(grading: MeasureGrading, reading: Reading) -> Quantity | None:
    """Return the value in a published unit; None when it is none, or its unit is in doubt."""
    if reading.value is None:
        return None
    value = convert_to_published_unit(reading.value, grading.units, grading.ion)
    if value is None:
        return None
    reported = check_limits(grading, value.unit, reading.lln, reading.uln)
    return None if is_unit_doubtful(grading, value, reported) else value


def _list_undecided(
    grading: MeasureGrading,
    reading: Reading,
    baseline: Baseline,
    value: Quantity,
    outcome: GradingOutcome,
) -> Iterator[OpenThreshold]:
    inputs = collect_inputs(grading, reading, baseline, value)
    arms = find_possible_arms(grading, inputs)
    if not arms:  # limits and baseline contradict each other
        inputs = inputs.without_limits()
        arms = find_possible_arms(grading, inputs)
    names = find_deciding_inputs(arms, inputs, grading.direction)
    for arm in arms:
        # Of several arms, what one meets for certain is open: it may not be the participant's.
        for grade, threshold in arm.find_reachable(outcome.at_least, outcome.at_most):
            missing = name_missing_inputs({*names, *arm.list_inputs(threshold)}, inputs)
            yield OpenThreshold(grade, threshold.text, tuple(sorted(missing)))


def _list_all(grading: MeasureGrading, outcome: GradingOutcome) -> Iterator[OpenThreshold]:
    """Yield every threshold, of a value that cannot be read."""
    ladders = [one for ladders in grading.by_unit.values() for one in ladders]
    for ladder in ladders or grading.in_any_unit:
        for grade, any_of in ladder.rungs:
            for threshold in any_of:
                yield OpenThreshold(grade, threshold.text, tuple(sorted(outcome.missing)))
