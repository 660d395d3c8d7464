"""The chance of ever crossing, and the event rate, against figures computed elsewhere."""

from itertools import product

import numpy as np
import pytest
from scipy import integrate, stats

from services.safety_rules.domain.stopping.design import make_design
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.prediction import (
    OutstandingPlan,
    compute_chance_at_looks,
    compute_conditional_chance,
    compute_pending_chance,
    compute_posterior_rate,
    compute_predictive_chance,
)

RULE_1 = SignedLimits(
    (1, *make_design("beta-binomial", 0.2, 0.1, 30, prior=(0.6, 2.4)).boundary), ()
)


def make_plan(events, complete, *, pending=(), sure=(), frozen=(), n=30, prior=(0.6, 2.4)):
    """A plan; *sure* are the numbers of those pending whose event is known."""
    return OutstandingPlan(
        events=events,
        complete=complete,
        risk=pending,
        size=pending,
        sure=tuple(number in sure for number in range(len(pending))),
        frozen_risk=frozen,
        frozen_size=sum(frozen),
        n=n,
        prior=prior,
    )


def test_rule_1_at_3_of_10():
    assert compute_predictive_chance(make_plan(3, 10), RULE_1) == pytest.approx(
        0.3304635695, abs=5e-11
    )
    assert compute_conditional_chance(make_plan(3, 10), RULE_1, 0.2) == pytest.approx(
        0.0890132748, abs=5e-11
    )


def density(p, state):
    unsure = [w for w, known in zip(state.risk, state.sure, strict=True) if not known]
    value = stats.beta.pdf(p, *state.prior) * p ** (state.events + sum(state.sure))
    value *= (1 - p) ** (state.complete - state.events)
    return value * np.prod([1 - p * w for w in (*unsure, *state.frozen_risk)])


def integrate_over_rates(function, state):
    return integrate.quad(lambda p: function(p) * density(p, state), 0, 1, epsabs=1e-13)[0]


STATES = [
    make_plan(3, 10, pending=(0.9, 0.5, 0.1), prior=(1.5, 2)),
    make_plan(2, 9, pending=(0.9, 0.5, 0.1), sure=(1,), prior=(1.5, 2)),
    make_plan(0, 5, pending=(0.7, 0.2), sure=(0, 1), frozen=(0.4,), prior=(1.2, 3)),
    make_plan(1, 4, pending=(0.3, 0.0), frozen=(0.6,), prior=(1, 1)),
    make_plan(0, 0, pending=(0.2,), frozen=(0.1, 0.8), prior=(1.2, 3)),
    make_plan(2, 6, pending=(0.95, 0.95, 0.2, 0.0), prior=(2, 2)),
]


@pytest.mark.parametrize("state", STATES)
def test_the_posterior_equals_numerical_integration(state):
    total = integrate_over_rates(lambda _: 1.0, state)
    mean, low, high = compute_posterior_rate(state)
    assert mean == pytest.approx(integrate_over_rates(lambda p: p, state) / total, abs=1e-9)
    for rate, tail in ((low, 0.025), (high, 0.975)):
        mass = integrate.quad(lambda p: density(p, state), 0, rate, epsabs=1e-13)[0]
        assert mass / total == pytest.approx(tail, abs=1e-8)


@pytest.mark.parametrize("state", STATES)
def test_the_predictive_chance_is_the_conditional_one_over_the_posterior(state):
    total = integrate_over_rates(lambda _: 1.0, state)
    expected = (
        integrate_over_rates(lambda p: compute_conditional_chance(state, RULE_1, p), state) / total
    )
    assert compute_predictive_chance(state, RULE_1) == pytest.approx(expected, abs=1e-9)


def test_the_chance_to_cross_enumerates_who_of_the_pending_will_have_the_event():
    state, p = make_plan(2, 6, pending=(0.9, 0.4, 0.0)), 0.3
    risks = [p * (1 - w) / (1 - p * w) for w in state.risk]
    expected = sum(
        np.prod([r if has else 1 - r for r, has in zip(risks, who, strict=True)])
        for who in product((True, False), repeat=3)
        if 2 + sum(who) >= 4
    )
    assert compute_pending_chance(state, 4, p) == pytest.approx(expected, abs=1e-12)


def test_what_is_reached_already_is_certain():
    assert compute_pending_chance(make_plan(4, 6), 4, 0.01) == 1.0


def test_more_events_than_the_next_look_needs_are_certain_to_cross_at_it():
    limit = SignedLimits((1, 2, 3, 4, 2, 6, 5), (4, 6))
    state = make_plan(3, 3, n=6)
    assert compute_conditional_chance(state, limit, 0.01) == pytest.approx(1.0)
    assert compute_predictive_chance(state, limit) == pytest.approx(1.0)


def test_a_known_event_that_counts_later_crosses_when_it_does():
    plan = OutstandingPlan(
        events=2,
        complete=6,
        risk=(0.5,),
        size=(0.0,),
        sure=(True,),
        frozen_risk=(),
        frozen_size=0.0,
        n=7,
        prior=(0.6, 2.4),
    )
    limit = SignedLimits((1, 2, 3, 3, 3, 4, 4, 3), ())
    assert compute_pending_chance(plan, 3, 0.01) == 1.0
    assert compute_predictive_chance(plan, limit) == pytest.approx(1.0)
    assert compute_conditional_chance(plan, limit, 0.01) == pytest.approx(1.0)
    assert compute_posterior_rate(plan) == compute_posterior_rate(make_plan(3, 7, n=7))


def test_those_pending_who_are_nearly_through_do_not_cross_on_their_way():
    """2 events with 5 pending at .95: the size is 6.75 already, where 5 events stop."""
    limit = SignedLimits((1, 2, 2, 3, 3, 4, 4, 5), ())
    state = make_plan(2, 2, pending=(0.95,) * 5, n=7)
    assert compute_predictive_chance(state, limit) < 1e-3


def find_predictive_share(weight):
    """Three pending at *weight*; the first of them reaches the only look, where 1 event stops.

    The others inform the rate. With a = .4, b = 1.6:
    integral of p^a q^(b-1) (1-w) (1-pw)^2 over that of p^(a-1) q^(b-1) (1-pw)^3.
    """

    def integrate_power(function):
        return integrate.quad(function, 0, 1, weight="alg", wvar=(-0.6, 0.6), epsabs=1e-13)[0]

    part = integrate_power(lambda p: p * (1 - weight) * (1 - p * weight) ** 2)
    return part / integrate_power(lambda p: (1 - p * weight) ** 3)


@pytest.mark.parametrize(
    ("weight", "predictive"), [(0.5, 0.0790739), (0.5002084201750729, 0.0790308)]
)
def test_who_completes_after_the_last_look_only_informs_the_rate(weight, predictive):
    limit = SignedLimits((1, 2, 1, 4, 5), (2,))
    state = make_plan(0, 0, pending=(weight,) * 3, n=4, prior=(0.4, 1.6))
    assert find_predictive_share(weight) == pytest.approx(predictive, abs=1e-7)
    expected = find_predictive_share(weight)
    assert compute_predictive_chance(state, limit) == pytest.approx(expected, abs=1e-9)


LOOKS = {  # looks, pending weights; how many of those pending complete up to the first look ahead
    "the first reaches it": ((2,), (0.5, 0.5, 0.5), 1),
    "at the look already": ((2,), (0.5, 0.75, 0.75), 0),
    "the second reaches it": ((2,), (0.25, 0.25, 0.5), 2),
    "the third reaches it": ((3,), (0.5, 0.5, 0.5), 3),
    "none reaches it": ((4,), (0.5, 0.5, 0.5), 0),
}


@pytest.mark.parametrize(("looks", "weights", "completions"), LOOKS.values(), ids=LOOKS)
def test_those_pending_cross_at_a_look_with_those_who_complete_up_to_it(
    looks, weights, completions
):
    """One event stops at the look: it is missed when nobody has the event by then."""
    table = tuple(1 if x in looks else x + 1 for x in range(5))
    state, p = make_plan(0, 0, pending=weights, n=4, prior=(0.4, 1.6)), 0.2
    missed = np.prod([(1 - p) / (1 - p * w) for w in weights[:completions]])
    chance = compute_chance_at_looks(state, SignedLimits(table, looks), p)
    assert chance == pytest.approx(1 - missed, abs=1e-12)
    assert chance <= compute_conditional_chance(state, SignedLimits(table, looks), p) + 1e-12
