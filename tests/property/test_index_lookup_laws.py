"""A lookup in an ordered index finds the same as reading through all its entries."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult
from services.safety_rules.domain.dosing.results import MeasureResults
from services.safety_rules.domain.facts.nearest_reading import NearestReadings
from tests.helpers.fact_notes import hours, lab

WINDOW = timedelta(hours=6)
ALL_HOURS = [hours(hour / 2) for hour in range(-2, 44)]
CHANGES = st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 2)), max_size=25)


def find_nearest(standing, instant):
    candidates = [one for one in standing.values() if abs(one.observed_at - instant) <= WINDOW]
    nearest = min(
        candidates, key=lambda f: (abs(f.observed_at - instant), f.observed_at), default=None
    )
    same_instant = (f for f in candidates if nearest and f.observed_at == nearest.observed_at)
    return sorted(same_instant, key=lambda f: f.id)


@settings(max_examples=200, deadline=None)
@given(CHANGES)
def test_the_nearest_reading_changes_only_where_it_is_said_to(changes):
    readings, standing = NearestReadings(WINDOW), {}
    for stands, hour, number in changes:
        fact = lab("albumin", f"{hour}.{number}", hours(hour), "g/L", name=f"{hour}-{number}")
        if (fact.id in standing) is stands:
            continue
        facts_before = {instant: readings.list_nearest_facts(instant) for instant in ALL_HOURS}
        start, end = readings.change(fact, stands=stands)
        if stands:
            standing[fact.id] = fact
        else:
            del standing[fact.id]
        for instant in ALL_HOURS:
            facts = readings.list_nearest_facts(instant)
            assert facts == find_nearest(standing, instant)
            assert readings.list_nearest(instant) == [one.body.value for one in facts]
            assert start <= instant <= end or facts == facts_before[instant]


def result(hour, number, value):
    lies = None if value is None else Range(RangeEnd(Decimal(value)), RangeEnd(Decimal(value)))
    return UlnResult(
        hours(hour), "alt", lies, Decimal(1), f"{hour}-{number}", "", provisional=False
    )


def find_decisive_results(results, multiple):
    """Results over the limit and the first after each that are not, by reading through all."""
    decisive, is_over = [], False
    instants_over = {r.observed_at for r in results if r.is_over(multiple)}
    for candidate in sorted(results, key=lambda r: (r.observed_at, r.fact)):
        verdict = candidate.is_over(multiple)
        if verdict is False and candidate.observed_at in instants_over:
            continue
        if verdict or (verdict is False and is_over):
            decisive.append(candidate)
        is_over = is_over if verdict is None else verdict
    return decisive


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 20), st.integers(0, 1)), st.sampled_from((1, 4, None))
    ),
    st.data(),
)
def test_results_over_a_limit_are_those_of_all_that_stand(values, data):
    multiple, results = Decimal(3), MeasureResults()
    results.list_above(
        multiple, hours(0)
    )  # asked before there is any, so that it is kept up to date
    standing = [result(*when, value) for when, value in values.items()]
    for candidate in standing:
        results.insert(candidate)
    removed_results = data.draw(st.sets(st.sampled_from(standing))) if standing else set()
    for candidate in removed_results:
        results.remove(candidate.observed_at, candidate.fact)
    standing = [candidate for candidate in standing if candidate not in removed_results]
    assert list(results.list_limit_changes(multiple, hours(0))) == find_decisive_results(
        standing, multiple
    )
    in_order = sorted(standing, key=lambda r: (r.observed_at, r.fact))
    later = [one for one in in_order if one.observed_at >= hours(5)]
    assert results.find_first(hours(5)) == next(iter(later), None)
    assert list(results.list_last(hours(5))) == [
        r for r in later if r.observed_at == later[-1].observed_at
    ]
    assert list(results.list_between(hours(5), hours(9))) == [
        r for r in later if r.observed_at <= hours(9)
    ]
    assert [results.is_below(one, multiple) for one in in_order] == [
        one.is_below(multiple) for one in in_order
    ]
