"""Questions asked on the phone: a rule's chances at counts that somebody reads out."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.domain.stopping.design import make_design
from services.safety_rules.reports.chances import find_chances

FOLDER = Path(__file__).parents[2] / "studies" / "blina-hsct"
S1 = load_rules(FOLDER).rules.protocol.rules[0]
DESIGN = make_design("beta-binomial", 0.2, 0.1, 30, prior=(0.6, 2.4))
RULE_1 = replace(
    S1,
    stop_when=replace(
        S1.stop_when, p0=0.2, alpha=0.1, n=30, boundary=DESIGN.steps,
        parameters={"prior": (0.6, 2.4)},
    ),
)  # fmt: skip


def test_rule_1_at_3_of_10():
    answer = find_chances(RULE_1, 3, 10, rates=(0.2,))
    assert answer.predictive == pytest.approx(0.3304635695, abs=5e-11)
    (chance,) = answer.chances
    assert chance.by_n == pytest.approx(0.0890132748, abs=5e-11)
    assert chance.pending == 0.0
    assert (answer.boundary, answer.events_left, answer.free_until_rise) == (5, 2, 1)
    assert answer.rate[0] == pytest.approx(3.6 / 13)


@pytest.mark.parametrize(
    ("events", "complete", "is_reached"),
    [(2, 1 + 1, True), (1, 2, False), (2, 4, True), (2, 5, False), (3, 5, True), (0, 0, False)],
)
def test_the_boundary_is_reached_at_its_number_and_not_before(events, complete, is_reached):
    answer = find_chances(S1, events, complete)
    assert answer.is_reached == is_reached
    assert (answer.predictive == 1.0) == is_reached
    assert all((chance.by_n == 1.0) == is_reached for chance in answer.chances)


def test_grouped_looks_compare_at_a_look_alone():
    rule = replace(S1, looks=(5, 10))
    assert not find_chances(rule, 3, 4).is_reached
    assert find_chances(rule, 3, 5).is_reached
    assert not find_chances(rule, 3, 6).is_reached


def test_those_pending_may_reach_it_and_those_to_come_too():
    all_complete, with_pending = find_chances(S1, 1, 4), find_chances(S1, 1, 4, pending=(0.5, 0.0))
    assert with_pending.size == 4.5
    assert all_complete.chances[0].pending == 0.0
    assert 0 < with_pending.chances[0].pending <= with_pending.chances[0].by_n
    # both have the event: 3 of 6, with the risk that is left to each at p0 = .05
    assert with_pending.chances[0].pending == pytest.approx(0.05 * 0.5 / (1 - 0.025) * 0.05)


def test_no_event_has_an_exact_upper_limit():
    assert find_chances(S1, 0, 12).rate_at_most == pytest.approx(1 - 0.05 ** (1 / 12))
    assert find_chances(S1, 1, 12).rate_at_most is None
    assert find_chances(S1, 0, 0).rate_at_most is None


def test_a_prior_of_one_s_own_takes_the_place_of_the_rule_s():
    assert find_chances(S1, 0, 0).prior == (0.1, 1.9)
    answer = find_chances(S1, 0, 0, prior=(1, 1))
    assert answer.prior == (1, 1)
    assert answer.rate[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [
        ((-1, 3), {}, "events must be from 0 to the 3 participants, not -1"),
        ((4, 3), {}, "events must be from 0 to the 3 participants, not 4"),
        ((0, 41), {}, "of and pending must be 40 participants at most"),
        ((0, 39), {"pending": (0.1, 0.2)}, "of and pending must be 40 participants at most"),
        ((0, 3), {"pending": (1.1,)}, "pending must be weights from 0 to 1"),
        ((0, 3), {"pending": (float("nan"),)}, "pending must be weights from 0 to 1"),
        ((0, 3), {"rates": (1.5,)}, "rates must be from 0 to 1, not 1.5"),
        ((0, 3), {"prior": (1.0,)}, "prior must be 2"),
        ((0, 3), {"prior": (0.0, 1.0)}, "prior must be above 0"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, options, problem):
    with pytest.raises(ValueError, match=problem):
        find_chances(S1, *arguments, **options)


def test_the_whole_plan_may_be_read_out():
    answer = find_chances(S1, 5, 40, rates=(0.05,))
    assert not answer.is_reached
    assert answer.predictive == 0.0
    assert answer.free_until_rise is None
    assert find_chances(S1, 6, 40).is_reached
