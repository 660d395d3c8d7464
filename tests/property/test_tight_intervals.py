"""An incomplete grade is exactly as wide as its missing inputs make it, for every criterion.

The interval is compared with the grades of completions: readings in which nothing is missing, made
at every point where a comparison can turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.grading import (
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    OwnLimits,
    Reading,
    Treatment,
    collect_inputs,
    grade_reading,
)
from services.safety_rules.domain.ctcae.intervals import bound_grade
from services.safety_rules.domain.ctcae.prepared_grading import prepare_grading
from services.safety_rules.domain.ctcae.reported_limits import check_limits
from services.vocabulary.grade import ExactGrade, Input, Symptoms
from services.vocabulary.quantity import Censoring, Quantity
from tests.helpers.lab_reading import TABLES

HAIR = Decimal("0.000001")
TINY, HUGE = Decimal("0.00001"), Decimal(1000000000)
BEFORE_EXPOSURE, UNKNOWN = "before exposure", "unknown"
STATES = {  # what may be known beside numbers, and what it may be
    "symptoms": (Symptoms.NONE, Symptoms.MILD, Symptoms.MODERATE),
    "treatment": tuple(Treatment),
    "fasting": (True, False),
    "at_rest": (True, False),
    "is_anticoagulated": (True, False),
    "infarction": (True, False),
    "companions": tuple(
        {
            "neutrophils": Quantity(Decimal(count), "/mm3"),
            "temperature": Quantity(Decimal(degrees), "Cel"),
        }
        for count in ("999", "1000")
        for degrees in ("38.3", "38.4")
    ),
}
FLAGS = tuple(STATES)


@dataclass(frozen=True)
class PartialReading:
    """The known parts of one reading; None: not known."""

    criterion: object = field(repr=False)
    measure: str
    unit: str
    value: Decimal
    censoring: Censoring | None
    lln: Decimal | None
    uln: Decimal | None
    baseline: Decimal | str
    own_limits: tuple[Decimal | None, Decimal | None] | None  # None: those of the reading
    albumin: Decimal | None
    flags: tuple[bool | Treatment | Symptoms | None, ...]

    @property
    def is_high(self):
        return self.criterion.gradings[self.measure].direction is Direction.HIGH

    def outcome(self):
        return grade_reading(self.criterion, self.reading(), self.baseline_given())

    def reading(self):
        def quantity(number, unit=self.unit, censoring=None):
            return None if number is None else Quantity(number, unit, censoring)

        return Reading(
            self.measure,
            quantity(self.value, censoring=self.censoring),
            quantity(self.lln),
            quantity(self.uln),
            quantity(self.albumin, ALBUMIN.get(self.unit, ("",))[0]),
            **{
                name: said
                for name, said in zip(FLAGS, self.flags, strict=True)
                if said is not None or name != "companions"
            },
        )

    def baseline_given(self):
        if self.baseline == BEFORE_EXPOSURE:
            return NoBaseline()
        if self.baseline == UNKNOWN:
            return BaselineUnknown()
        quantity = Quantity(self.baseline, self.unit)
        if self.own_limits is None:
            return BaselineKnown(quantity)
        lln, uln = (n and Quantity(n, self.unit) for n in self.own_limits)
        return BaselineKnown(quantity, OwnLimits(lln, uln))


# Source: docs/decisions/grading.md, "Calcium": unit, least and greatest plausible, normal, slope
ALBUMIN = {
    "mg/dL": ("g/dL", Decimal(1), Decimal(6), Decimal(4), Decimal("0.8")),
    "mmol/L": ("g/L", Decimal(10), Decimal(60), Decimal(40), Decimal("0.02")),
}
MEASURES = [
    (criterion, measure, unit)
    for table in TABLES.values()
    for criterion in table.compiled.by_id.values()
    for measure, measured in criterion.gradings.items()
    for unit in measured.units or measured.plausible
]


def thresholds(reading):
    """The multiples and the plain numbers that the criterion compares with."""
    ladders = reading.criterion.gradings[reading.measure].find_ladders(reading.unit)
    comparisons = [
        comparison
        for ladder in ladders
        for _, any_of in ladder.rungs
        for threshold in any_of
        for comparison in threshold.comparisons
    ]
    return (
        sorted({c.factor for c in comparisons if c.multiple_of} | {Decimal(1), Decimal(5)}),
        sorted({c.factor for c in comparisons if not c.multiple_of}),
    )


def offsets(reading):
    """The offsets from a limit or a baseline that the criterion compares with, in its unit."""
    ladders = reading.criterion.gradings[reading.measure].find_ladders(reading.unit)
    return {
        comparison.offset
        for ladder in ladders
        for _, any_of in ladder.rungs
        for threshold in any_of
        for comparison in threshold.comparisons
    }


def plausible_ends(reading):
    plausible_range = reading.criterion.gradings[reading.measure].find_plausible_range(reading.unit)
    return plausible_range.low.number or TINY, min(plausible_range.high.number, HUGE)


def with_neighbours(numbers):
    """Each number, with its neighbours on both sides."""
    return {n * side for n in numbers for side in (1 - HAIR, Decimal(1), 1 + HAIR)}


def turning_points(reading, references):
    """Values of a limit or a baseline at which a comparison with *references* can turn."""
    multiples, numbers = thresholds(reading)
    numeric_references = [n for n in references if isinstance(n, Decimal)]
    points = {n / m for n in numeric_references for m in multiples} | {
        n * m for n in numeric_references for m in multiples
    }
    points |= {
        n + by * side for n in numeric_references for by in offsets(reading) for side in (1, -1)
    }
    return sorted(n for n in with_neighbours({*points, *numbers, TINY, HUGE}) if n > 0)


def completions(reading) -> Iterator[PartialReading]:
    """Full readings that the partial one may stand for: all combinations of turning points."""
    for exact_reading in with_value(reading):
        for albumin_reading in with_albumin(exact_reading):
            llns = (
                [albumin_reading.lln]
                if albumin_reading.lln
                else plausible_limits(
                    albumin_reading,
                    (
                        effective_value(albumin_reading),
                        albumin_reading.uln,
                        albumin_reading.baseline,
                    ),
                )
            )
            for lln in llns:
                lln_reading = replace(albumin_reading, lln=lln)
                ulns = (
                    [albumin_reading.uln]
                    if albumin_reading.uln
                    else plausible_limits(
                        lln_reading,
                        (effective_value(albumin_reading), lln, albumin_reading.baseline),
                    )
                )
                for uln in ulns:
                    if lln < uln and is_of_unit(reading, lln, uln):
                        for own_reading in with_own_limits(replace(lln_reading, uln=uln)):
                            yield from with_baseline(own_reading)


def plausible_limits(reading, references):
    """Turning points of a limit that can be one of normal."""
    low, high = plausible_ends(reading)
    ends = (low, low * (1 + HAIR), high, high * (1 - HAIR))
    points = {*turning_points(reading, references), *ends}
    return sorted(n for n in points if low <= n <= high)


def is_of_unit(reading, lln, uln):
    """True unless the limits contradict the unit."""
    grading = reading.criterion.gradings[reading.measure]
    quantities = (n and Quantity(n, reading.unit) for n in (lln, uln))
    return check_limits(grading, reading.unit, *quantities).contradicted_range is None


def with_own_limits(reading):
    """The limits of the baseline itself, where they are hidden: on both sides of it."""
    if reading.own_limits is None or not isinstance(reading.baseline, Decimal):
        return [reading]
    low, high = plausible_ends(reading)
    points = with_neighbours({reading.baseline, reading.baseline / 5, low, high})
    numbers = sorted(n for n in points if low <= n <= high)
    llns, ulns = ([n] if n is not None else numbers for n in reading.own_limits)
    return [
        replace(reading, own_limits=(lln, uln))
        for lln in llns
        for uln in ulns
        if lln < uln and is_of_unit(reading, lln, uln)
    ]


def effective_value(reading):
    """The value that is compared: of a total calcium the corrected one."""
    if reading.measure != "calcium" or reading.albumin is None:
        return reading.value
    _, _, _, normal, slope = ALBUMIN[reading.unit]
    return reading.value + slope * (normal - reading.albumin)


def with_value(reading):
    if reading.censoring is None:
        return [reading]
    low, high = plausible_ends(reading)
    is_below = reading.censoring in (Censoring.LESS_THAN, Censoring.AT_MOST)
    ends = (
        with_neighbours({low, reading.value})
        if is_below
        else with_neighbours({high, reading.value})
    )
    holds = {
        Censoring.LESS_THAN: lambda n: low <= n < reading.value,
        Censoring.AT_MOST: lambda n: low <= n <= reading.value,
        Censoring.MORE_THAN: lambda n: reading.value < n <= high,
        Censoring.AT_LEAST: lambda n: reading.value <= n <= high,
    }[reading.censoring]
    return [replace(reading, value=n, censoring=None) for n in sorted(ends) if holds(n)]


def with_albumin(reading):
    if reading.measure != "calcium" or reading.albumin is not None:
        return [reading]
    _, lowest, highest, _, _ = ALBUMIN[reading.unit]
    return [replace(reading, albumin=n) for n in (lowest, highest)]


def with_baseline(reading):
    low, high = plausible_ends(reading)
    numbers = (
        turning_points(reading, (effective_value(reading), reading.uln, reading.lln, low, high))
        if reading.baseline == UNKNOWN
        else [reading.baseline]
    )
    choices = zip(STATES.values(), reading.flags, strict=True)
    states = list(product(*(every if flag is None else (flag,) for every, flag in choices)))
    for number in numbers:
        if not isinstance(number, Decimal) or low <= number <= high:
            for flags in states:
                yield replace(reading, baseline=number, flags=flags)


@st.composite
def full_readings(draw):
    """A reading with nothing missing, near the numbers where grades turn."""
    criterion, measure, unit = MEASURES[draw(st.integers(0, len(MEASURES) - 1))]
    reading = PartialReading(
        criterion, measure, unit, TINY, None, None, None, BEFORE_EXPOSURE, None, None, (None,) * 4
    )
    low, high = plausible_ends(reading)
    multiples, numbers = thresholds(reading)
    references = abs(draw(st.sampled_from(numbers))) if numbers else (low * high).sqrt()
    if reading.is_high:
        uln = references * draw(st.sampled_from([Decimal("0.5"), Decimal("0.9"), Decimal(1)]))
        lln = uln * draw(st.sampled_from([Decimal("0.2"), Decimal("0.6")]))
        limit = uln
    else:
        lln = references * draw(st.sampled_from([Decimal(1), Decimal("1.1"), Decimal(2)]))
        uln = lln * draw(st.sampled_from([Decimal("1.5"), Decimal(4)]))
        limit = lln
    relative = st.sampled_from([Decimal(n) for n in ("0.3", "0.5", "1", "1.4", "4.9", "5", "7")])
    lln, uln = max(lln, low), min(uln, high)
    assume(lln < uln and is_of_unit(reading, lln, uln))
    baseline = draw(st.one_of(st.just(BEFORE_EXPOSURE), relative.map(lambda n: limit * n)))
    if isinstance(baseline, Decimal):
        baseline = min(max(baseline, low), high)
    own_limits = draw_own_limits(draw, reading, lln, uln)
    points = [limit * m for m in multiples] + numbers
    points += [baseline * m for m in multiples] if isinstance(baseline, Decimal) else []
    references = [limit, baseline] if isinstance(baseline, Decimal) else [limit]
    points += [n + offset for n in references for offset in offsets(reading)]
    factor = draw(st.sampled_from([Decimal(n) for n in ("0.8", "0.999", "1", "1.001", "1.2")]))
    value = min(max(draw(st.sampled_from(points)) * factor, low), high)
    albumin = None
    if measure == "calcium":
        albumin = draw(st.sampled_from(ALBUMIN[unit][1:4]))
    flags = tuple(draw(st.sampled_from(every)) for every in STATES.values())
    return replace(
        reading,
        value=value,
        lln=lln,
        uln=uln,
        baseline=baseline,
        own_limits=own_limits if isinstance(baseline, Decimal) else None,
        albumin=albumin,
        flags=flags,
    )


def draw_own_limits(draw, reading, lln, uln):
    """Limits of another laboratory, or None."""
    low, high = plausible_ends(reading)
    factor = draw(st.sampled_from([None, Decimal("0.6"), Decimal(1), Decimal("1.5")]))
    if factor is None:
        return None
    own_lln, own_uln = max(lln * factor, low), min(uln * factor, high)
    assume(own_lln < own_uln and is_of_unit(reading, own_lln, own_uln))
    return own_lln, own_uln


@st.composite
def readings_with_gaps(draw):
    """A full reading, and the same with one to three parts hidden."""
    full = draw(full_readings())
    partial_reading = full
    for part in draw(st.sets(st.sampled_from(HIDEABLE_PARTS), min_size=1, max_size=3)):
        partial_reading = hide(partial_reading, part)
    return full, partial_reading


FACTORS = ("0", "0.5", "0.999", "1", "1.001", "2", "10")
HIDEABLE_PARTS = ("lln", "uln", "baseline", "own_limits", "albumin", "value", *FLAGS)


def hide(reading, part):
    if part in FLAGS:
        index = FLAGS.index(part)
        return replace(reading, flags=(*reading.flags[:index], None, *reading.flags[index + 1 :]))
    if part == "baseline":
        # an unknown baseline is judged by the limits of the reading: then it has no others
        is_hideable = reading.baseline != BEFORE_EXPOSURE and reading.own_limits is None
        return replace(reading, baseline=UNKNOWN) if is_hideable else reading
    if part == "own_limits":
        return replace(reading, own_limits=(None, None)) if reading.own_limits else reading
    if part == "value":
        upward = reading.is_high
        return replace(reading, censoring=Censoring.AT_LEAST if upward else Censoring.AT_MOST)
    return replace(reading, **{part: None})


@settings(max_examples=250, deadline=None)
@given(readings_with_gaps())
def test_the_interval_contains_the_truth(pair):
    full, partial_reading = pair
    truth, interval = full.outcome(), partial_reading.outcome()
    assert interval.at_least <= truth.at_least
    assert truth.at_most <= interval.at_most


@settings(max_examples=60, deadline=None)
@given(readings_with_gaps())
def test_some_completion_reaches_each_end_and_none_lies_outside(pair):
    _, partial_reading = pair
    interval = partial_reading.outcome()
    outcomes = [one.outcome() for one in completions(partial_reading)]
    assert min(outcome.at_least for outcome in outcomes) == interval.at_least
    assert max(outcome.at_most for outcome in outcomes) == interval.at_most


@settings(max_examples=250, deadline=None)
@given(readings_with_gaps(), st.sampled_from(HIDEABLE_PARTS))
def test_to_learn_more_never_widens(pair, part):
    _, richer = pair
    poorer = hide(richer, part)
    assert poorer.outcome().at_least <= richer.outcome().at_least
    assert richer.outcome().at_most <= poorer.outcome().at_most


@settings(max_examples=250, deadline=None)
@given(readings_with_gaps())
def test_what_is_missing_is_named_and_nothing_that_is_known(pair):
    _, partial_reading = pair
    interval = partial_reading.outcome()
    assert bool(interval.missing) is (interval.at_least < interval.at_most)
    is_known = {
        Input.VALUE: partial_reading.censoring is None,
        Input.LLN: partial_reading.lln is not None,
        Input.ULN: partial_reading.uln is not None,
        Input.BASELINE: partial_reading.baseline != UNKNOWN,
        Input.BASELINE_LLN: partial_reading.own_limits != (None, None),
        Input.BASELINE_ULN: partial_reading.own_limits != (None, None),
        Input.ALBUMIN: partial_reading.albumin is not None or partial_reading.measure != "calcium",
        Input.UNIT: True,
    }
    assert not [name for name in interval.missing if is_known.get(name, False)]


@settings(max_examples=250, deadline=None)
@given(full_readings(), st.sampled_from([Decimal("1.01"), Decimal("1.5"), Decimal(3)]))
def test_a_worse_value_is_never_a_milder_grade(full, factor):
    upward = full.is_high
    far = abs(full.value) * (factor - 1) / factor
    low, high = plausible_ends(full)
    worse = replace(
        full, value=min(max(full.value + far if upward else full.value - far, low), high)
    )
    assert worse.outcome().at_least >= full.outcome().at_least
    assert worse.outcome().at_most >= full.outcome().at_most


@settings(max_examples=250, deadline=None)
@given(full_readings())
def test_with_nothing_missing_both_ways_of_grading_agree(full):
    reading = full.reading()
    measured_part = full.criterion.gradings[full.measure]
    grading_inputs = collect_inputs(measured_part, reading, full.baseline_given(), reading.value)
    outcome, tight = (
        full.outcome(),
        bound_grade(measured_part, grading_inputs),
    )
    assert (outcome.at_least, outcome.at_most) == (tight.at_least, tight.at_most)
    if isinstance(outcome, ExactGrade):
        assert isinstance(tight, ExactGrade)


@settings(max_examples=250, deadline=None)
@given(readings_with_gaps(), st.lists(st.sampled_from([Decimal(n) for n in FACTORS]), min_size=1))
def test_prepared_for_many_values_the_same_is_said_as_of_each(pair, factors):
    for known_reading in pair:
        reading, baseline = known_reading.reading(), known_reading.baseline_given()
        ready = prepare_grading(known_reading.criterion, reading, baseline, known_reading.unit)
        turns = ready.turning_points[:: max(1, len(ready.turning_points) // 6)]
        values = [known_reading.value * by for by in factors] + sorted(
            with_neighbours(n for n in turns if n < HUGE)
        )
        for value in values + values[::-1]:
            quantity = Quantity(value, known_reading.unit)
            same_reading = replace(reading, value=quantity)
            outcome = grade_reading(known_reading.criterion, same_reading, baseline)
            assert ready.grade_value(quantity) == outcome
