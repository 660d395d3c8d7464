"""What every update reports, worked out by hand from the design for a few participants.

The rule: Beta(0.1, 1.9), p0 .05, n 40, stop at 2 of 2-4, 3 of 5-11, 4 of 12-21 ...; an onset curve
of mean 5 days over windows of 40 days. Days are counted from ``START``.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from math import exp

import numpy as np
import pytest
from scipy import integrate, stats

from services.charts.boundary import boundary_chart
from services.cli.shared.rule_notes import notes
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.vocabulary.decision import Signal
from services.vocabulary.fact import Answer, Determination
from services.vocabulary.protocol import Curve
from services.vocabulary.standing import CompetingEvent, CountedEvent, ObservedStanding, Standing
from tests.helpers.protocols import CRS, PROTOCOL

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = 40


def day(number):
    return START + timedelta(days=number)


def counted(at, *, confirmed=False):
    return None if at is None else CountedEvent(day(at), f"crs@{at}", 3, confirmed)


def seen(
    entered, until, event=None, *, name=None, other=None, left=None, confirmed=None, upper=None
):
    """A participant by days: first infusion, last observed, event, competing event, withdrawal."""
    standing = Standing(
        name or f"P-{entered:03}",
        CRS.id,
        day(entered),
        day(entered + WINDOW),
        frozen_at=None if left is None else day(left),
        event=counted(event, confirmed=confirmed is not None),
        confirmed=counted(confirmed, confirmed=True),
        upper=counted(event if upper is None else upper),
        competing=None if other is None else CompetingEvent(day(other), "relapse"),
    )
    return ObservedStanding(standing, day(until))


def onset(days, mean=5.0):
    """F(t) / F(tau) of the exponential curve."""
    return (1 - exp(-days / mean)) / (1 - exp(-WINDOW / mean))


def at(as_of, *observed, rule=CRS, answer=None):
    return decide_rule(PROTOCOL, rule, observed, day(as_of), answer)


# Two complete without event, one with the event on day 30, one followed for 3 days on day 60.
ONE_PENDING = (seen(0, 60), seen(1, 60), seen(28, 60, 30), seen(55, 58))
W = onset(3)


def test_counts_and_distances_to_the_boundary():
    said = at(60, *ONE_PENDING)
    assert (said.events, said.evaluable, said.complete, said.pending) == (1, 4, 3, 1)
    assert said.ess == pytest.approx(3 + W)
    assert said.pending_weights == pytest.approx((W,))
    assert (said.boundary, said.events_left, said.free_until_rise) == (2, 1, 1)
    assert said.signal is Signal.CONTINUE
    assert said.crossed_since is None
    assert said.data_to == day(60)


def test_certain_possible_and_the_chance_to_cross():
    said = at(60, *ONE_PENDING)
    assert not said.certain  # 1 < b(4) = 2
    assert said.possible  # 1 + 1 >= b(4)
    assert said.p_cross_p0 == pytest.approx(0.05 * (1 - W) / (1 - 0.05 * W))
    mean = said.posterior[0]
    assert said.p_cross_posterior == pytest.approx(mean * (1 - W) / (1 - mean * W))


def density(p):
    return stats.beta.pdf(p, 0.1, 1.9) * p * (1 - p) ** 2 * (1 - p * W)


def test_the_posterior_is_that_of_its_density():
    said = at(60, *ONE_PENDING)
    whole = integrate.quad(density, 0, 1)[0]
    mean, low, high = said.posterior
    assert mean == pytest.approx(integrate.quad(lambda p: p * density(p), 0, 1)[0] / whole)
    for rate, below in ((low, 0.025), (high, 0.975)):
        assert integrate.quad(density, 0, rate)[0] / whole == pytest.approx(below, abs=1e-6)


def ever(p):
    """P(ever crossing by 40 | p): the pending first, then 36 more, by enumeration of counts."""
    stops = [9, 9, 2, 2, 2, *[3] * 7, *[4] * 10, *[5] * 11, *[6] * 8]
    left = p * (1 - W) / (1 - p * W)
    chances, crossed = {1: 1.0}, 0.0
    for x, risk in zip(range(4, 41), [left, *[p] * 36], strict=True):
        after = {}
        for y, chance in chances.items():
            after[y] = after.get(y, 0) + chance * (1 - risk)
            after[y + 1] = after.get(y + 1, 0) + chance * risk
        crossed += sum(chance for y, chance in after.items() if y >= stops[x])
        chances = {y: chance for y, chance in after.items() if y < stops[x]}
    return crossed


def test_the_chance_of_ever_crossing_at_p0_and_over_the_posterior():
    said = at(60, *ONE_PENDING)
    assert said.conditional_p0 == pytest.approx(ever(0.05), abs=1e-10)
    whole = integrate.quad(density, 0, 1)[0]
    expected = integrate.quad(lambda p: ever(p) * density(p), 0, 1, limit=200)[0] / whole
    assert said.predictive == pytest.approx(expected, abs=1e-7)


def test_sensitivity_to_every_other_policy_and_to_faster_and_slower_onset():
    said = {one.counting: one for one in at(60, *ONE_PENDING).sensitivity}
    assert {name: one.ess for name, one in said.items()} == pytest.approx(
        {
            "complete follow-up only": 2.0,  # P-028 with the event is counted on day 68
            "follow-up weighted by its length": 3 + 3 / 40,
            "everyone treated": 4.0,
            "onset twice as fast": 3 + onset(3, 2.5),
            "onset twice as slow": 3 + onset(3, 10.0),
        }
    )
    events = {name: one.events for name, one in said.items()}
    assert events.pop("complete follow-up only") == 0
    assert set(events.values()) == {1}
    assert not any(one.crossed for one in said.values())


def test_the_answer_may_hang_on_the_policy():
    """Treated one a day, events on days 2 and 3: four were treated by then, and 2 of 4 stop."""
    six = [seen(k, 9, event, name=f"P-{k}") for k, event in enumerate((2, 3, *[None] * 4))]
    said = at(9, *six)
    by_policy = {one.counting: one.crossed for one in said.sensitivity}
    assert said.path[-1].ess == pytest.approx(2 + onset(1) + onset(0))
    assert said.signal is Signal.BOUNDARY_REACHED
    assert by_policy["everyone treated"]
    assert not by_policy["complete follow-up only"]
    (note,) = [note for note in notes(said) if "counted otherwise" in note]
    assert note.startswith("not reached counted otherwise: complete follow-up only")


def test_a_silent_site_does_not_look_safe():
    later = at(400, *ONE_PENDING)
    assert later.ess == at(60, *ONE_PENDING).ess
    assert later.pending == 1


def test_withdrawal_freezes_follow_up_and_nobody_waits_for_it():
    said = at(100, seen(0, 90), seen(30, 90, left=33))
    assert said.ess == pytest.approx(1 + onset(3))
    assert (said.complete, said.pending) == (1, 1)
    assert said.p_cross_p0 == 0.0


def test_a_competing_event_counts_in_full_and_takes_the_event_after_it():
    said = at(20, seen(0, 20, 9, other=5), seen(1, 20, 4))
    assert (said.events, said.complete, said.ess) == (1, 2, 2.0)


def test_what_is_dated_after_the_data_cut_has_not_happened_yet():
    said = at(3, seen(0, 60, 4), seen(5, 60))
    assert (said.events, said.evaluable) == (0, 1)
    assert said.ess == pytest.approx(onset(3))


def test_the_passage_of_time_never_uncrosses_and_a_correction_does():
    two = (seen(0, 3, 2), seen(1, 4, 3))
    late = tuple(seen(10 + k, 300) for k in range(9))
    assert at(5, *two).crossed_since == day(3)
    after = at(300, *two, *late)
    assert (after.events, after.boundary) == (2, 3)
    assert after.signal is Signal.BOUNDARY_REACHED
    assert after.crossed_since == day(3)
    assert not after.certain
    rejected = at(300, seen(0, 3), *two[1:], *late)
    assert rejected.signal is Signal.CONTINUE


def test_certain_is_what_no_event_free_completion_can_undo():
    assert at(5, seen(0, 5, 2), seen(1, 5, 3), seen(2, 5)).certain  # b(2 + 1) = 2
    said = at(9, seen(0, 9, 2), seen(1, 9, 3), *[seen(k, 9) for k in (5, 6, 7)])
    assert said.signal is Signal.BOUNDARY_REACHED
    assert not said.certain  # b(2 + 3) = 3


def test_all_events_of_one_date_count_together():
    same = (seen(0, 9, 5.0), seen(1, 9, 5.2), seen(2, 9, 5.4))
    (point,) = at(9, *same).path
    assert (point.at, point.events) == (day(5.4), 3)


def test_confirmed_alone_and_upper_grades_stand_beside_the_operative_count():
    said = at(9, seen(0, 9, 2, confirmed=2), seen(1, 9, 3), seen(2, 9, upper=4))
    assert (said.confirmed, said.events, said.upper) == (1, 2, 3)
    assert (said.confirmed_crossed, said.upper_crossed) == (False, True)
    assert said.signal is Signal.BOUNDARY_REACHED
    assert "not reached on confirmed events alone" in notes(said)


def test_an_answer_that_hangs_on_incomplete_grades_says_so():
    said = at(9, seen(0, 9, 2), seen(1, 9, upper=4))
    assert said.signal is Signal.CONTINUE
    assert "reached with incomplete grades at their upper ends" in notes(said)


def test_those_beyond_the_plan_are_listed_and_outside_the_rule():
    many = [seen(k, 200, name=f"P-{k:03}") for k in range(40)]
    said = at(
        200,
        *many,
        seen(41, 200, 43),
        seen(42, 200, 44),
        ObservedStanding(Standing("Q", CRS.id), day(1)),
    )
    assert (said.evaluable, said.beyond_plan, said.not_exposed) == (40, 2, 1)
    assert (said.events, said.free_until_rise, said.predictive) == (0, None, 0.0)
    assert [*notes(said)] == ["the plan of 40 is exhausted: 2 treated after it are not counted"]
    assert "Plan exhausted: 2 treated after it not counted." in boundary_chart(said, "svg").decode()


@pytest.mark.parametrize(("warn_at", "signal"), [(0.049, "boundary likely"), (0.051, "continue")])
def test_boundary_likely_is_the_chance_to_cross_at_p0_against_what_the_rule_warns_at(
    warn_at, signal
):
    """One event, another treated just now: at p0 that one crosses with .05."""
    said = at(10, seen(0, 10, 2), seen(10, 10), rule=replace(CRS, warn_at=warn_at))
    assert said.p_cross_p0 == pytest.approx(0.05)
    assert said.signal == signal


def test_grouped_looks_compare_when_the_size_first_reaches_the_look():
    """Looks at 5 and 12; three of three are no look, and four cannot become one."""
    rule = replace(CRS, looks=(5, 12))
    three = [seen(k, 60, k + 0.5, name=f"P-{k}") for k in range(3)]
    others = [seen(10, 60), seen(11, 60)]
    assert at(9, *three, rule=rule).signal is Signal.CONTINUE
    said = at(60, *three, *others, rule=rule)
    assert said.signal is Signal.BOUNDARY_REACHED
    # The others are complete on days 50 and 51, and 3 of 5 stop; sums of weights have some slack.
    assert abs(said.crossed_since - day(51)) < timedelta(seconds=5)
    (look,) = [point for point in said.path if point.crossed]
    assert (look.events, look.boundary) == (3, 3)
    drawn = boundary_chart(said, "svg").decode()
    assert "Stop at a look" in drawn
    assert "Stop region" not in drawn


def test_after_continue_the_rule_waits_for_a_new_event():
    answer = Determination(CRS.id, "id", Answer.CONTINUE, "chair", "reviewed", 2)
    two = (seen(0, 9, 2), seen(1, 9, 3))
    assert at(9, *two, answer=answer).silenced_at_events == 2
    assert at(9, *two, seen(2, 9, 5), answer=answer).silenced_at_events is None
    stopped = replace(answer, answer=Answer.STOP)
    assert at(9, *two, answer=stopped).silenced_at_events is None


def test_the_chance_to_cross_is_that_of_everybody_pending_together():
    """Five pending on different days, one event: two of them must still have it (b(6) = 3)."""
    five = [seen(k, 9, name=f"P-{k}") for k in (4, 5, 6, 7, 8)]
    said = at(9, seen(0, 9, 2), *five)
    risks = [0.05 * (1 - w) / (1 - 0.05 * w) for w in map(onset, (5, 4, 3, 2, 1))]
    expected = sum(
        np.prod([r if has else 1 - r for r, has in zip(risks, who, strict=True)])
        for who in product((True, False), repeat=5)
        if sum(who) >= 2
    )
    assert said.p_cross_p0 == pytest.approx(expected)


@pytest.mark.parametrize(
    ("curve", "weight"),
    [
        (Curve("uniform"), 10 / 40),
        (Curve("weibull", scale_days=10, weibull_shape=2), (1 - exp(-1)) / (1 - exp(-16))),
        (Curve("table", points=((5, 0.2), (15, 0.6), (40, 0.8))), 0.4 / 0.8),
    ],
)
def test_each_onset_curve_weighs_ten_days_of_forty(curve, weight):
    assert at(10, seen(0, 10), rule=replace(CRS, curve=curve)).ess == pytest.approx(weight)


def test_the_chart_says_how_many_are_pending_and_what_they_may_bring():
    drawn = boundary_chart(at(60, *ONE_PENDING), "svg").decode()
    assert "What 1 pending may still bring" in drawn
    assert "DRAFT, signed by nobody" in drawn
    assert boundary_chart(at(60, *ONE_PENDING), "svg").decode() == drawn
