"""What is looked up in what is kept in order is what reading through all of it would find."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.safety_rules.domain.dosing.multiples_of_uln import UlnResult
from services.safety_rules.domain.dosing.results import MeasureResults
from services.safety_rules.domain.facts.nearest_reading import NearestReadings
from tests.helpers.fact_notes import hours, lab

WITHIN = timedelta(hours=6)
ALL_HOURS = [hours(hour / 2) for hour in range(-2, 44)]
CHANGES = st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 2)), max_size=25)


def nearest_of_all(standing, at):
    near = [one for one in standing.values() if abs(one.observed_at - at) <= WITHIN]
    least = min(near, key=lambda f: (abs(f.observed_at - at), f.observed_at, f.id), default=None)
    return least and least.body.value


@settings(max_examples=200, deadline=None)
@given(CHANGES)
def test_the_nearest_reading_changes_only_where_it_is_said_to(changes):
    readings, standing = NearestReadings(WITHIN), {}
    for stands, hour, number in changes:
        fact = lab("albumin", f"{hour}.{number}", hours(hour), "g/L", name=f"{hour}-{number}")
        if (fact.id in standing) is stands:
            continue
        before = {at: readings.find_nearest(at) for at in ALL_HOURS}
        since, until = readings.change(fact, stands=stands)
        if stands:
            standing[fact.id] = fact
        else:
            del standing[fact.id]
        for at in ALL_HOURS:
            found = readings.find_nearest(at)
            assert found == nearest_of_all(standing, at)
            assert since <= at <= until or found == before[at]


def result(hour, number, value):
    lies = None if value is None else Range(RangeEnd(Decimal(value)), RangeEnd(Decimal(value)))
    return UlnResult(
        hours(hour), "alt", lies, Decimal(1), f"{hour}-{number}", "", provisional=False
    )


def telling_of_all(results, multiple):
    """Those over the limit, and those that end it: found by reading through all."""
    found, is_over = [], False
    for one in sorted(results, key=lambda r: (r.observed_at, r.fact)):
        over = one.is_over(multiple)
        if over or (over is False and is_over):
            found.append(one)
        is_over = is_over if over is None else over
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 20), st.integers(0, 1)), st.sampled_from((1, 4, None))
    ),
    st.data(),
)
def test_results_over_a_limit_are_those_of_all_that_stand(drawn, data):
    multiple, results = Decimal(3), MeasureResults()
    results.list_above(
        multiple, hours(0)
    )  # asked before there is any, so that it is kept up to date
    standing = [result(*when, value) for when, value in drawn.items()]
    for one in standing:
        results.insert(one)
    gone = data.draw(st.sets(st.sampled_from(standing))) if standing else set()
    for one in gone:
        results.remove(one.observed_at, one.fact)
    standing = [one for one in standing if one not in gone]
    assert list(results.list_limit_changes(multiple, hours(0))) == telling_of_all(
        standing, multiple
    )
    in_order = sorted(standing, key=lambda r: (r.observed_at, r.fact))
    since = [one for one in in_order if one.observed_at >= hours(5)]
    assert (results.find_first(hours(5)), results.find_last(hours(5))) == (
        next(iter(since), None),
        since[-1] if since else None,
    )
    assert list(results.list_between(hours(5), hours(9))) == [
        r for r in since if r.observed_at <= hours(9)
    ]
    assert [results.is_below(one, multiple) for one in in_order] == [
        one.is_below(multiple) for one in in_order
    ]
