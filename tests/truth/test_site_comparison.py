"""One site beside the rest: Fisher's exact test and Holm's adjustment, computed otherwise."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.safety_rules.domain.comparison.site_comparison import (
    SiteTable,
    adjust_by_holm,
    adjust_p_values,
    run_fisher_test,
)


def test_the_lady_who_tasted_tea():
    """Source: Fisher 1935, The Design of Experiments, section 11: 17 of 70, and 1 of 70."""
    comparison = run_fisher_test(
        SiteTable(events=3, participants=4, other_events=1, other_participants=4)
    )
    assert comparison.one_sided == pytest.approx(17 / 70)
    assert comparison.two_sided == pytest.approx(34 / 70)
    assert comparison.smallest_one_sided == pytest.approx(1 / 70)
    assert comparison.smallest_two_sided == pytest.approx(2 / 70)


def enumerate_p_values(table):
    """P-values from every way to place the events on the participants, all equally likely."""
    participants = range(table.participants + table.other_participants)
    events = table.events + table.other_events
    counts = [
        sum(p < table.participants for p in chosen) for chosen in combinations(participants, events)
    ]
    chance = {k: Fraction(counts.count(k), len(counts)) for k in set(counts)}
    return (
        sum(p for k, p in chance.items() if k >= table.events),
        sum(p for p in chance.values() if p <= chance[table.events]),
        chance[max(chance)],
        min(sum(p for p in chance.values() if p <= chance[k]) for k in chance),
    )


TABLES = st.tuples(st.integers(0, 5), st.integers(0, 6)).flatmap(
    lambda sizes: st.builds(
        SiteTable,
        st.integers(0, sizes[0]),
        st.just(sizes[0]),
        st.integers(0, sizes[1]),
        st.just(sizes[1]),
    )
)


@given(TABLES)
def test_as_by_enumeration(table):
    comparison = run_fisher_test(table)
    assert (
        comparison.one_sided,
        comparison.two_sided,
        comparison.smallest_one_sided,
        comparison.smallest_two_sided,
    ) == pytest.approx(tuple(map(float, enumerate_p_values(table))))


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_as_scipy_computes_it(participants, other_participants, data):
    a, b = data.draw(st.integers(0, participants)), data.draw(st.integers(0, other_participants))
    table = [[a, participants - a], [b, other_participants - b]]
    comparison = run_fisher_test(SiteTable(a, participants, b, other_participants))
    assert comparison.one_sided == pytest.approx(stats.fisher_exact(table, "greater").pvalue)
    assert comparison.two_sided == pytest.approx(stats.fisher_exact(table).pvalue)


def test_in_a_small_network_a_site_cannot_stand_out_and_that_is_said():
    assert run_fisher_test(SiteTable(2, 2, 2, 10)).smallest_one_sided == pytest.approx(6 / 66)


@pytest.mark.parametrize(
    ("given_p", "expected"),
    [
        ([], ()),
        ([0.2], (0.2,)),
        ([0.01, 0.02, 0.03], (0.03, 0.04, 0.04)),
        ([0.04, 0.01], (0.04, 0.02)),
        ([0.6, 0.7], (1.0, 1.0)),
        ([0.01, 0.01], (0.02, 0.02)),
    ],
)
def test_holm_by_hand(given_p, expected):
    assert adjust_by_holm(given_p) == pytest.approx(expected)


ABLE = [
    # p, the smallest that each could be, adjusted
    ([0.0066, 1.0, 1.0], [0.0066, 0.0066, 0.0066], (0.0198, 1.0, 1.0)),
    ([0.0066, 0.33], [0.0066, 0.33], (0.0066, None)),  # who cannot costs nothing
    ([0.33, 0.33], [0.33, 0.33], (None, None)),
    ([0.02, 0.02, 0.02], [0.02, 0.02, 0.02], (None, None, None)),  # 3 x .02 is above the level
    ([0.02, 0.03], [0.02, 0.02], (0.04, 0.04)),
    ([0.05], [0.05], (0.05,)),
    ([], [], ()),
]


@pytest.mark.parametrize(("given_p", "smallest_p", "expected"), ABLE)
def test_only_comparisons_that_can_stand_out_are_adjusted_for(given_p, smallest_p, expected):
    assert adjust_p_values(given_p, smallest_p, 0.05) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ((3, 2, 0, 1), "events must be from 0 to 2, not 3"),
        ((0, 2, 2, 1), "other_events must be from 0 to 1, not 2"),
        ((-1, 2, 0, 1), "events must be from 0 to 2, not -1"),
    ],
)
def test_no_table_has_more_events_than_participants(table, problem):
    with pytest.raises(ValueError, match=problem):
        SiteTable(*table)
