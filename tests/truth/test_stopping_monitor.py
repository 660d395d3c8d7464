"""Decisions of the stopping monitor, worked out by hand from the design for a few participants.

The rule: Beta(0.1, 1.9), p0 .05, n 40, stop at 2 of 2-4, 3 of 5-11, 4 of 12-21 ...; an onset curve
of mean 5 days over windows of 40 days. Days are counted from ``START``.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from math import exp, inf

import numpy as np
import pytest
from scipy import integrate, stats

from services.charts.boundary import draw_boundary_chart
from services.cli.shared.rules_table import make_rules_table
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.observation import observe_standings
from services.safety_rules.domain.stopping.pending import find_curve_faults, weigh_follow_up
from services.safety_rules.domain.stopping.policies import POLICIES
from services.safety_rules.reports.rule_notes import list_notes
from services.vocabulary.decision import Signal, Uncountable
from services.vocabulary.judgement import Answer, Determination
from services.vocabulary.protocol import Curve
from services.vocabulary.standing import CompetingEvent, CountedEvent, ObservedStanding, Standing
from tests.helpers.protocols import CRS, PROTOCOL

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = 40


def day(number):
    return START + timedelta(days=number)


def make_event(event_day, *, confirmed=False):
    return (
        None
        if event_day is None
        else CountedEvent(day(event_day), f"crs@{event_day}", 3, confirmed)
    )


def observe(
    entry_day,
    last_day,
    event_day=None,
    *,
    name=None,
    competing_day=None,
    withdrawal_day=None,
    confirmed=None,
    upper=None,
):
    """A participant by days: first infusion, last observed, event, competing event, withdrawal."""
    standing = Standing(
        name or f"P-{entry_day:03}",
        CRS.id,
        day(entry_day),
        day(entry_day + WINDOW),
        frozen_at=None if withdrawal_day is None else day(withdrawal_day),
        event=make_event(event_day, confirmed=confirmed is not None),
        confirmed=make_event(confirmed, confirmed=True),
        upper=make_event(event_day if upper is None else upper),
        competing=None if competing_day is None else CompetingEvent(day(competing_day), "relapse"),
    )
    return ObservedStanding(standing, day(last_day))


def onset(days, mean=5.0):
    """F(t) / F(tau) of the exponential curve."""
    return (1 - exp(-days / mean)) / (1 - exp(-WINDOW / mean))


def decide(as_of, *observed, rule=CRS, answer=None):
    return decide_rule(PROTOCOL, rule, observed, day(as_of), answer)


# Two complete without event, one with the event on day 30, one followed for 3 days on day 60.
ONE_PENDING = (observe(0, 60), observe(1, 60), observe(28, 60, 30), observe(55, 58))
W = onset(3)


def test_counts_and_distances_to_the_boundary():
    decision = decide(60, *ONE_PENDING)
    assert (decision.events, decision.evaluable, decision.complete, decision.pending) == (
        1,
        4,
        3,
        1,
    )
    assert decision.ess == pytest.approx(3 + W)
    assert decision.pending_weights == pytest.approx((W,))
    assert (decision.boundary, decision.events_left, decision.free_until_rise) == (2, 1, 1)
    assert decision.signal is Signal.CONTINUE
    assert decision.crossed_since is None
    assert decision.data_to == day(60)


def test_certain_possible_and_the_chance_to_cross():
    decision = decide(60, *ONE_PENDING)
    assert not decision.certain  # 1 < b(4) = 2
    assert decision.possible  # 1 + 1 >= b(4)
    assert decision.p_cross_p0 == pytest.approx(0.05 * (1 - W) / (1 - 0.05 * W))
    mean = decision.posterior[0]
    assert decision.p_cross_posterior == pytest.approx(mean * (1 - W) / (1 - mean * W))


def density(p):
    return stats.beta.pdf(p, 0.1, 1.9) * p * (1 - p) ** 2 * (1 - p * W)


def test_the_posterior_is_that_of_its_density():
    decision = decide(60, *ONE_PENDING)
    total = integrate.quad(density, 0, 1)[0]
    mean, low, high = decision.posterior
    assert mean == pytest.approx(integrate.quad(lambda p: p * density(p), 0, 1)[0] / total)
    for rate, tail in ((low, 0.025), (high, 0.975)):
        assert integrate.quad(density, 0, rate)[0] / total == pytest.approx(tail, abs=1e-6)


def compute_crossing_chance(p):
    """P(ever crossing by 40 | p): the pending first, then 36 more, by enumeration of counts."""
    stops = [9, 9, 2, 2, 2, *[3] * 7, *[4] * 10, *[5] * 11, *[6] * 8]
    pending_risk = p * (1 - W) / (1 - p * W)
    chances, crossing_chance = {1: 1.0}, 0.0
    for x, risk in zip(range(4, 41), [pending_risk, *[p] * 36], strict=True):
        next_chances = {}
        for y, chance in chances.items():
            next_chances[y] = next_chances.get(y, 0) + chance * (1 - risk)
            next_chances[y + 1] = next_chances.get(y + 1, 0) + chance * risk
        crossing_chance += sum(chance for y, chance in next_chances.items() if y >= stops[x])
        chances = {y: chance for y, chance in next_chances.items() if y < stops[x]}
    return crossing_chance


def test_the_chance_of_ever_crossing_at_p0_and_over_the_posterior():
    decision = decide(60, *ONE_PENDING)
    assert decision.conditional_p0 == pytest.approx(compute_crossing_chance(0.05), abs=1e-10)
    total = integrate.quad(density, 0, 1)[0]
    expected = (
        integrate.quad(lambda p: compute_crossing_chance(p) * density(p), 0, 1, limit=200)[0]
        / total
    )
    assert decision.predictive == pytest.approx(expected, abs=1e-7)


def test_sensitivity_to_every_other_policy_and_to_faster_and_slower_onset():
    by_counting = {one.counting: one for one in decide(60, *ONE_PENDING).sensitivity}
    assert {name: one.ess for name, one in by_counting.items()} == pytest.approx(
        {
            "complete follow-up only": 2.0,  # P-028 with the event is counted on day 68
            "follow-up weighted by its length": 3 + 3 / 40,
            "everyone treated": 4.0,
            "onset twice as fast": 3 + onset(3, 2.5),
            "onset twice as slow": 3 + onset(3, 10.0),
        }
    )
    events = {name: one.events for name, one in by_counting.items()}
    assert events.pop("complete follow-up only") == 0
    assert set(events.values()) == {1}
    assert not any(one.crossed for one in by_counting.values())


def test_the_answer_may_hang_on_the_policy():
    """Treated one a day, events on days 2 and 3: four were treated by then, and 2 of 4 stop."""
    six = [observe(k, 9, event, name=f"P-{k}") for k, event in enumerate((2, 3, *[None] * 4))]
    decision = decide(9, *six)
    by_policy = {one.counting: one.crossed for one in decision.sensitivity}
    assert decision.path[-1].ess == pytest.approx(2 + onset(1) + onset(0))
    assert decision.signal is Signal.BOUNDARY_REACHED
    assert by_policy["everyone treated"]
    assert not by_policy["complete follow-up only"]
    (note,) = [note for note in list_notes(decision) if "counted otherwise" in note]
    assert note.startswith("not reached counted otherwise: complete follow-up only")


def test_a_silent_site_does_not_look_safe():
    later = decide(400, *ONE_PENDING)
    assert later.ess == decide(60, *ONE_PENDING).ess
    assert later.pending == 1


def test_withdrawal_freezes_follow_up_and_nobody_waits_for_it():
    decision = decide(100, observe(0, 90), observe(30, 90, withdrawal_day=33))
    assert decision.ess == pytest.approx(1 + onset(3))
    assert (decision.complete, decision.pending) == (1, 1)
    assert decision.p_cross_p0 == 0.0


@pytest.mark.parametrize(("withdrawal_day", "is_awaited"), [(39.99, False), (40, True), (41, True)])
def test_who_withdraws_at_the_end_of_the_window_or_later_is_awaited(withdrawal_day, is_awaited):
    with_event = observe(1, 50, 3)
    decision = decide(50, with_event, observe(0, 30, withdrawal_day=withdrawal_day))
    assert (decision.pending, decision.p_cross_p0 > 0) == (1, is_awaited)
    assert (decision == decide(50, with_event, observe(0, 30))) is is_awaited


def test_a_competing_event_counts_in_full_and_takes_the_event_after_it():
    decision = decide(20, observe(0, 20, 9, competing_day=5), observe(1, 20, 4))
    assert (decision.events, decision.complete, decision.ess) == (1, 2, 2.0)


@pytest.mark.parametrize(("competing_day", "events"), [(8.99, 0), (9, 1), (9.01, 1)])
def test_an_event_at_the_instant_of_a_competing_one_counts(competing_day, events):
    decision = decide(20, observe(0, 20, 9, competing_day=competing_day))
    assert (decision.events, decision.complete) == (events, 1)


@pytest.mark.parametrize(
    ("as_of", "counts"), [(4 - 1e-6, (0, 1, 0)), (4, (1, 2, 1)), (4 + 1e-6, (1, 2, 1))]
)
def test_what_is_dated_at_the_data_cut_has_happened(as_of, counts):
    """An event, a competing one and a first infusion, all on day 4."""
    rule = replace(CRS, policy="everyone_treated")
    observed = (observe(0, 60, 4), observe(4, 60, name="treated"))
    decision = decide(as_of, *observed, rule=rule)
    assert (decision.events, decision.evaluable, decision.complete) == counts
    assert decision.ess == decision.evaluable
    assert decide(as_of, observe(0, 60, competing_day=4)).complete == counts[2]


PRIORS = {  # parameters of a rule; the Beta prior of its posterior rate
    "its own": ({"prior": (0.5, 1.5)}, (0.5, 1.5)),
    "none: two participants at p0": ({}, (0.1, 1.9)),
}


@pytest.mark.parametrize(("parameters", "prior"), PRIORS.values(), ids=PRIORS)
def test_the_rate_has_the_prior_of_the_rule_or_that_of_two_participants(parameters, prior):
    rule = replace(CRS, stop_when=replace(CRS.stop_when, parameters=parameters))
    decision = decide(60, observe(0, 60), observe(1, 60), observe(28, 60, 30), rule=rule)
    a, b = prior[0] + 1, prior[1] + 2
    assert decision.posterior == pytest.approx(
        (a / (a + b), *stats.beta.ppf([0.025, 0.975], a, b)), abs=1e-9
    )


def test_what_is_dated_after_the_data_cut_has_not_happened_yet():
    decision = decide(3, observe(0, 60, 4), observe(5, 60))
    assert (decision.events, decision.evaluable) == (0, 1)
    assert decision.ess == pytest.approx(onset(3))


def test_the_passage_of_time_never_uncrosses_and_a_correction_does():
    two = (observe(0, 3, 2), observe(1, 4, 3))
    late = tuple(observe(10 + k, 300) for k in range(9))
    decision = decide(5, *two)
    assert (decision.crossed_since, decision.events_left) == (day(3), 0)
    later_decision = decide(300, *two, *late)
    assert (later_decision.events, later_decision.boundary) == (2, 3)
    assert later_decision.signal is Signal.BOUNDARY_REACHED
    assert later_decision.crossed_since == day(3)
    assert not later_decision.certain
    corrected_decision = decide(300, observe(0, 3), *two[1:], *late)
    assert corrected_decision.signal is Signal.CONTINUE


def test_what_is_crossed_is_certain_to_be_ever_crossed():
    """2 of 2, then 9 more without an event: the count is below the boundary again."""
    observed = (observe(0, 300, 2), observe(1, 300, 3), *(observe(10 + k, 300) for k in range(9)))
    decision = decide(300, *observed)
    assert (decision.events, decision.boundary, decision.events_left) == (2, 3, 0)
    assert (decision.conditional_p0, decision.predictive) == (1.0, 1.0)
    assert (decision.possible, decision.certain) == (False, False)


def test_certain_is_what_no_event_free_completion_can_undo():
    assert decide(5, observe(0, 5, 2), observe(1, 5, 3), observe(2, 5)).certain  # b(2 + 1) = 2
    decision = decide(9, observe(0, 9, 2), observe(1, 9, 3), *[observe(k, 9) for k in (5, 6, 7)])
    assert decision.signal is Signal.BOUNDARY_REACHED
    assert not decision.certain  # b(2 + 3) = 3


def test_all_events_of_one_date_count_together():
    participants = (observe(0, 9, 5.0), observe(1, 9, 5.2), observe(2, 9, 5.4))
    (point,) = decide(9, *participants).path
    assert (point.at, point.events) == (day(5.4), 3)


def test_confirmed_alone_and_upper_grades_stand_beside_the_operative_count():
    decision = decide(9, observe(0, 9, 2, confirmed=2), observe(1, 9, 3), observe(2, 9, upper=4))
    assert (decision.confirmed, decision.events, decision.upper) == (1, 2, 3)
    assert (decision.confirmed_crossed, decision.upper_crossed) == (False, True)
    assert decision.signal is Signal.BOUNDARY_REACHED
    assert "not reached on confirmed events alone" in list_notes(decision)


def test_an_answer_that_hangs_on_incomplete_grades_says_so():
    decision = decide(9, observe(0, 9, 2), observe(1, 9, upper=4))
    assert decision.signal is Signal.CONTINUE
    assert "reached with incomplete grades at their upper ends" in list_notes(decision)


def test_those_beyond_the_plan_are_listed_and_outside_the_rule():
    planned_participants = [observe(k, 200, name=f"P-{k:03}") for k in range(40)]
    decision = decide(
        200,
        *planned_participants,
        observe(41, 200, 43),
        observe(42, 200, 44),
        ObservedStanding(Standing("Q", CRS.id), day(1)),
    )
    assert (decision.evaluable, decision.beyond_plan, decision.not_exposed) == (40, 2, 1)
    assert (decision.events, decision.free_until_rise, decision.predictive) == (0, None, 0.0)
    assert [*list_notes(decision)] == [
        "the plan of 40 is exhausted: 2 treated after it are not counted"
    ]
    assert (
        "Plan exhausted: 2 treated after it not counted."
        in draw_boundary_chart(decision, "svg").decode()
    )


def test_a_chart_names_the_study_and_the_design_of_the_rule():
    grouped = replace(CRS, looks=(10, 20, 40))
    decision = decide(35, observe(0, 35, 30))
    texts = [
        draw_boundary_chart(one, "svg").decode()
        for one in (decision, decide(35, observe(0, 35, 30), rule=grouped))
    ]
    design = "Rule: beta-binomial, p0 0.05, alpha 0.05, planned 40, compared at"
    assert f"{design} each event." in texts[0]
    assert f"{design} 10, 20, 40." in texts[1]
    assert f"{decision.study}  {decision.protocol}" in texts[0]
    unnamed = replace(decision, method="", p0=None, alpha=None)
    assert "Rule:" not in draw_boundary_chart(unnamed, "svg").decode()


def test_one_person_of_two_identities_is_counted_once():
    """Two treated, one enrolled alone, and an identity that was merged into each kind."""
    merged_identities = [
        ObservedStanding(Standing(name, CRS.id, merged_into=survivor), day(1))
        for name, survivor in (("Q-1", "P-000"), ("Q-2", "P"))
    ]
    enrolled = ObservedStanding(Standing("P", CRS.id), day(1))
    decision = decide(9, observe(0, 9), observe(1, 9), enrolled, *merged_identities)
    assert (decision.evaluable, decision.not_exposed, decision.uncountable) == (2, 1, ())


OBSERVATION_DAYS = {  # last day as survivor and as the other; merged? days of follow-up
    "the survivor later": (9, 5, True, 9),
    "the other later": (5, 9, True, 9),
    "the survivor never": (None, 9, True, 9),
    "the other never": (5, None, True, 5),
    "not merged": (5, 9, False, 5),
}


@pytest.mark.parametrize(
    ("survivor_day", "other_day", "is_merged", "days"),
    OBSERVATION_DAYS.values(),
    ids=OBSERVATION_DAYS,
)
def test_one_person_is_observed_under_all_identities(survivor_day, other_day, is_merged, days):
    standings = [
        observe(0, 0, name="P").standing,
        Standing("Q", CRS.id, merged_into="P" if is_merged else ""),
    ]
    last_days = {"P": survivor_day, "Q": other_day}
    last_observations = {name: day(last) for name, last in last_days.items() if last is not None}
    observed = observe_standings(standings, last_observations, day(20))
    assert decide(20, *observed).ess == pytest.approx(onset(days))


@pytest.mark.parametrize(("warn_at", "signal"), [(0.049, "boundary likely"), (0.051, "continue")])
def test_boundary_likely_is_the_chance_to_cross_at_p0_against_what_the_rule_warns_at(
    warn_at, signal
):
    """One event, another treated just now: at p0 that one crosses with .05."""
    decision = decide(10, observe(0, 10, 2), observe(10, 10), rule=replace(CRS, warn_at=warn_at))
    assert decision.p_cross_p0 == pytest.approx(0.05)
    assert decision.signal == signal


def test_it_is_likely_at_exactly_the_chance_that_the_rule_warns_at():
    observed = (observe(0, 10, 2), observe(10, 10))
    chance = decide(10, *observed).p_cross_p0
    for warn_at, signal in ((chance, "boundary likely"), (np.nextafter(chance, 1), "continue")):
        assert decide(10, *observed, rule=replace(CRS, warn_at=warn_at)).signal == signal


@pytest.mark.parametrize(("evaluable", "event_free"), [(2, 3), (3, 2), (4, 1), (5, 7), (11, 1)])
def test_the_boundary_rises_after_so_many_without_an_event(evaluable, event_free):
    decision = decide(80, *(observe(day_number, 80) for day_number in range(evaluable)))
    assert (decision.complete, decision.free_until_rise) == (evaluable, event_free)


@pytest.mark.parametrize(
    ("entry_day", "signal"),
    [(11.49, "boundary reached: review required"), (11.5, "continue"), (11.51, "continue")],
)
def test_a_look_compares_the_events_of_its_date_to_the_last_instant_before_midnight(
    entry_day, signal
):
    """The fifth window ends at noon of day 51 and reaches the look; the third event counts then."""
    rule = replace(CRS, looks=(5, 12), policy="complete")
    complete = [observe(0, 60, 2), observe(1, 60, 3), *(observe(k, 60) for k in (2, 3, 11))]
    third = observe(entry_day, 60, 20, name="third")
    assert decide(60, *complete, third, rule=rule).signal == signal


def test_grouped_looks_compare_when_the_size_first_reaches_the_look():
    """Looks at 5 and 12; three of three are no look, and four cannot become one."""
    rule = replace(CRS, looks=(5, 12))
    three = [observe(k, 60, k + 0.5, name=f"P-{k}") for k in range(3)]
    event_free = [observe(10, 60), observe(11, 60)]
    assert decide(9, *three, rule=rule).signal is Signal.CONTINUE
    decision = decide(60, *three, *event_free, rule=rule)
    assert decision.signal is Signal.BOUNDARY_REACHED
    # The others are complete on days 50 and 51, and 3 of 5 stop; sums of weights have some slack.
    assert abs(decision.crossed_since - day(51)) < timedelta(seconds=5)
    (look,) = [point for point in decision.path if point.crossed]
    assert (look.events, look.boundary) == (3, 3)
    chart = draw_boundary_chart(decision, "svg").decode()
    assert "Stop at a look" in chart
    assert "Stop region" not in chart


MISSING_EVENTS = {  # events, event-free, looks; missing at this size (None: none stops), from new
    "nobody": (0, 0, (), (None, 2)),
    "1 of 1": (1, 0, (), (None, 1)),
    "1 of 4, b(4) = 2, b(5) = 3": (1, 3, (), (1, 2)),
    "1 of 5": (1, 4, (), (2, 2)),
    "2 of 9": (2, 7, (), (1, 1)),
    "2 of 11, b(11) = 3, b(12) = 4": (2, 9, (), (1, 2)),
    "2 of 12": (2, 10, (), (2, 2)),
    "0 of 39": (0, 39, (), (6, None)),
    "5 of 39": (5, 34, (), (1, 1)),
    "5 of 40": (5, 35, (), (1, None)),
    "look 5, where 3 stop, after 1 of 3": (1, 2, (5, 12), (2, 2)),
    "look 5 out of reach, look 12, where 4 stop": (1, 3, (5, 12), (2, 3)),
    "look 5 with 3 already": (3, 0, (5, 12), (0, 0)),
    "no look ahead": (2, 11, (5, 12), (None, None)),
}


@pytest.mark.parametrize(
    ("events", "event_free", "looks", "missing"), MISSING_EVENTS.values(), ids=MISSING_EVENTS
)
def test_left_is_of_this_size_and_of_new_participants(events, event_free, looks, missing):
    """Events come at the end of each window, when all the others are nearly through."""
    people = (observe(k, 200, k + 39 if k < events else None) for k in range(events + event_free))
    decision = decide(200, *people, rule=replace(CRS, looks=looks))
    events_left = decision.events_left if decision.can_stop else None
    assert (events_left, decision.events_left_from_new) == missing


@pytest.mark.parametrize(
    ("parameters", "prior"),
    [
        ({"prior": (0.1, 1.9)}, (0.1, 1.9)),
        ({}, (0.1, 1.9)),
        ({"p1": (0.2,)}, (0.1, 1.9)),
        ({"prior": (1, 1)}, (1, 1)),
    ],
)
def test_the_prior_is_the_rule_s_or_worth_two_participants_at_p0(parameters, prior):
    rule = replace(CRS, stop_when=replace(CRS.stop_when, parameters=parameters))
    decision = decide(60, *ONE_PENDING, rule=rule)
    assert decision.prior == pytest.approx(prior)
    words = "prior Beta({:g}, {:g})".format(*prior)
    assert words in draw_boundary_chart(decision, "svg").decode()
    assert words in make_rules_table([decision], {})


def test_after_a_crossing_chart_and_table_say_so_and_no_chance():
    crossed_decision = decide(
        60, observe(0, 60, 2), observe(1, 60, 3), *(observe(k, 55) for k in (30, 31))
    )
    chart = draw_boundary_chart(crossed_decision, "svg").decode()
    assert "First reached with 2 events at an effective 2.0." in chart
    assert "Chance of ever reaching" not in chart
    assert "they cross" not in chart
    row = make_rules_table([crossed_decision], {}).splitlines()[1]
    assert re.search(r" reached +reached +reached ", row)
    chart = draw_boundary_chart(decide(60, *ONE_PENDING), "svg").decode()
    assert "Missing to the boundary: 1 event at this size, 2 if from new participants." in chart
    assert "Chance of ever reaching it by 40: " in chart
    assert "they cross with 3% at p0" in chart


@pytest.mark.parametrize(
    ("people", "possible"),
    [
        ([observe(0, 90, 2), observe(1, 90, 3), *(observe(k, 90) for k in (5, 6))], True),
        ([observe(0, 90, 2), observe(1, 90, 3), *(observe(k, 90) for k in (5, 6, 7))], False),
        ([observe(0, 90, 2), observe(1, 90, 3), *(observe(k, 30) for k in (5, 6, 7))], True),
        ([*(observe(k, 90) for k in range(1, 9))], False),
    ],
    ids=["at b(4) = 2", "crossed, below b(5) = 3", "the same, pending", "no event"],
)
def test_possible_speaks_of_those_pending_alone(people, possible):
    decision = decide(90, *people)
    assert (decision.pending > 0) == any(one.observed_until == day(30) for one in people)
    assert decision.possible == possible


def test_who_left_counts_in_the_size_and_can_have_no_event():
    """2 events of 4 complete stop; of 4 and a part they do not, and nobody is to come."""
    withdrawn = observe(3, 90, withdrawal_day=20)
    late = [observe(40, 90, 41), observe(41, 90, 42)]
    decision = decide(90, observe(0, 90), observe(1, 90), withdrawn, *late)
    assert (decision.complete, decision.boundary, decision.possible) == (4, 3, False)


def test_no_look_ahead_is_no_chance_and_a_look_that_was_crossed_is_certain():
    rule = replace(CRS, looks=(2, 40))
    silent = decide(60, observe(0, 60, 5), observe(1, 60), observe(30, 60), rule=rule)
    assert (silent.p_cross_p0, silent.possible, silent.certain) == (0.0, False, False)
    crossed_decision = decide(60, observe(0, 60, 5), observe(1, 60, 6), observe(30, 60), rule=rule)
    assert (crossed_decision.p_cross_p0, crossed_decision.possible, crossed_decision.certain) == (
        1.0,
        True,
        True,
    )
    rule = replace(CRS, looks=(3, 40))
    early_decision = decide(20, observe(0, 20, 1), observe(1, 20, 2), observe(10, 10), rule=rule)
    assert early_decision.signal is Signal.BOUNDARY_LIKELY
    assert (early_decision.p_cross_p0, early_decision.possible, early_decision.certain) == (
        1.0,
        True,
        True,
    )  # 2 of 3 stop


LOOKS_AHEAD = {  # events, complete and pending, the look ahead; can those pending reach it?
    "2 of 3 stop, 1 and the one pending": (1, 2, 1, 3, True),
    "2 of 3 stop, none and the one pending": (0, 2, 1, 3, False),
    "3 of 5 stop, 1 and the two pending": (1, 3, 2, 5, True),
    "3 of 6 and 4 of 12 stop, 1 and the one pending": (1, 5, 1, 6, False),
    "the look is out of reach": (1, 2, 1, 4, False),
}


@pytest.mark.parametrize(
    ("events", "complete", "pending", "look", "possible"), LOOKS_AHEAD.values(), ids=LOOKS_AHEAD
)
def test_a_look_is_possible_when_all_those_pending_may_reach_it(
    events, complete, pending, look, possible
):
    people = [observe(k, 90, k + 1 if k < events else None) for k in range(complete)]
    people += [observe(80 + k, 90) for k in range(pending)]
    rule = replace(CRS, looks=(look, 40))
    assert decide(90, *people, rule=rule).possible is possible


@pytest.mark.parametrize(("upper_day", "grade"), [(1.99, 4), (2, 4), (2.01, 3)])
def test_the_highest_event_is_the_earlier_one_and_the_worse_of_one_instant(upper_day, grade):
    one = observe(0, 9, 2)
    highest = replace(make_event(upper_day), grade=4)
    observed = replace(one, standing=replace(one.standing, upper=highest))
    rule = replace(CRS, if_a_grade_is_incomplete="highest")
    (contributor,) = decide(9, observed, rule=rule).contributors
    assert contributor.grade == grade


def test_after_continue_the_rule_waits_for_a_new_event():
    answer = Determination(CRS.id, "id", Answer.CONTINUE, "chair", "reviewed", 2)
    two = (observe(0, 9, 2), observe(1, 9, 3))
    assert decide(9, *two, answer=answer).silenced_at_events == 2
    assert decide(9, *two, observe(2, 9, 5), answer=answer).silenced_at_events is None
    stop_answer = Determination(CRS.id, "id", Answer.STOP, "chair", "reviewed", 2)
    assert decide(9, *two, answer=stop_answer).silenced_at_events is None


SILENCES = {  # participants of the answer, of two events; silent up to so many events
    "not recorded": ((), 2),
    "the same": (("P-000", "P-001"), 2),
    "one of another": (("P-000", "P-009"), None),
    "one more than now": (("P-000", "P-001", "P-009"), 2),
    "one of the two": (("P-000",), None),
}


@pytest.mark.parametrize(("participants", "silent_at"), SILENCES.values(), ids=SILENCES)
def test_the_rule_is_silent_while_the_dsmb_knew_of_every_event(participants, silent_at):
    answer = Determination(CRS.id, "id", Answer.CONTINUE, "chair", "reviewed", 2, participants)
    decision = decide(9, observe(0, 9, 2), observe(1, 9, 3), answer=answer)
    assert (decision.silenced_at_events, decision.determination) == (silent_at, "continue")
    assert decide(9, observe(0, 9, 2)).determination == ""


def test_contributors_come_by_date_and_have_the_days_of_an_event_that_is_certain():
    rule = replace(CRS, if_a_grade_is_incomplete="highest")
    late, early = observe(0, 9, 5), observe(1, 9, 4, upper=3)
    observed = [
        replace(one, standing=replace(one.standing, transplant_day=70, treatment_day=6))
        for one in (late, early, observe(2, 9, 4, name="P-000b"))
    ]
    decision = decide(9, *observed, rule=rule)
    assert [
        (one.participant, one.transplant_day, one.treatment_day) for one in decision.contributors
    ] == [("P-001", None, None), ("P-000b", 70, 6), ("P-000", 70, 6)]


def test_the_chance_to_cross_is_that_of_everybody_pending_together():
    """Five pending on different days, one event: two of them must still have it (b(6) = 3)."""
    five = [observe(k, 9, name=f"P-{k}") for k in (4, 5, 6, 7, 8)]
    decision = decide(9, observe(0, 9, 2), *five)
    risks = [0.05 * (1 - w) / (1 - 0.05 * w) for w in map(onset, (5, 4, 3, 2, 1))]
    expected = sum(
        np.prod([r if has else 1 - r for r, has in zip(risks, who, strict=True)])
        for who in product((True, False), repeat=5)
        if sum(who) >= 2
    )
    assert decision.p_cross_p0 == pytest.approx(expected)


@pytest.mark.parametrize(
    ("curve", "weight"),
    [
        (Curve("uniform"), 10 / 40),
        (Curve("weibull", scale_days=10, weibull_shape=2), (1 - exp(-1)) / (1 - exp(-16))),
        (Curve("table", points=((5, 0.2), (15, 0.6), (40, 0.8))), 0.4 / 0.8),
        (Curve("table", points=((50, 0.0), (60, 1.0))), 10 / 40),  # none expected: by length
        (Curve("table", points=((5, 0.0), (40, 0.8))), (5 / 35 * 0.8) / 0.8),
    ],
)
def test_each_onset_curve_weighs_ten_days_of_forty(curve, weight):
    assert decide(10, observe(0, 10), rule=replace(CRS, curve=curve)).ess == pytest.approx(weight)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shape", ["uniform", "exponential"])
def test_a_window_without_length_is_complete_at_once(policy, shape):
    curve = Curve(shape, mean_days=5)
    with np.errstate(divide="raise", invalid="raise"):
        weights = weigh_follow_up(policy, curve, np.array([0.0, 1.0]), np.array([0.0, 0.0]))
    assert weights.tolist() == [1.0, 1.0]


TABLES = {  # points of an onset curve: is it one?
    "a step": (((1, 1.0),), True),
    "rising": (((1, 0.2), (5, 0.8), (9, 1.0)), True),
    "nothing at first": (((1, 0.0), (5, 1.0)), True),
    "flat for a while": (((1, 0.5), (5, 0.5)), True),
    "no point": ((), False),
    "a point on day 0": (((0, 0.2), (5, 1.0)), False),
    "a day twice": (((1, 0.2), (1, 1.0)), False),
    "days that fall": (((5, 0.2), (1, 1.0)), False),
    "shares that fall": (((1, 0.8), (5, 0.2)), False),
    "a share below 0": (((1, -0.1), (5, 1.0)), False),
    "a share above 1": (((1, 0.2), (5, 1.0), (9, 1.1)), False),
    "no share ever": (((1, 0.0), (5, 0.0)), False),
}


@pytest.mark.parametrize(("points", "is_curve"), TABLES.values(), ids=TABLES)
def test_a_table_of_onsets_rises_from_above_day_0_to_a_share_of_at_most_1(points, is_curve):
    faults = ["points must rise in days and in F, from above 0 to 1"]
    assert find_curve_faults(Curve("table", points=points)) == ([] if is_curve else faults)


NUMBERS = {  # an onset curve; the fault of its numbers
    "a mean of 0 days": (
        Curve("exponential", mean_days=0),
        ["mean_days must be finite and above 0, not 0"],
    ),
    "a short mean": (Curve("exponential", mean_days=0.01), []),
    "a mean without end": (
        Curve("exponential", mean_days=inf),
        ["mean_days must be finite and above 0, not inf"],
    ),
    "a scale of 0 days": (
        Curve("weibull", scale_days=0, weibull_shape=2),
        ["scale_days must be finite and above 0, not 0"],
    ),
    "a scale without end": (
        Curve("weibull", scale_days=inf, weibull_shape=2),
        ["scale_days must be finite and above 0, not inf"],
    ),
    "a shape of 0": (
        Curve("weibull", scale_days=9, weibull_shape=0),
        ["weibull_shape must be finite and above 0, not 0"],
    ),
    "a shape and a scale": (Curve("weibull", scale_days=9, weibull_shape=0.1), []),
}


@pytest.mark.parametrize(("curve", "faults"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_a_curve_are_above_0_and_finite(curve, faults):
    assert find_curve_faults(curve) == faults


def test_the_chart_says_how_many_are_pending_and_what_they_may_bring():
    chart = draw_boundary_chart(decide(60, *ONE_PENDING), "svg").decode()
    assert "What 1 pending may still bring" in chart
    assert "DRAFT, signed by nobody" in chart
    assert draw_boundary_chart(decide(60, *ONE_PENDING), "svg").decode() == chart


def observe_uncountable(name, event_day=None):
    standing = Standing(name, CRS.id, upper=make_event(event_day), missing_anchor="transplant")
    return ObservedStanding(standing, day(60))


def test_who_cannot_be_counted_is_named_and_in_the_upper_count_alone():
    counted = (observe(0, 60, 5), observe(1, 60), observe(2, 60))
    decision = decide(60, *counted, observe_uncountable("P-9", 9), observe_uncountable("P-8"))
    assert (decision.events, decision.upper, decision.evaluable) == (1, 2, 3)
    assert (decision.crossed_since, decision.upper_crossed) == (None, True)
    assert decision.uncountable == (
        Uncountable("P-8", "transplant", may_have_event=False),
        Uncountable("P-9", "transplant", may_have_event=True),
    )
    notes = list(list_notes(decision))
    assert (
        "P-9 cannot be counted, because the date of transplant is not known; may have an event"
        in notes
    )
    assert "P-8 cannot be counted, because the date of transplant is not known" in notes


@pytest.mark.parametrize(("as_of", "upper"), [(9, 1), (9 - 1e-6, 0)])
def test_an_event_of_who_cannot_be_counted_has_happened_from_its_instant_on(as_of, upper):
    decision = decide(as_of, observe(0, 60), observe_uncountable("P-9", 9))
    assert (decision.upper, decision.uncountable[0].may_have_event) == (upper, bool(upper))
