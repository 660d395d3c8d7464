"""Attempts under way: one per recipient, in threads that nobody else waits for."""

import threading
from dataclasses import replace

import pytest

from services.alerts import delivery_pool
from services.alerts.channel_contract import Acceptance, Failure
from services.alerts.delivery_pool import Attempt, DeliveryPool, LaneHealth
from services.store.alerts import DeliveryRow
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.store import ALERT

OVERDUE = Failure("not ended")


def make_row(recipient, channel="webhook"):
    return DeliveryRow(
        id=f"{channel}-{recipient}",
        alert=ALERT.id,
        role="operator",
        recipient=recipient,
        channel=channel,
        reason="first",
        grade=3,
        recorded_at=HOUR_ZERO,
        state="waiting",
        next_attempt_at=HOUR_ZERO,
    )


class Receivers:
    """Recipients that answer once they are let go."""

    def __init__(self, deadline_s=60.0):
        self.pool = DeliveryPool(deadline_s)
        self.released = {}
        self.answers = {}

    def send(self, _letter, address):
        self.released[address].wait(30)
        answer = self.answers.get(address, Acceptance())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def start(self, *recipients):
        for recipient in recipients:
            self.released[recipient] = threading.Event()
            attempt = Attempt(make_row(recipient), ALERT, HOUR_ZERO, OVERDUE)
            self.pool.start(attempt, self.send, None, recipient)

    def release(self, recipient, answer=None):
        if answer is not None:
            self.answers[recipient] = answer
        self.released[recipient].set()

    def pop(self, wait_s=10.0):
        attempt = self.pool.pop_finished(wait_s)
        return attempt and (attempt.row.recipient, attempt.result)


@pytest.fixture
def make_receivers():
    all_receivers = []

    def make(**options):
        all_receivers.append(Receivers(**options))
        return all_receivers[-1]

    yield make
    for receivers in all_receivers:
        for event in receivers.released.values():
            event.set()


def test_who_is_slow_holds_up_nobody_else(make_receivers):
    receivers = make_receivers()
    receivers.start("slow", "fast")
    receivers.release("fast")
    assert receivers.pop() == ("fast", Acceptance())
    assert receivers.pool.is_busy
    receivers.release("slow")
    assert receivers.pop() == ("slow", Acceptance())
    assert not receivers.pool.is_busy


def test_a_recipient_gets_one_notice_after_the_other_on_each_channel(make_receivers):
    receivers = make_receivers()
    receivers.start("chair")
    assert not receivers.pool.has_room(make_row("chair"))
    assert receivers.pool.has_room(make_row("chair", channel="email"))
    assert receivers.pool.has_room(make_row("officer"))
    receivers.release("chair")
    receivers.pop()
    assert receivers.pool.has_room(make_row("chair"))


def test_an_attempt_beyond_its_deadline_has_failed_and_its_recipient_is_left_alone(make_receivers):
    receivers = make_receivers(deadline_s=0.05)
    receivers.start("chair")
    assert receivers.pop(wait_s=0.1) == ("chair", OVERDUE)
    assert not receivers.pool.is_busy
    assert receivers.pop(wait_s=0.1) is None
    assert not receivers.pool.has_room(make_row("chair"))


def test_an_attempt_before_its_deadline_is_awaited(make_receivers):
    receivers = make_receivers(deadline_s=60.0)
    receivers.start("chair")
    assert receivers.pop(wait_s=0.1) is None
    assert receivers.pool.is_busy


@pytest.mark.parametrize(
    ("answer", "late"), [(Acceptance(), ("chair", Acceptance())), (Failure("refused"), None)]
)
def test_a_letter_taken_after_the_deadline_is_sent_all_the_same(make_receivers, answer, late):
    receivers = make_receivers(deadline_s=0.01)
    receivers.start("chair")
    assert receivers.pop(wait_s=0.1) == ("chair", OVERDUE)
    receivers.release("chair", answer)
    assert receivers.pop() == late
    assert receivers.pool.has_room(make_row("chair"))


def test_an_exception_of_a_channel_is_a_failure(make_receivers):
    receivers = make_receivers()
    receivers.start("chair")
    receivers.release("chair", ZeroDivisionError())
    assert receivers.pop() == ("chair", Failure("channel failed (ZeroDivisionError)"))


HEALTHY, UNKNOWN, FAULTY = "healthy", "unknown", "faulty"

# who hangs, of whom nobody knew it, and who is served meanwhile
SCHEDULES = {
    "nobody hangs": ({}, {HEALTHY, UNKNOWN, FAULTY}),
    "7 that failed before": ({FAULTY: 7}, {HEALTHY, UNKNOWN, FAULTY}),
    "8 that failed before": ({FAULTY: 8}, {HEALTHY, UNKNOWN}),
    "16 new ones": ({UNKNOWN: 16}, {HEALTHY, UNKNOWN, FAULTY}),
    "31 new ones": ({UNKNOWN: 31}, {HEALTHY, UNKNOWN, FAULTY}),
    "32 new ones": ({UNKNOWN: 32}, {HEALTHY, FAULTY}),
    "23 new ones, 8 that failed before": ({UNKNOWN: 23, FAULTY: 8}, {HEALTHY, UNKNOWN}),
    "24 new ones, 8 that failed before": ({UNKNOWN: 24, FAULTY: 8}, {HEALTHY}),
    "15 that answered": ({HEALTHY: 15}, {HEALTHY, UNKNOWN, FAULTY}),
    "16 that answered": ({HEALTHY: 16}, {UNKNOWN, FAULTY}),
}

# the same, when each of them has hung for half a second
LATER_SCHEDULES = {
    "7 new ones": ({UNKNOWN: 7}, {HEALTHY, UNKNOWN, FAULTY}),
    "8 new ones": ({UNKNOWN: 8}, {HEALTHY, UNKNOWN}),
    "31 new ones": ({UNKNOWN: 31}, {HEALTHY, UNKNOWN}),
    "32 new ones": ({UNKNOWN: 32}, {HEALTHY}),
    "16 that answered": ({HEALTHY: 16}, {HEALTHY, UNKNOWN}),
    "16 that answered, 16 new ones": ({HEALTHY: 16, UNKNOWN: 16}, {HEALTHY}),
}


def hang(receivers, counts):
    """Let *counts* recipients of each health hang, and know one more of each health."""
    answers = {HEALTHY: Acceptance(), FAULTY: Failure("refused")}
    for health, answer in answers.items():
        names = [f"{health}-{n}" for n in range(counts.get(health, 0))] + [health]
        receivers.start(*names)
        for name in names:
            receivers.release(name, answer)
        assert {receivers.pop()[0] for _ in names} == set(names)
    receivers.start(*(f"{health}-{n}" for health, count in counts.items() for n in range(count)))


def list_served(receivers):
    return {one for one in (HEALTHY, UNKNOWN, FAULTY) if receivers.pool.has_room(make_row(one))}


@pytest.mark.parametrize(("hung_counts", "served_health"), SCHEDULES.values(), ids=SCHEDULES)
def test_who_answers_waits_for_nobody_who_does_not(
    make_receivers, hung_counts, served_health, monkeypatch
):
    monkeypatch.setattr(delivery_pool, "_PROMPT_S", 60.0)
    receivers = make_receivers()
    hang(receivers, hung_counts)
    assert list_served(receivers) == served_health


@pytest.mark.parametrize(
    ("hung_counts", "served_health"), LATER_SCHEDULES.values(), ids=LATER_SCHEDULES
)
def test_what_takes_long_takes_no_place_of_those_that_answer(
    make_receivers, hung_counts, served_health, monkeypatch
):
    receivers = make_receivers()
    hang(receivers, hung_counts)
    monkeypatch.setattr(delivery_pool, "_PROMPT_S", 0.0)
    assert list_served(receivers) == served_health


def test_attempts_beyond_their_deadline_take_no_place_of_those_that_answer(make_receivers):
    receivers = make_receivers(deadline_s=0.01)
    names = [f"r{n}" for n in range(32)]
    receivers.start(*names)
    assert {receivers.pop(wait_s=0.05)[0] for _ in names} == set(names)
    assert not receivers.pool.has_room(make_row("new"))
    receivers.pool.deadline_s = 60.0
    receivers.start("chair")
    receivers.release("chair")
    assert receivers.pop() == ("chair", Acceptance())
    assert receivers.pool.has_room(make_row("chair"))


@pytest.mark.parametrize(
    ("answers", "attempts", "health"),
    [
        ([], 0, LaneHealth.UNKNOWN),
        ([], 1, LaneHealth.FAULTY),
        ([Acceptance()], 0, LaneHealth.HEALTHY),
        ([Acceptance()], 1, LaneHealth.HEALTHY),
        ([Failure("refused")], 0, LaneHealth.FAULTY),
        ([Failure("refused"), Acceptance()], 0, LaneHealth.HEALTHY),
        ([Acceptance(), Failure("refused")], 0, LaneHealth.FAULTY),
    ],
)
def test_the_last_attempt_says_whether_a_recipient_answers(
    make_receivers, answers, attempts, health
):
    receivers = make_receivers()
    for answer in answers:
        receivers.start("chair")
        receivers.release("chair", answer)
        receivers.pop()
    row = replace(make_row("chair"), attempts=attempts)
    assert receivers.pool.find_health(row) is health


def test_no_attempt_holds_up_the_end_of_the_process(make_receivers):
    receivers = make_receivers()
    receivers.start("chair")
    (thread,) = (one for one in threading.enumerate() if one.name == "alert delivery")
    assert thread.daemon
