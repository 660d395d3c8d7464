"""Past crossings of a boundary by what was known at each time: small histories worked by hand.

The rule: stop at 2 of 2-4, 3 of 5-11 ...; an onset curve of mean 5 days over windows of 40 days.
Days are counted from ``START``; the content of a message is known from its day on.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.safety_rules.domain.stopping.look_back import (
    BoundaryCrossing,
    KnowledgeChange,
    find_crossings,
    find_first_crossings,
    list_knowledge_changes,
)
from services.vocabulary.standing import CountedEvent, Standing
from tests.helpers.protocols import CRS

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
WINDOW = 40
COMPLETE = replace(CRS, policy="complete")
AT_FIVE = replace(CRS, looks=(5, 12))


def day(number):
    return START + timedelta(days=number)


def make_standing(name, entry_day=0.0, event_day=None, rule=CRS):
    counted_event = (
        None
        if event_day is None
        else CountedEvent(day(event_day), f"crs@{event_day}", 3, confirmed=False)
    )
    return Standing(
        name,
        rule.id,
        day(entry_day),
        day(entry_day + WINDOW),
        event=counted_event,
        upper=counted_event,
    )


def learn(time, *standings, **observed_until):
    """Changes known from day *time* on: standings, and the last day on which each was observed."""
    when = time if isinstance(time, datetime) else day(time)
    return KnowledgeChange(
        when, standings, {name: day(number) for name, number in observed_until.items()}
    )


def find_rule_crossings(rule, upto, *changes):
    return find_crossings([rule], changes, day(upto))[rule.id]


TWO = learn(1, make_standing("A", 0), make_standing("B", 1))
FIRST = learn(5, make_standing("A", 0, 3))
SECOND = learn(6, make_standing("B", 1, 4))


def test_two_of_two_are_crossed_from_when_the_second_is_known():
    assert find_rule_crossings(CRS, 20, TWO, FIRST, SECOND) == (BoundaryCrossing(day(6)),)


@pytest.mark.parametrize(
    ("upto", "crossed_at"), [(0, None), (5, None), (5.999, None), (6, day(6)), (99, day(6))]
)
def test_what_was_known_at_a_cut_says_whether_it_ever_was(upto, crossed_at):
    known_changes = [news for news in (TWO, FIRST, SECOND) if news.known_at <= day(upto)]
    assert find_first_crossings({CRS.id: find_rule_crossings(CRS, upto, *known_changes)}) == {
        CRS.id: crossed_at
    }


def test_a_correction_by_the_next_message_ends_it_and_it_was_crossed():
    correction = learn(day(6) + TICK, make_standing("B", 1))
    assert find_rule_crossings(CRS, 20, TWO, FIRST, SECOND, correction) == (
        BoundaryCrossing(day(6), day(6) + TICK),
    )


def test_it_may_be_crossed_more_than_once():
    removal, return_of_event = learn(7, make_standing("B", 1)), learn(9, make_standing("B", 1, 4))
    assert find_rule_crossings(CRS, 20, TWO, FIRST, SECOND, removal, return_of_event) == (
        BoundaryCrossing(day(6), day(7)),
        BoundaryCrossing(day(9)),
    )


def test_a_late_event_crosses_when_it_is_known_not_when_it_was():
    """Of day 4, told on day 30, when nine more were treated: on day 4 they were two."""
    nine = learn(20, *(make_standing(f"C{k}", 10 + k / 10) for k in range(9)))
    late = learn(30, make_standing("B", 1, 4))
    assert find_rule_crossings(CRS, 40, TWO, FIRST, nine, late) == (BoundaryCrossing(day(30)),)


def test_follow_up_that_comes_late_takes_it_off_without_an_event_corrected():
    """Two of five had it on day 20; of the other three nothing was known then, so two of two."""
    three = [make_standing(name) for name in "CDE"]
    events = learn(20, make_standing("A", 0, 20), make_standing("B", 0, 20), *three)
    assert find_rule_crossings(CRS, 20, events) == (BoundaryCrossing(day(20)),)
    later = learn(21, C=21, D=21, E=21)  # 2 + 3 F(20)/F(40) = 4.9 -> of 5: three stop
    (past_crossing,) = find_rule_crossings(CRS, 30, events, later)
    assert past_crossing.crossed_at == day(20)
    assert past_crossing.ended_at is not None


def test_an_event_that_is_dated_ahead_crosses_when_its_time_comes():
    future_event = learn(5, make_standing("A", 0, 3), make_standing("B", 1, 8))
    assert find_rule_crossings(CRS, 7.999, TWO, future_event) == ()
    assert find_rule_crossings(CRS, 8, TWO, future_event) == (BoundaryCrossing(day(8)),)
    follow_up = learn(6, A=6)
    assert find_rule_crossings(CRS, 7.999, TWO, future_event, follow_up) == ()
    crossings = find_rule_crossings(CRS, 8, TWO, future_event, follow_up)
    assert crossings == (BoundaryCrossing(day(8)),)
    assert find_rule_crossings(CRS, 9, TWO, future_event) == (BoundaryCrossing(day(8)),)
    assert find_rule_crossings(CRS, 9, TWO, future_event, learn(7, make_standing("B", 1))) == ()
    removal = learn(10, make_standing("B", 1))
    assert find_rule_crossings(CRS, 20, TWO, future_event, removal) == (
        BoundaryCrossing(day(8), day(10)),
    )


def test_where_only_complete_windows_count_it_crosses_when_the_last_one_ends():
    events = learn(6, make_standing("A", 0, 3), make_standing("B", 1, 4))
    assert find_rule_crossings(COMPLETE, 40.9, events) == ()
    assert find_rule_crossings(COMPLETE, 41, events) == (BoundaryCrossing(day(41)),)
    assert find_rule_crossings(COMPLETE, 60, events) == (BoundaryCrossing(day(41)),)
    removal = learn(50, make_standing("B", 1))
    assert find_rule_crossings(COMPLETE, 60, events, removal) == (
        BoundaryCrossing(day(41), day(50)),
    )


def test_a_grouped_look_is_reached_by_follow_up_alone():
    """Three of three are no look; two more, followed to the end of their windows, make five."""
    events = learn(
        12,
        *(make_standing(name, 0, 2) for name in "ABC"),
        make_standing("D", 10),
        make_standing("E", 11),
    )
    assert find_rule_crossings(AT_FIVE, 49, events, learn(49, D=49, E=49)) == ()
    (past_crossing,) = find_rule_crossings(
        AT_FIVE, 60, events, learn(49, D=49, E=49), learn(51, D=51, E=51)
    )
    assert past_crossing.crossed_at == day(51)


def test_another_rules_standings_and_unknown_rules_are_passed_over():
    foreign_standing = replace(make_standing("C", 0, 2), rule="TRIAL.OLD")
    assert find_rule_crossings(CRS, 20, learn(1, foreign_standing), TWO, FIRST, SECOND) == (
        BoundaryCrossing(day(6)),
    )
    assert find_crossings([CRS], [], day(1)) == {CRS.id: ()}


def test_the_news_of_one_instant_stand_together_and_only_growing_follow_up_is_news():
    a, b = make_standing("A"), make_standing("B")
    changes = list_knowledge_changes(
        [(day(1), a), (day(2), b), (day(1), b)],
        [
            (day(1), "A", day(1)),
            (day(2), "A", day(0)),
            (day(3), "A", day(2)),
            (day(4), "A", day(2)),
        ],
    )
    assert changes == [
        learn(1, a, b, A=1),
        learn(2, b),
        learn(3, A=2),
    ]
