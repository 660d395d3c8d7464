"""An incomplete grade is exactly as wide as what is missing makes it, for every criterion.

The interval is compared with the grades of completions: readings in which nothing is missing, made
at every point where a comparison can turn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.ctcae.criterion import Direction
from services.safety_rules.domain.ctcae.grading import (
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    Reading,
    Treatment,
    collect_inputs,
    grade_reading,
)
from services.safety_rules.domain.ctcae.intervals import bound_grade
from services.safety_rules.domain.ctcae.prepared_grading import prepare_grading
from services.vocabulary.grade import ExactGrade, Input, Symptoms
from services.vocabulary.quantity import Censoring, Quantity
from tests.helpers.lab_reading import TABLES

HAIR = Decimal("0.000001")
TINY, HUGE = Decimal("0.00001"), Decimal(1000000000)
BEFORE, UNKNOWN = "before exposure", "unknown"
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
class Known:
    """What somebody knows about one reading; None: not known."""

    criterion: object = field(repr=False)
    measure: str
    unit: str
    value: Decimal
    censoring: Censoring | None
    lln: Decimal | None
    uln: Decimal | None
    baseline: Decimal | str
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
        if self.baseline == BEFORE:
            return NoBaseline()
        if self.baseline == UNKNOWN:
            return BaselineUnknown()
        return BaselineKnown(Quantity(self.baseline, self.unit))


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


def thresholds(known):
    """The multiples and the plain numbers that the criterion compares with."""
    ladders = known.criterion.gradings[known.measure].find_ladders(known.unit)
    compared = [
        comparison
        for ladder in ladders
        for _, any_of in ladder.rungs
        for threshold in any_of
        for comparison in threshold.comparisons
    ]
    return (
        sorted({c.factor for c in compared if c.multiple_of} | {Decimal(1), Decimal(5)}),
        sorted({c.factor for c in compared if not c.multiple_of}),
    )


def offsets(known):
    """How far from a limit or a baseline the criterion looks, in its unit."""
    ladders = known.criterion.gradings[known.measure].find_ladders(known.unit)
    return {
        comparison.offset
        for ladder in ladders
        for _, any_of in ladder.rungs
        for threshold in any_of
        for comparison in threshold.comparisons
    }


def plausible(known):
    found = known.criterion.gradings[known.measure].find_plausible_range(known.unit)
    return found.low.number or TINY, min(found.high.number, HUGE)


def about(numbers):
    """Each number, with its neighbours on both sides."""
    return {n * side for n in numbers for side in (1 - HAIR, Decimal(1), 1 + HAIR)}


def turns(known, others):
    """Where a limit or a baseline can turn a comparison with *others*."""
    multiples, numbers = thresholds(known)
    given = [n for n in others if isinstance(n, Decimal)]
    points = {n / m for n in given for m in multiples} | {n * m for n in given for m in multiples}
    points |= {n + by * side for n in given for by in offsets(known) for side in (1, -1)}
    return sorted(n for n in about({*points, *numbers, TINY, HUGE}) if n > 0)


def completions(known) -> Iterator[Known]:
    """What may be the whole truth: every combination of turning points for what is missing."""
    for one in with_value(known):
        for two in with_albumin(one):
            llns = [two.lln] if two.lln else turns(two, (effective(two), two.uln, two.baseline))
            for lln in llns:
                three = replace(two, lln=lln)
                ulns = [two.uln] if two.uln else turns(three, (effective(two), lln, two.baseline))
                for uln in ulns:
                    if lln < uln:
                        yield from with_baseline(replace(three, uln=uln))


def effective(known):
    """The value that is compared: of a total calcium the corrected one."""
    if known.measure != "calcium" or known.albumin is None:
        return known.value
    _, _, _, normal, slope = ALBUMIN[known.unit]
    return known.value + slope * (normal - known.albumin)


def with_value(known):
    if known.censoring is None:
        return [known]
    low, high = plausible(known)
    below = known.censoring in (Censoring.LESS_THAN, Censoring.AT_MOST)
    ends = about({low, known.value}) if below else about({high, known.value})
    holds = {
        Censoring.LESS_THAN: lambda n: low <= n < known.value,
        Censoring.AT_MOST: lambda n: low <= n <= known.value,
        Censoring.MORE_THAN: lambda n: known.value < n <= high,
        Censoring.AT_LEAST: lambda n: known.value <= n <= high,
    }[known.censoring]
    return [replace(known, value=n, censoring=None) for n in sorted(ends) if holds(n)]


def with_albumin(known):
    if known.measure != "calcium" or known.albumin is not None:
        return [known]
    _, least, most, _, _ = ALBUMIN[known.unit]
    return [replace(known, albumin=n) for n in (least, most)]


def with_baseline(known):
    low, high = plausible(known)
    numbers = (
        turns(known, (effective(known), known.uln, known.lln, low, high))
        if known.baseline == UNKNOWN
        else [known.baseline]
    )
    given = zip(STATES.values(), known.flags, strict=True)
    states = list(product(*(every if flag is None else (flag,) for every, flag in given)))
    for number in numbers:
        if not isinstance(number, Decimal) or low <= number <= high:
            for flags in states:
                yield replace(known, baseline=number, flags=flags)


@st.composite
def whole(draw):
    """A reading of which everything is known, near the numbers where grades turn."""
    criterion, measure, unit = MEASURES[draw(st.integers(0, len(MEASURES) - 1))]
    known = Known(criterion, measure, unit, TINY, None, None, None, BEFORE, None, (None,) * 4)
    low, high = plausible(known)
    multiples, numbers = thresholds(known)
    near = abs(draw(st.sampled_from(numbers))) if numbers else (low * high).sqrt()
    if known.is_high:
        uln = near * draw(st.sampled_from([Decimal("0.5"), Decimal("0.9"), Decimal(1)]))
        lln = uln * draw(st.sampled_from([Decimal("0.2"), Decimal("0.6")]))
        limit = uln
    else:
        lln = near * draw(st.sampled_from([Decimal(1), Decimal("1.1"), Decimal(2)]))
        uln = lln * draw(st.sampled_from([Decimal("1.5"), Decimal(4)]))
        limit = lln
    relative = st.sampled_from([Decimal(n) for n in ("0.3", "0.5", "1", "1.4", "4.9", "5", "7")])
    baseline = draw(st.one_of(st.just(BEFORE), relative.map(lambda n: limit * n)))
    if isinstance(baseline, Decimal):
        baseline = min(max(baseline, low), high)
    points = [limit * m for m in multiples] + numbers
    points += [baseline * m for m in multiples] if isinstance(baseline, Decimal) else []
    near = [limit, baseline] if isinstance(baseline, Decimal) else [limit]
    points += [n + offset for n in near for offset in offsets(known)]
    off = draw(st.sampled_from([Decimal(n) for n in ("0.8", "0.999", "1", "1.001", "1.2")]))
    value = min(max(draw(st.sampled_from(points)) * off, low), high)
    albumin = None
    if measure == "calcium":
        albumin = draw(st.sampled_from(ALBUMIN[unit][1:4]))
    flags = tuple(draw(st.sampled_from(every)) for every in STATES.values())
    return replace(
        known, value=value, lln=lln, uln=uln, baseline=baseline, albumin=albumin, flags=flags
    )


@st.composite
def partial(draw):
    """A whole reading, and the same with one to three things hidden."""
    full = draw(whole())
    hidden = full
    for what in draw(st.sets(st.sampled_from(HIDING), min_size=1, max_size=3)):
        hidden = hide(hidden, what)
    return full, hidden


FACTORS = ("0", "0.5", "0.999", "1", "1.001", "2", "10")
HIDING = ("lln", "uln", "baseline", "albumin", "value", *FLAGS)


def hide(known, what):
    if what in FLAGS:
        at = FLAGS.index(what)
        return replace(known, flags=(*known.flags[:at], None, *known.flags[at + 1 :]))
    if what == "baseline":
        return known if known.baseline == BEFORE else replace(known, baseline=UNKNOWN)
    if what == "value":
        upward = known.is_high
        return replace(known, censoring=Censoring.AT_LEAST if upward else Censoring.AT_MOST)
    return replace(known, **{what: None})


@settings(max_examples=250, deadline=None)
@given(partial())
def test_the_interval_contains_the_truth(pair):
    full, hidden = pair
    truth, told = full.outcome(), hidden.outcome()
    assert told.at_least <= truth.at_least
    assert truth.at_most <= told.at_most


@settings(max_examples=60, deadline=None)
@given(partial())
def test_some_completion_reaches_each_end_and_none_lies_outside(pair):
    _, hidden = pair
    told = hidden.outcome()
    outcomes = [one.outcome() for one in completions(hidden)]
    assert min(outcome.at_least for outcome in outcomes) == told.at_least
    assert max(outcome.at_most for outcome in outcomes) == told.at_most


@settings(max_examples=250, deadline=None)
@given(partial(), st.sampled_from(HIDING))
def test_to_learn_more_never_widens(pair, what):
    _, more = pair
    less = hide(more, what)
    assert less.outcome().at_least <= more.outcome().at_least
    assert more.outcome().at_most <= less.outcome().at_most


@settings(max_examples=250, deadline=None)
@given(partial())
def test_what_is_missing_is_named_and_nothing_that_is_known(pair):
    _, hidden = pair
    told = hidden.outcome()
    assert bool(told.missing) is (told.at_least < told.at_most)
    known = {
        Input.VALUE: hidden.censoring is None,
        Input.LLN: hidden.lln is not None,
        Input.ULN: hidden.uln is not None,
        Input.BASELINE: hidden.baseline != UNKNOWN,
        Input.ALBUMIN: hidden.albumin is not None or hidden.measure != "calcium",
        Input.UNIT: True,
    }
    assert not [name for name in told.missing if known.get(name, False)]


@settings(max_examples=250, deadline=None)
@given(whole(), st.sampled_from([Decimal("1.01"), Decimal("1.5"), Decimal(3)]))
def test_a_worse_value_is_never_a_milder_grade(full, by):
    upward = full.is_high
    far = abs(full.value) * (by - 1) / by
    low, high = plausible(full)
    worse = replace(
        full, value=min(max(full.value + far if upward else full.value - far, low), high)
    )
    assert worse.outcome().at_least >= full.outcome().at_least
    assert worse.outcome().at_most >= full.outcome().at_most


@settings(max_examples=250, deadline=None)
@given(whole())
def test_with_nothing_missing_both_ways_of_grading_agree(full):
    reading = full.reading()
    measured = full.criterion.gradings[full.measure]
    known = collect_inputs(measured, reading, full.baseline_given(), reading.value)
    told, tight = (
        full.outcome(),
        bound_grade(measured, known),
    )
    assert (told.at_least, told.at_most) == (tight.at_least, tight.at_most)
    if isinstance(told, ExactGrade):
        assert isinstance(tight, ExactGrade)


@settings(max_examples=250, deadline=None)
@given(partial(), st.lists(st.sampled_from([Decimal(n) for n in FACTORS]), min_size=1))
def test_prepared_for_many_values_the_same_is_said_as_of_each(pair, factors):
    for known in pair:
        reading, baseline = known.reading(), known.baseline_given()
        ready = prepare_grading(known.criterion, reading, baseline, known.unit)
        turns = ready.turning_points[:: max(1, len(ready.turning_points) // 6)]
        values = [known.value * by for by in factors] + sorted(about(n for n in turns if n < HUGE))
        for value in values + values[::-1]:
            quantity = Quantity(value, known.unit)
            told = grade_reading(known.criterion, replace(reading, value=quantity), baseline)
            assert ready.grade_value(quantity) == told
