"""Looking back finds every crossing: the same as looking at every cut, in histories at random."""

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


def history(seed, ahead=0):
    """Up to 60 cuts: events come and go, follow-up comes late; some dated *ahead* of the cut."""
    chance = Random(seed)
    standings, until, learned = {}, {}, []
    at = 0.0
    for _ in range(chance.randrange(5, 60)):
        at += chance.choice((0.00001, 0.3, 1, 6))
        name = chance.choice(NAMES)
        if chance.random() < 0.4:
            seen = max(until.get(name, 0.0), at + ahead - chance.choice((0, 1, 10)))
            until[name] = seen
            learned.append(KnowledgeChange(day(at), (), {name: day(seen)}))
            continue
        old = standings.get(name)
        entered = old.exposed_at if old else day(at - chance.choice((0.1, 1, 9)))
        event = None
        if chance.random() < 0.3:
            dated = max(entered + timedelta(hours=1), day(at + ahead - chance.choice((0, 2, 8))))
            confirmed = chance.random() < 0.7
            event = CountedEvent(dated, "crs", 3, confirmed)
        standings[name] = Standing(
            name,
            CRS.id,
            entered,
            entered + timedelta(days=30),
            event=event if chance.random() < 0.8 else None,
            confirmed=event if event and event.confirmed else None,
            upper=event,
        )
        learned.append(KnowledgeChange(day(at), (standings[name],)))
    return learned


def by_looking(rule, learned, at):
    """Whether the rule says that it is crossed at *at*, of what was known then."""
    standings, until = {}, {}
    for news in learned:
        if news.known_at <= at:
            standings |= {one.participant: one for one in news.standings}
            until |= news.observed_until
    seen = [
        ObservedStanding(one, until.get(one.participant, one.exposed_at))
        for one in standings.values()
    ]
    return decide_rule(PROTOCOL, rule, seen, at).signal is Signal.BOUNDARY_REACHED


@pytest.mark.slow
@pytest.mark.parametrize("rule", POLICIES.values(), ids=POLICIES)
def test_ever_crossed_is_what_looking_at_every_cut_finds(rule):
    crossed = 0
    for seed in range(10 if rule.looks else 30):
        learned = history(seed)
        ever = None
        for number, news in enumerate(learned):
            if ever is None and by_looking(rule, learned, news.known_at):
                ever = news.known_at
            found = find_crossings([rule], learned[: number + 1], news.known_at)[rule.id]
            since = found[0].crossed_at if found else None
            if rule.policy == "complete" and since is not None and since != news.known_at:
                # the end of a window, after the cut before: nobody looked then
                assert ever is None or since <= ever, (seed, number)
                assert by_looking(rule, learned, since), (seed, number)
            else:
                assert since == ever, (seed, number)
        crossed += ever is not None
    assert 0 < crossed < 30


@pytest.mark.parametrize("rule", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("ahead", [0, 1.5])
def test_what_was_ever_crossed_stays_so_at_every_later_cut(rule, ahead):
    for seed in range(3 if rule.looks else 20):
        learned = history(seed, ahead)
        first = None
        for number in range(0, len(learned), 5):
            found = find_crossings([rule], learned[: number + 1], learned[number].known_at)[rule.id]
            since = found[0].crossed_at if found else None
            assert first is None or since == first, (seed, number)
            first = since


def test_the_crossings_of_a_rule_are_apart_and_in_order():
    for seed in range(60):
        learned = history(seed)
        found = find_crossings([CRS], learned, learned[-1].known_at)[CRS.id]
        ends = [t for one in found for t in (one.crossed_at, one.ended_at) if t is not None]
        assert ends == sorted(ends)
        assert all(one.ended_at is not None for one in found[:-1])
