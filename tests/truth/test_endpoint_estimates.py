"""Survival and incidence against hand-worked cases and a second implementation in exact fractions.

The second implementation multiplies transition matrices day by day, and carries the covariance of
every state: it shares neither formula nor arithmetic with the code.
"""

import math
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety_rules.domain.endpoints.confidence_intervals import (
    estimate_incidence,
    estimate_proportion,
    estimate_survival,
)
from services.safety_rules.domain.endpoints.incidence import aalen_johansen
from services.safety_rules.domain.endpoints.risk_sets import Spell, find_risk_sets
from services.safety_rules.domain.endpoints.survival import kaplan_meier

Z = NormalDist().inv_cdf(0.975)
CAUSES = ("event", "other", "third")


def read_spells(text):
    """``60-70e 60-90``: at risk from day 60 to an event on day 70; censored on day 90."""
    names = {"e": "event", "o": "other", "t": "third"}
    parsed_spells = []
    for number, word in enumerate(text.split()):
        entry, _, last = word.partition("-")
        parsed_spells.append(
            Spell(f"P-{number}", int(entry), int(last.rstrip("eot")), names.get(last[-1], ""))
        )
    return parsed_spells


def incidence(text, cause="event"):
    return [
        (p.day, p.estimate.value) for p in aalen_johansen(find_risk_sets(read_spells(text)), cause)
    ]


def survival(text):
    return [(p.day, p.estimate.value) for p in kaplan_meier(find_risk_sets(read_spells(text)))]


HAND_WORKED = {
    # by hand: 5 at risk, 1 dies; then 3 (one censored), 1 dies: 4/5, 4/5 * 2/3
    "no delay": ("0-10e 0-15 0-20e 0-30 0-30", [(10, 4 / 5), (20, 8 / 15)]),
    # who enters on day 20 is at risk on day 20: 1/1 is not lost
    "enters on the day of another's event": ("0-20e 20-30 0-30", [(20, 2 / 3)]),
    "enters after it": ("0-20e 21-30 0-30", [(20, 1 / 2)]),
    "has the event on the day of entry": ("20-20e 0-30 0-30", [(20, 2 / 3)]),
    "censored on the day of an event is at risk": ("0-20 0-20e", [(20, 1 / 2)]),
    "tied": ("0-20e 0-20e 0-30 0-30", [(20, 1 / 2)]),
    "nobody left": ("0-10e 0-20e", [(10, 1 / 2), (20, 0.0)]),
}


@pytest.mark.parametrize(("text", "expected"), HAND_WORKED.values(), ids=HAND_WORKED)
def test_survival_by_hand(text, expected):
    assert survival(text) == pytest.approx([pytest.approx(point) for point in expected])


COMPETING = {
    # 5 at risk: 1/5 events; 4 left: 1 competes, S 3/5; 3 at risk: 3/5 * 1/3
    "one competes": ("0-10e 0-20o 0-30e 0-40 0-40", [(10, 1 / 5), (20, 1 / 5), (30, 2 / 5)]),
    # 1 - Kaplan-Meier would be 1 - 4/5 * 2/3 = 7/15
    "tied with what competes": ("0-10e 0-10o 0-30e 0-40", [(10, 1 / 4), (30, 1 / 2)]),
    # day 70: of P-0, P-1; day 80: S 1/2, of P-1, P-2, P-3
    "delayed": ("60-70o 60-90 75-80e 75-90", [(70, 0.0), (80, 1 / 6)]),
}


@pytest.mark.parametrize(("text", "expected"), COMPETING.values(), ids=COMPETING)
def test_incidence_by_hand(text, expected):
    assert incidence(text) == [pytest.approx(point) for point in expected]


def test_the_published_remission_data():
    """6-mercaptopurine arm: survival .857, .807, .753, .690, .627, .538, .448; error at 6 .0764.

    Source: Freireich et al. 1963, Blood 21:699-716; Kalbfleisch, Prentice 2002, table 1.1
    """
    events = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
    censored = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
    text = [f"0-{day}e" for day, count in events.items() for _ in range(count)]
    text += [f"0-{day}" for day in censored]
    points = list(kaplan_meier(find_risk_sets(read_spells(" ".join(text)))))
    assert [round(p.estimate.value, 3) for p in points] == [
        0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448,
    ]  # fmt: skip
    assert [p.at_risk for p in points] == [21, 17, 15, 12, 11, 7, 6]
    assert (points[0].estimate.low, points[0].estimate.high) == pytest.approx(
        (0.6197, 0.9516), abs=5e-5
    )


def multiply_matrices(spells, cause):
    """State probabilities and their covariance after each day, by products of matrices."""
    states = 1 + len(CAUSES)
    state = [Fraction(1), *[Fraction(0)] * len(CAUSES)]
    covariance = [[Fraction(0)] * states for _ in range(states)]
    rows = []
    for day in range(max(s.last for s in spells) + 1):
        n = sum(s.entry <= day and s.last >= day for s in spells)
        counts = [sum(s.cause == c and s.last == day for s in spells) for c in CAUSES]
        if not sum(counts):
            continue
        hazards = [Fraction(c, n) for c in counts]
        step = [[Fraction(int(i == j)) for j in range(states)] for i in range(states)]
        step[0] = [1 - sum(hazards), *hazards]
        row = step[0]  # a participant at risk goes to one state: multinomial
        noise = [
            [(row[i] * int(i == j) - row[i] * row[j]) / n for j in range(states)]
            for i in range(states)
        ]
        carried_covariance = [
            [
                sum(
                    step[k][i] * covariance[k][m] * step[m][j]
                    for k in range(states)
                    for m in range(states)
                )
                for j in range(states)
            ]
            for i in range(states)
        ]
        covariance = [
            [carried_covariance[i][j] + state[0] ** 2 * noise[i][j] for j in range(states)]
            for i in range(states)
        ]
        state = [sum(state[k] * step[k][j] for k in range(states)) for j in range(states)]
        place = 1 + CAUSES.index(cause)
        rows.append((day, state[0], covariance[0][0], state[place], covariance[place][place]))
    return rows


SPELLS = st.lists(
    st.builds(
        lambda entry, stay, cause: (entry, entry + stay, cause),
        st.integers(0, 8),
        st.integers(0, 8),
        st.sampled_from(("", *CAUSES)),
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: [Spell(f"P-{i}", *row) for i, row in enumerate(rows)])


def limits(value, low, high):
    return (value, pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))


@given(SPELLS)
def test_incidence_and_its_interval_as_by_exact_matrices(spells):
    points = list(aalen_johansen(find_risk_sets(spells), "event"))
    exact = multiply_matrices(spells, "event")
    assert [p.day for p in points] == [day for day, *_ in exact]
    for point, (_, _, _, value, variance) in zip(points, exact, strict=True):
        assert point.estimate.value == pytest.approx(float(value), abs=1e-12)
        if not 0 < value < 1:
            continue
        free = 1 - float(value)
        reach = math.exp(Z * math.sqrt(variance) / (free * abs(math.log(free))))
        assert point.estimate.low == pytest.approx(1 - free ** (1 / reach), abs=1e-9)
        assert point.estimate.high == pytest.approx(1 - free**reach, abs=1e-9)


@given(SPELLS)
def test_survival_and_its_interval_as_by_exact_matrices(spells):
    points = list(kaplan_meier(find_risk_sets(spells)))
    for point, (_, free, variance, _, _) in zip(
        points, multiply_matrices(spells, "event"), strict=True
    ):
        assert point.estimate.value == pytest.approx(float(free), abs=1e-12)
        if 0 < free < 1:
            s = float(free)
            reach = math.exp(Z * math.sqrt(variance) / s / abs(math.log(s)))
            assert point.estimate.low == pytest.approx(s**reach, abs=1e-9)
            assert point.estimate.high == pytest.approx(s ** (1 / reach), abs=1e-9)


@given(SPELLS)
def test_surviving_and_every_incidence_sum_to_one(spells):
    sets = find_risk_sets(spells)
    estimates_by_day = zip(
        kaplan_meier(sets), *(aalen_johansen(sets, cause) for cause in CAUSES), strict=True
    )
    for points in estimates_by_day:
        assert sum(p.estimate.value for p in points) == pytest.approx(1, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(CAUSES)), min_size=2, max_size=15))
def test_followed_in_full_the_incidence_is_a_proportion_with_its_binomial_variance(outcomes):
    spells = [Spell(f"P-{i}", 0, day, cause) for i, (day, cause) in enumerate(outcomes)]
    n, count = len(spells), sum(cause == "event" for _, cause in outcomes)
    last = list(aalen_johansen(find_risk_sets(spells), "event"))[-1].estimate
    assert last.value == pytest.approx(count / n)
    if 0 < count < n:
        expected = estimate_incidence(count / n, count / n * (1 - count / n) / n)
        assert (last.low, last.high) == pytest.approx((expected.low, expected.high))


@given(SPELLS, st.randoms())
def test_the_order_of_participants_changes_no_bit(spells, chance):
    shuffled_spells = chance.sample(spells, len(spells))
    for cause in CAUSES:
        points = list(aalen_johansen(find_risk_sets(spells), cause))
        assert points == list(aalen_johansen(find_risk_sets(shuffled_spells), cause))


def test_one_minus_kaplan_meier_would_say_more_where_events_compete():
    text = "0-10o 0-20e 0-30o 0-40e 0-50"
    assert incidence(text)[-1][1] == pytest.approx(2 / 5)
    alone = [
        Spell(s.participant, s.entry, s.last, s.cause if s.cause == "event" else "")
        for s in read_spells(text)
    ]
    assert 1 - list(kaplan_meier(find_risk_sets(alone)))[-1].estimate.value == pytest.approx(5 / 8)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_there_is_no_interval_where_nothing_or_everything_happened(value):
    for estimate in (estimate_survival(value, 0.1), estimate_incidence(value, 0.1)):
        assert (estimate.value, estimate.low, estimate.high) == (value, None, None)


# Source: Clopper, Pearson 1934; the ends solve P(X >= x) = .025 and P(X <= x) = .025
PROPORTIONS = {
    (0, 21): (0, 1 - 0.025 ** (1 / 21)),
    (21, 21): (0.025 ** (1 / 21), 1),
    (1, 1): (0.025, 1),
    (7, 21): (0.1458769, 0.5696755),
}


@pytest.mark.parametrize(("counts", "ends"), PROPORTIONS.items())
def test_an_exact_interval(counts, ends):
    estimate = estimate_proportion(*counts).estimate
    assert (estimate.low, estimate.high) == pytest.approx(ends, abs=5e-7)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_of_an_exact_interval_leave_one_fortieth_in_each_tail(counts):
    count, n = counts
    estimate = estimate_proportion(count, n).estimate

    def tail(p, range_):
        return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range_)

    if count:
        assert tail(estimate.low, range(count, n + 1)) == pytest.approx(0.025)
    if count < n:
        assert tail(estimate.high, range(count + 1)) == pytest.approx(0.025)


@pytest.mark.parametrize(("count", "total"), [(-1, 3), (4, 3)])
def test_no_proportion_of_more_than_there_are(count, total):
    with pytest.raises(ValueError, match=f"count must be from 0 to 3, not {count}"):
        estimate_proportion(count, total)


def test_nobody_leaves_before_entering():
    with pytest.raises(ValueError, match="P-1 leaves on day 4, before 5"):
        Spell("P-1", 5, 4)
