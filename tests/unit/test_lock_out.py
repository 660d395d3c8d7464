"""Waits after failures: longer with each, never for good, and never because of somebody else."""

from datetime import timedelta

import pytest

from services.people.lock_out import LONGEST_STRANGE_WAIT_S, LONGEST_WAIT_S, compute_wait_s
from services.store.sign_in_attempts import Attempt, AttemptOutcome
from tests.helpers.fact_notes import HOUR_ZERO


def attempts(outcomes, source="desk"):
    """Attempts one second apart: t tried, a accepted; the last one just now."""
    words = {"t": AttemptOutcome.START, "a": AttemptOutcome.SUCCESS}
    first_s = 1 - len(outcomes)
    return [
        Attempt("ann", source, HOUR_ZERO + timedelta(seconds=first_s + n), words[outcome])
        for n, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "wait_s"),
    [
        ("", 0),
        ("t", 0),
        ("tt", 0),
        ("ttt", 1),
        ("tttt", 2),
        ("ttttt", 4),
        ("t" * 12, 512),
        ("t" * 13, LONGEST_WAIT_S),
        ("t" * 99, LONGEST_WAIT_S),
        ("ttta", 0),
        ("tttatt", 0),
        ("tttattt", 1),
    ],
)
@pytest.mark.part11("11.300(d)")
def test_each_failure_at_one_place_doubles_the_wait(outcomes, wait_s):
    source_attempts = attempts(outcomes)
    assert compute_wait_s(source_attempts, "desk", HOUR_ZERO, is_known_source=True) == wait_s


@pytest.mark.parametrize(("elapsed_s", "wait_s"), [(0, 4), (3.5, 0.5), (4, 0), (5, 0)])
def test_a_wait_ends(elapsed_s, wait_s):
    instant = HOUR_ZERO + timedelta(seconds=elapsed_s)
    assert compute_wait_s(attempts("ttttt"), "desk", instant, is_known_source=False) == wait_s


def test_a_person_is_not_locked_out_where_they_have_signed_in_before_by_others_elsewhere():
    earlier = attempts("a") + attempts("t" * 99, "attacker")
    assert compute_wait_s(earlier, "desk", HOUR_ZERO, is_known_source=True) == 0
    assert compute_wait_s(earlier, "attacker", HOUR_ZERO, is_known_source=False) == LONGEST_WAIT_S


@pytest.mark.parametrize(
    ("failures", "wait_s"), [(9, 0), (10, 1), (11, 2), (99, LONGEST_STRANGE_WAIT_S)]
)
def test_from_places_that_are_new_a_person_is_tried_once_a_minute_at_most(failures, wait_s):
    strange = [attempt for n in range(failures) for attempt in attempts("t", f"bot-{n}")]
    assert compute_wait_s(strange, "hotel", HOUR_ZERO, is_known_source=False) == wait_s


def test_a_clock_that_was_set_back_lengthens_no_wait():
    instant = HOUR_ZERO - timedelta(days=1)
    assert compute_wait_s(attempts("t" * 99), "desk", instant, is_known_source=False) == 0
