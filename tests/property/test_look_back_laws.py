"""Looking back finds the same crossings as a decision at every cut, in random histories."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from services.safety_rules.domain.stopping.look_back import KnowledgeChange, find_crossings
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.vocabulary.decision import Signal
from services.vocabulary.standing import CountedEvent, ObservedStanding, Standing
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.protocols import CRS, PROTOCOL

NAMES = "ABCDEFG"
POLICIES = {
    "weighted": CRS,
    "linear": replace(CRS, policy="linear"),
    "everyone": replace(CRS, policy="everyone_treated"),
    "upper grades": replace(CRS, if_a_grade_is_incomplete="highest"),
    "confirmed": replace(CRS, status="confirmed"),
    "complete": replace(CRS, policy="complete"),
    "grouped looks": replace(CRS, looks=(3, 6)),
}


def day(number):
    return HOUR_ZERO + timedelta(days=number)


def draw_history(seed, days_ahead=0):
    """Up to 60 cuts: events come and go, follow-up is late, some dates are *days_ahead*."""
    chance = Random(seed)
    standings, observed_until, changes = {}, {}, []
    cut_day = 0.0
    for _ in range(chance.randrange(5, 60)):
        cut_day += chance.choice((0.00001, 0.3, 1, 6))
        name = chance.choice(NAMES)
        if chance.random() < 0.4:
            last_contact = max(
                observed_until.get(name, 0.0), cut_day + days_ahead - chance.choice((0, 1, 10))
            )
            observed_until[name] = last_contact
            changes.append(KnowledgeChange(day(cut_day), (), {name: day(last_contact)}))
            continue
        previous = standings.get(name)
        exposed_at = previous.exposed_at if previous else day(cut_day - chance.choice((0.1, 1, 9)))
        event = None
        if chance.random() < 0.3:
            happened_at = max(
                exposed_at + timedelta(hours=1),
                day(cut_day + days_ahead - chance.choice((0, 2, 8))),
            )
            confirmed = chance.random() < 0.7
            event = CountedEvent(happened_at, "crs", 3, confirmed)
        standings[name] = Standing(
            name,
            CRS.id,
            exposed_at,
            exposed_at + timedelta(days=30),
            event=event if chance.random() < 0.8 else None,
            confirmed=event if event and event.confirmed else None,
            upper=event,
        )
        changes.append(KnowledgeChange(day(cut_day), (standings[name],)))
    return changes


def is_crossed_at(rule, changes, cut_time):
    """Return True when the rule is at its boundary at *cut_time*, by what was known then."""
    standings, observed_until = {}, {}
    for news in changes:
        if news.known_at <= cut_time:
            standings |= {one.participant: one for one in news.standings}
            observed_until |= news.observed_until
    observed = [
        ObservedStanding(one, observed_until.get(one.participant, one.exposed_at))
        for one in standings.values()
    ]
    return decide_rule(PROTOCOL, rule, observed, cut_time).signal is Signal.BOUNDARY_REACHED


@pytest.mark.slow
@pytest.mark.parametrize("rule", POLICIES.values(), ids=POLICIES)
def test_ever_crossed_is_what_looking_at_every_cut_finds(rule):
    crossed_count = 0
    for seed in range(10 if rule.looks else 30):
        changes = draw_history(seed)
        first_crossed_at = None
        for number, news in enumerate(changes):
            if first_crossed_at is None and is_crossed_at(rule, changes, news.known_at):
                first_crossed_at = news.known_at
            rule_crossings = find_crossings([rule], changes[: number + 1], news.known_at)[rule.id]
            crossed_at = rule_crossings[0].crossed_at if rule_crossings else None
            if rule.policy == "complete" and crossed_at is not None and crossed_at != news.known_at:
                # the end of a window, after the cut before: nobody looked then
                assert first_crossed_at is None or crossed_at <= first_crossed_at, (seed, number)
                assert is_crossed_at(rule, changes, crossed_at), (seed, number)
            else:
                assert crossed_at == first_crossed_at, (seed, number)
        crossed_count += first_crossed_at is not None
    assert 0 < crossed_count < 30


@pytest.mark.parametrize("rule", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("days_ahead", [0, 1.5])
def test_what_was_ever_crossed_stays_so_at_every_later_cut(rule, days_ahead):
    for seed in range(3 if rule.looks else 20):
        changes = draw_history(seed, days_ahead)
        first = None
        for number in range(0, len(changes), 5):
            rule_crossings = find_crossings(
                [rule], changes[: number + 1], changes[number].known_at
            )[rule.id]
            crossed_at = rule_crossings[0].crossed_at if rule_crossings else None
            assert first is None or crossed_at == first, (seed, number)
            first = crossed_at


def test_the_crossings_of_a_rule_are_apart_and_in_order():
    for seed in range(60):
        changes = draw_history(seed)
        rule_crossings = find_crossings([CRS], changes, changes[-1].known_at)[CRS.id]
        ends = [
            t for one in rule_crossings for t in (one.crossed_at, one.ended_at) if t is not None
        ]
        assert ends == sorted(ends)
        assert all(one.ended_at is not None for one in rule_crossings[:-1])
