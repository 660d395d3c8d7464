"""The live figures of random trials against an enumeration of every outcome, in fractions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.steps import compress_boundary
from services.vocabulary.decision import Signal
from services.vocabulary.protocol import Curve
from services.vocabulary.standing import CompetingEvent, CountedEvent, ObservedStanding, Standing
from tests.helpers.outcome_enumeration import WINDOW, Enumeration, Person, Plan
from tests.helpers.protocols import CRS, PROTOCOL

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
LARGEST_N = 5


@st.composite
def plans(draw):
    """A table that never falls, with or without grouped looks."""
    n = draw(st.integers(2, LARGEST_N))
    looks = draw(st.one_of(st.just(()), st.sets(st.integers(1, n), min_size=1).map(sorted)))
    table, previous = [x + 1 for x in range(n + 1)], draw(st.integers(1, 2))
    for x in looks or range(1, n + 1):
        previous += draw(st.integers(0, 1)) * (previous < x)
        table[x] = min(previous, x + 1)
    policy = draw(
        st.sampled_from(["linear", "linear", "onset_weighted", "complete", "everyone_treated"])
    )
    prior = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    return Plan(
        tuple(table),
        tuple(looks),
        policy,
        draw(st.sampled_from([Fraction(1, 20), Fraction(1, 3)])),
        prior,
    )


@st.composite
def people(draw, name):
    """One participant; entries and events on few days, so that some are tied."""
    entry = draw(st.sampled_from([0, 0, 7, 15, 30, 33]))
    instants = st.one_of(
        st.none(), st.sampled_from([1, 3, 12, 39]).map(lambda day: entry + day), st.just(34)
    )
    event, competing, withdrawal = draw(instants), draw(instants), draw(instants)
    event, competing = (
        Fraction(day) + draw(st.sampled_from([Fraction(0), Fraction(1, 4)]))
        if day is not None and day > entry and draw(st.booleans())
        else None
        for day in (event, competing)
    )
    last = max(Fraction(entry + draw(st.integers(0, WINDOW + 5))), event or 0, competing or 0)
    withdrawal = (
        withdrawal
        if withdrawal is not None and withdrawal >= entry and draw(st.booleans())
        else None
    )
    return Person(name, entry, last, event, competing, withdrawal)


TRIALS = st.integers(0, LARGEST_N + 1).flatmap(
    lambda k: st.tuples(*(people(f"P-{i}") for i in range(k)))
)
CUTS = st.sampled_from([20, 36, 45, 60, 100])


def find_instant(day):
    return None if day is None else START + timedelta(days=1) * day.numerator / day.denominator


def observe(person):
    event = person.event and CountedEvent(find_instant(person.event), "crs", 3, confirmed=True)
    entry = Fraction(person.entry)
    standing = Standing(
        person.name,
        CRS.id,
        find_instant(entry),
        find_instant(entry + WINDOW),
        frozen_at=None if person.withdrawal is None else find_instant(Fraction(person.withdrawal)),
        event=event,
        confirmed=event,
        upper=event,
        competing=person.competing and CompetingEvent(find_instant(person.competing), "relapse"),
    )
    return ObservedStanding(standing, find_instant(person.last))


def decide(plan, participants, cut):
    stop_when = replace(
        CRS.stop_when,
        p0=float(plan.p0),
        n=plan.n,
        boundary=compress_boundary(plan.table, plan.looks),
        parameters={"prior": plan.prior},
    )
    rule = replace(
        CRS, stop_when=stop_when, policy=plan.policy, curve=Curve("uniform"), looks=plan.looks
    )
    return decide_rule(PROTOCOL, rule, [*map(observe, participants)], find_instant(Fraction(cut)))


@settings(deadline=None, max_examples=400)
@given(plans(), TRIALS, CUTS)
def test_every_live_figure_is_that_of_writing_out_all_outcomes(plan, participants, cut):
    expected, decision = Enumeration(plan, participants, cut), decide(plan, participants, cut)
    assert (decision.events, decision.complete, decision.evaluable) == (
        expected.events,
        expected.complete,
        len(expected.members),
    )
    assert decision.ess == pytest.approx(float(expected.size), abs=1e-9)
    assert (decision.signal is Signal.BOUNDARY_REACHED) == expected.is_crossed
    assert (decision.certain, decision.possible) == (expected.is_certain, expected.is_possible)
    assert decision.events_left_from_new == expected.count_events_from_new()
    assert decision.predictive == pytest.approx(
        float(expected.compute_predictive_chance()), abs=1e-9
    )
    assert decision.posterior[0] == pytest.approx(float(expected.compute_mean_rate()), abs=1e-9)
    rates = {"p0": plan.p0, "posterior": Fraction(decision.posterior[0])}
    for name, rate in rates.items():
        chance = expected.compute_chance(rate, with_new=False)
        assert getattr(decision, f"p_cross_{name}") == pytest.approx(float(chance), abs=1e-9)
    ever_crossing = expected.compute_chance(plan.p0, with_new=True)
    assert decision.conditional_p0 == pytest.approx(float(ever_crossing), abs=1e-9)
