"""Many values of one test of one participant: each kind of value is graded once.

When nothing but the value differs, what is said of it changes only where a comparison turns: of all
values between two such numbers the same is said.
"""

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion, Measured
from services.safety_rules.domain.ctcae.corrected_calcium import corrected_range
from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.exact import Step, decided, steps
from services.safety_rules.domain.ctcae.grading import Baseline, Reading, grade, what_is_known
from services.safety_rules.domain.ctcae.grading_inputs import Known
from services.safety_rules.domain.ctcae.intervals import turning_points
from services.safety_rules.domain.ctcae.outside_normal import beyond, still_outside
from services.safety_rules.domain.ctcae.ranges import End, Range
from services.safety_rules.domain.ctcae.units import in_published_unit
from services.vocabulary.grade import Grade, GradingOutcome
from services.vocabulary.quantity import Censoring, Quantity

_ONE, _ZERO = Decimal(1), End(Decimal(0))


@dataclass(frozen=True, slots=True)
class _Compared:
    """What plausible values are compared with, all of it known, after *added* is added to them.

    *limit* is the one of normal on the criterion's side, None when it is not known.
    """

    steps: tuple[Step, ...]
    added: Decimal
    plausible: Range
    direction: Direction
    limit: Decimal | None

    def outcome(self, value: Decimal) -> GradingOutcome | None:
        """Return the grade of a value in the published unit, None when it is not plausible."""
        return decided(self.steps, value + self.added) if self.plausible.holds(value) else None

    def outside(self, value: Decimal) -> str:
        """Return what `still_outside` says of a value in the published unit, of grade 0."""
        if not self.plausible.holds(value):
            return ""
        return beyond(self.direction, self.limit, value + self.added)


@dataclass(frozen=True, slots=True)
class Prepared:
    """How values of one measure are graded when nothing but the value differs.

    *turns* are the numbers, in *unit* and in order, at which something changes; None when there
    are no such numbers, and every value is looked at by itself. *factor* makes a value one in the
    published unit; *compared* is None when something is missing.
    """

    criterion: CompiledCriterion
    reading: Reading
    baseline: Baseline
    unit: str
    factor: Decimal
    compared: _Compared | None
    turns: tuple[Decimal, ...] | None
    said: dict[int, GradingOutcome] = field(default_factory=dict)

    def place(self, value: Decimal) -> int | None:
        """Return which kind of value it is: of all of one kind the same is said."""
        turns = self.turns
        if turns is None:
            return None
        at = bisect_left(turns, value)
        return at * 2 + (at < len(turns) and turns[at] == value)

    def grade(self, value: Quantity | None) -> GradingOutcome:
        """Return what `grade` says of *value*."""
        if value is None or not self._is_exact(value):
            return self._grade(value)
        turns, number = self.turns, value.value
        if turns is None:
            return self._grade(value)
        at = bisect_left(turns, number)
        place = at * 2 + (at < len(turns) and turns[at] == number)  # as `place`, without a call
        said = self.said.get(place)
        if said is None:
            if self.compared is not None:
                said = self.compared.outcome(value.value * self.factor)
            said = self.said[place] = said or self._grade(value)
        return said

    def outside(self, value: Quantity | None, outcome: GradingOutcome) -> str:
        """Return what `still_outside` says of *value*: of all of one kind the same."""
        if outcome.at_most > Grade.NONE:
            return ""
        if self.compared is not None and value is not None and self._is_exact(value):
            return self.compared.outside(value.value * self.factor)
        reading = replace(self.reading, value=value)
        return still_outside(self.criterion, reading, self.baseline, outcome)

    def _is_exact(self, value: Quantity) -> bool:
        return value.censoring is None and value.unit == self.unit

    def _grade(self, value: Quantity | None) -> GradingOutcome:
        return grade(self.criterion, replace(self.reading, value=value), self.baseline)


def prepared(
    criterion: CompiledCriterion, reading: Reading, baseline: Baseline, unit: str
) -> Prepared:
    """Return how values in *unit* are graded: those of *reading*, whatever value it has.

    Raises:
        KeyError: *criterion* is not graded from this measure.
    """
    measured = criterion.measured[reading.measure]
    one = in_published_unit(Quantity(_ONE, unit), measured.units, measured.valence)
    if one is None or unit == "[degF]":  # which no factor makes a degree Celsius
        return Prepared(criterion, reading, baseline, unit, _ONE, None, None)
    some = replace(one, censoring=Censoring.AT_LEAST)  # 1 alone may be implausible
    known = what_is_known(measured, reading, baseline, some)
    plausible = measured.range_in(one.unit)
    added = _added(reading, one.unit)
    compared = _compared(measured, known, added, plausible)
    if compared is not None:
        turns = {number for step in compared.steps for _, number in step.compared}
    else:
        turns = turning_points(measured, known)
        turns |= turning_points(measured, replace(known, limits={}))
    limit = known.exact(measured.direction.limit)
    turns |= set() if limit is None else {limit}  # where it is outside of what is normal
    turns = {number - end.number for number in turns for end in (added.low, added.high)}
    turns |= {plausible.low.number, plausible.high.number}
    in_order = tuple(sorted({number / one.value for number in turns}))
    return Prepared(criterion, reading, baseline, unit, one.value, compared, in_order)


def _added(reading: Reading, unit: str) -> Range:
    """Return what is added to a value before it is compared: to a total calcium, else nothing."""
    nothing = Range(_ZERO, _ZERO)
    if reading.measure != "calcium":
        return nothing
    return corrected_range(nothing, unit, reading.albumin) or nothing


def _compared(measured: Measured, known: Known, added: Range, plausible: Range) -> _Compared | None:
    found = steps(measured, known) if added.low == added.high else None
    among = None if found is None else tuple(found)
    if among is None or any(step.outcome is None for step in among):
        return None
    side = measured.direction
    return _Compared(among, added.low.number, plausible, side, known.exact(side.limit))
