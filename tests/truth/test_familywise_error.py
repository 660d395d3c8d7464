"""Familywise error: the chance that several rules together stop a safe trial."""

import pytest

from services.safety_rules.domain.stopping.design import make_design
from services.safety_rules.domain.stopping.familywise_error import (
    PersonTimeTrial,
    simulate_familywise_error,
)
from services.safety_rules.domain.stopping.person_time_design import make_person_time_design
from services.safety_rules.domain.stopping.person_time_plan import PersonTimePlan, compute_hazard

COIN = make_design("table", 0.5, 0.6, 1, boundary=(1,))
RARE = make_design("table", 0.1, 0.6, 1, boundary=(1,))
EACH = make_design("table", 1 - 1e-12, 0.6, 1, boundary=(1,))
TRIAL = [
    make_design("beta-binomial", p0, 0.05, 40, prior=(2 * p0, 2 * (1 - p0)))
    for p0 in (0.05, 0.10, 0.30, 0.05)
]


def test_the_trial_s_four_rules_jointly_stop_a_safe_trial_with_probability_181():
    chances = simulate_familywise_error(TRIAL, (0.0,))
    assert chances.independent == pytest.approx(0.181, abs=5e-4)
    assert chances.nominal == pytest.approx(1 - 0.95**4)
    assert chances.chances == ((0.0, pytest.approx(0.181, abs=4 * chances.error)),)


@pytest.mark.parametrize(
    ("rules", "rho", "chance"),
    [
        ([COIN, COIN], 0.0, 0.75),
        ([COIN, COIN], 0.5, 1 - (0.25 + 1 / 12)),  # both above the median: 1/4 + asin(rho)/(2 pi)
        ([COIN, COIN], 1.0, 0.5),
        ([COIN, RARE], 1.0, 0.5),
        ([COIN, RARE], 0.0, 0.55),
    ],
)
def test_events_that_come_together_stop_less_often(rules, rho, chance):
    chances = simulate_familywise_error(rules, (rho,))
    assert chances.chances == ((rho, pytest.approx(chance, abs=4 * chances.error)),)


def test_without_a_correlation_nothing_is_simulated_and_nothing_is_in_doubt():
    chances = simulate_familywise_error([COIN, RARE], ())
    assert (chances.chances, chances.error) == ((), 0.0)
    assert chances.independent == pytest.approx(0.55)


def test_the_error_is_that_of_the_chance_nearest_to_one_half():
    chances = simulate_familywise_error([COIN, COIN], (0.0, 1.0), trials=400)
    assert [chance for _, chance in chances.chances] == pytest.approx([0.75, 0.5], abs=0.1)
    assert chances.error == pytest.approx(0.5 / 20, rel=0.01)


def test_a_seed_gives_the_same_chances_each_time_in_however_many_rounds():
    assert simulate_familywise_error(TRIAL, (0.3,), trials=500) == simulate_familywise_error(
        TRIAL, (0.3,), trials=500
    )
    assert simulate_familywise_error(
        TRIAL, (0.3,), trials=500, seed=1
    ) != simulate_familywise_error(TRIAL, (0.3,), trials=500, seed=2)


def test_rules_of_different_lengths_and_looks_each_keep_their_own():
    short = make_design("table", 0.5, 0.6, 2, looks=(2,), boundary=(2,))
    chances = simulate_familywise_error([short, COIN], (0.0,))
    assert chances.independent == pytest.approx(1 - 0.75 * 0.5)
    assert chances.chances == ((0.0, pytest.approx(0.625, abs=4 * chances.error)),)


HAZARD = compute_hazard(0.15, 100)


@pytest.mark.parametrize("looks", [(), (1000, 2500, 5000)], ids=["each event", "three looks"])
def test_a_rule_of_person_time_stops_a_safe_trial_as_often_as_its_exact_error(looks):
    plan = PersonTimePlan(5000, HAZARD, looks=looks)
    design = make_person_time_design("poisson-maxsprt", 0.1, plan)
    chances = simulate_familywise_error([PersonTimeTrial(design, 0.15, 75)], (0.0,), trials=20_000)
    assert chances.independent == design.attained_alpha
    assert chances.chances == ((0.0, pytest.approx(design.attained_alpha, abs=4 * chances.error)),)


def make_table(p0, *limits, planned=100, looks=()):
    plan = PersonTimePlan(planned, compute_hazard(p0, 100), looks=looks)
    return make_person_time_design("poisson-table", 0.6, plan, limits=limits)


# participants at a risk of 1/2 in 100 days, a rule of person-time; its chance to stop
TIMES = {
    "one event by day 50": (1, make_table(0.5, 50), 1 - 0.5**0.5),
    "an event at all": (1, make_table(0.5, 100), 0.5),
    "one of one, compared at day 50": (1, make_table(0.5, 50, looks=(50, 100)), 1 - 0.5**0.5),
    "one event by day 100, of two": (2, make_table(0.5, 100), 0.5),
    "two events, of one": (1, make_table(0.5, 0, 100), 0.0),
}


@pytest.mark.parametrize(("n", "design", "chance"), TIMES.values(), ids=TIMES)
def test_participants_are_followed_one_after_the_other(n, design, chance):
    trial = PersonTimeTrial(design, 0.5, n)
    chances = simulate_familywise_error([trial], (0.0,))
    assert chances.chances == ((0.0, pytest.approx(chance, abs=4 * chances.error)),)
    assert chances.nominal == pytest.approx(0.6)


def test_what_stops_no_trial_and_what_stops_each_is_counted_exactly():
    never = PersonTimeTrial(make_table(0.5, 0, 100), 0.5, 1)
    chances = [simulate_familywise_error([one], (0.0,), trials=100) for one in (never, EACH)]
    assert [one.chances for one in chances] == [((0.0, 0.0),), ((0.0, 1.0),)]


def test_rules_of_both_kinds_stop_less_often_when_their_events_come_together():
    rules = [COIN, PersonTimeTrial(make_table(0.5, 100), 0.5, 1)]
    chances = simulate_familywise_error(rules, (0.0, 1.0))
    assert [chance for _, chance in chances.chances] == pytest.approx(
        [0.75, 0.5], abs=4 * chances.error
    )
