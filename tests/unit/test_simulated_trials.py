"""Simulated trials at single instants: what is known then, and when a rule stops them."""

from dataclasses import replace

import numpy as np
import pytest

from services.safety_rules.domain.stopping.cohort import DAY_S, NEVER
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.simulated_stops import find_stop_instants
from services.safety_rules.domain.stopping.simulated_trials import make_trials
from services.vocabulary.protocol import Curve

WINDOW = 40.0


def days(*numbers):
    """One trial: the instant of each participant in seconds, from days."""
    return np.array([[number * DAY_S for number in numbers]])


def simulate(entries, events, **instants):
    entered_at = days(*entries)
    fields = {name: days(*numbers) for name, numbers in instants.items()}
    return make_trials(entered_at, entered_at + WINDOW * DAY_S, days(*events), **fields)


REPORTED = {"event_known_at": [7]}
COMPETING = {"competing_at": [4], "competing_known_at": [6]}
FALSE = {"false_at": [3], "false_known_at": [4], "corrected_at": [6]}
KNOWLEDGE = {  # the event, other instants, the day of knowledge; the event and the outcome by day
    "an event before its report": (5, REPORTED, 6.9, NEVER, NEVER),
    "an event at its report": (5, REPORTED, 7, 5, 5),
    "an event in the end": (5, REPORTED, None, 5, 5),
    "a competing event before its report": (5, COMPETING, 5.9, 5, 5),
    "a competing event at its report": (5, COMPETING, 6, NEVER, 4),
    "a competing event at the instant of the event": (4, COMPETING, 6, 4, 4),
    "a competing event after the event": (3, COMPETING, 6, 3, 3),
    "a false event before its report": (NEVER, FALSE, 3.9, NEVER, NEVER),
    "a false event at its report": (NEVER, FALSE, 4, 3, 3),
    "a false event before its correction": (NEVER, FALSE, 5.9, 3, 3),
    "a false event at its correction": (NEVER, FALSE, 6, NEVER, NEVER),
    "a false event in the end": (NEVER, FALSE, None, NEVER, NEVER),
    "a false event before the event": (5, FALSE, 5, 3, 3),
}


@pytest.mark.parametrize(
    ("event", "instants", "known_on", "event_on", "closed_on"), KNOWLEDGE.values(), ids=KNOWLEDGE
)
def test_what_is_reported_is_known_from_its_report_on(
    event, instants, known_on, event_on, closed_on
):
    known_at = None if known_on is None else np.array([known_on * DAY_S])
    outcomes = simulate([0], [event], **instants).make_outcomes(known_at)
    assert outcomes.event_at.ravel() / DAY_S == pytest.approx([event_on])
    assert outcomes.closed_at.ravel() / DAY_S == pytest.approx([closed_on])


LIMIT = SignedLimits((1, 2, 2, 2, 2), (2,))  # 2 of 2, compared when the second is treated
STOPS = {  # the day of the second event, other instants; the day on which the trial stops
    "the last instant of the date of the look": (1 - 1e-9, {}, 0.6),
    "midnight after it": (1, {}, NEVER),
    "known before the look": (0.7, {"event_known_at": [0.52, 0.55]}, 0.6),
    "known after it": (0.7, {"event_known_at": [0.52, 0.9]}, 0.9),
    "corrected after the look": (
        NEVER,
        {
            "false_at": [NEVER, 0.7],
            "false_known_at": [NEVER, 0.55],
            "corrected_at": [NEVER, 0.61],
        },
        0.6,
    ),
    "corrected at the look": (
        NEVER,
        {
            "false_at": [NEVER, 0.7],
            "false_known_at": [NEVER, 0.55],
            "corrected_at": [NEVER, 0.6],
        },
        NEVER,
    ),
}


@pytest.mark.parametrize(("event", "instants", "stopped_on"), STOPS.values(), ids=STOPS)
def test_a_look_counts_what_is_known_of_its_date(event, instants, stopped_on):
    trials = simulate([0.5, 0.6], [0.52, event], **instants)
    (stopped_at,) = find_stop_instants(trials, "everyone_treated", Curve("uniform"), LIMIT)
    assert stopped_at / DAY_S == pytest.approx(stopped_on)


def test_the_end_of_follow_up_leaves_a_part_of_the_window():
    trials = simulate([0], [NEVER], left_at=[10])
    cohort = trials.make_cohort()
    assert (cohort.followed_until / DAY_S).ravel().tolist() == [10]
    assert cohort.as_of == WINDOW * DAY_S
    unlimited = replace(trials, left_at=days(NEVER)).make_cohort()
    assert (unlimited.followed_until / DAY_S).ravel().tolist() == [WINDOW]
