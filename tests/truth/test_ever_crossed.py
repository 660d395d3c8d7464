"""When a rule was at its boundary, with what was known then: small histories worked out by hand.

The rule: stop at 2 of 2-4, 3 of 5-11 ...; an onset curve of mean 5 days over windows of 40 days.
Days are counted from ``START``; what a message told is known from its day on.
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


def treated(name, entered=0.0, event=None, rule=CRS):
    happened = (
        None if event is None else CountedEvent(day(event), f"crs@{event}", 3, confirmed=False)
    )
    return Standing(
        name, rule.id, day(entered), day(entered + WINDOW), event=happened, upper=happened
    )


def told(at, *standings, **until):
    """What became known on day *at*: standings, and until which day somebody was observed."""
    when = at if isinstance(at, datetime) else day(at)
    return KnowledgeChange(when, standings, {name: day(number) for name, number in until.items()})


def found(rule, upto, *learned):
    return find_crossings([rule], learned, day(upto))[rule.id]


TWO = told(1, treated("A", 0), treated("B", 1))
FIRST = told(5, treated("A", 0, 3))
SECOND = told(6, treated("B", 1, 4))


def test_two_of_two_are_crossed_from_when_the_second_is_known():
    assert found(CRS, 20, TWO, FIRST, SECOND) == (BoundaryCrossing(day(6)),)


@pytest.mark.parametrize(
    ("upto", "since"), [(0, None), (5, None), (5.999, None), (6, day(6)), (99, day(6))]
)
def test_what_was_known_at_a_cut_says_whether_it_ever_was(upto, since):
    known = [news for news in (TWO, FIRST, SECOND) if news.known_at <= day(upto)]
    assert find_first_crossings({CRS.id: found(CRS, upto, *known)}) == {CRS.id: since}


def test_a_correction_by_the_next_message_ends_it_and_it_was_crossed():
    corrected = told(day(6) + TICK, treated("B", 1))
    assert found(CRS, 20, TWO, FIRST, SECOND, corrected) == (
        BoundaryCrossing(day(6), day(6) + TICK),
    )


def test_it_may_be_crossed_more_than_once():
    away, back = told(7, treated("B", 1)), told(9, treated("B", 1, 4))
    assert found(CRS, 20, TWO, FIRST, SECOND, away, back) == (
        BoundaryCrossing(day(6), day(7)),
        BoundaryCrossing(day(9)),
    )


def test_a_late_event_crosses_when_it_is_known_not_when_it_was():
    """Of day 4, told on day 30, when nine more were treated: on day 4 they were two."""
    nine = told(20, *(treated(f"C{k}", 10 + k / 10) for k in range(9)))
    late = told(30, treated("B", 1, 4))
    assert found(CRS, 40, TWO, FIRST, nine, late) == (BoundaryCrossing(day(30)),)


def test_follow_up_that_comes_late_takes_it_off_without_an_event_corrected():
    """Two of five had it on day 20; of the other three nothing was known then, so two of two."""
    three = [treated(name) for name in "CDE"]
    known = told(20, treated("A", 0, 20), treated("B", 0, 20), *three)
    assert found(CRS, 20, known) == (BoundaryCrossing(day(20)),)
    later = told(21, C=21, D=21, E=21)  # 2 + 3 F(20)/F(40) = 4.9 -> of 5: three stop
    (over,) = found(CRS, 30, known, later)
    assert over.crossed_at == day(20)
    assert over.ended_at is not None


def test_an_event_that_is_dated_ahead_crosses_when_its_time_comes():
    ahead = told(5, treated("A", 0, 3), treated("B", 1, 8))
    assert found(CRS, 7, TWO, ahead) == ()
    assert found(CRS, 9, TWO, ahead) == (BoundaryCrossing(day(8)),)
    assert found(CRS, 9, TWO, ahead, told(7, treated("B", 1))) == ()
    undone = told(10, treated("B", 1))
    assert found(CRS, 20, TWO, ahead, undone) == (BoundaryCrossing(day(8), day(10)),)


def test_where_only_complete_windows_count_it_crosses_when_the_last_one_ends():
    known = told(6, treated("A", 0, 3), treated("B", 1, 4))
    assert found(COMPLETE, 40.9, known) == ()
    assert found(COMPLETE, 60, known) == (BoundaryCrossing(day(41)),)
    undone = told(50, treated("B", 1))
    assert found(COMPLETE, 60, known, undone) == (BoundaryCrossing(day(41), day(50)),)


def test_a_grouped_look_is_reached_by_follow_up_alone():
    """Three of three are no look; two more, followed to the end of their windows, make five."""
    known = told(12, *(treated(name, 0, 2) for name in "ABC"), treated("D", 10), treated("E", 11))
    assert found(AT_FIVE, 49, known, told(49, D=49, E=49)) == ()
    (reached,) = found(AT_FIVE, 60, known, told(49, D=49, E=49), told(51, D=51, E=51))
    assert reached.crossed_at == day(51)


def test_another_rules_standings_and_unknown_rules_are_passed_over():
    other = replace(treated("C", 0, 2), rule="TRIAL.OLD")
    assert found(CRS, 20, told(1, other), TWO, FIRST, SECOND) == (BoundaryCrossing(day(6)),)
    assert find_crossings([CRS], [], day(1)) == {CRS.id: ()}


def test_the_news_of_one_instant_stand_together_and_only_growing_follow_up_is_news():
    a, b = treated("A"), treated("B")
    learned = list_knowledge_changes(
        [(day(1), a), (day(2), b), (day(1), b)],
        [(day(1), "A", day(1)), (day(2), "A", day(0)), (day(3), "A", day(2))],
    )
    assert learned == [
        told(1, a, b, A=1),
        told(2, b),
        told(3, A=2),
    ]
