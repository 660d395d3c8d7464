"""Attempts under way: one per recipient, in threads that nobody else waits for."""

import threading

import pytest

from services.alerts.channel_contract import Acceptance, Failure
from services.alerts.delivery_pool import Attempt, DeliveryPool
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


def test_there_are_sixteen_attempts_at_once_at_most(make_receivers):
    receivers = make_receivers()
    receivers.start(*(f"r{n}" for n in range(15)))
    assert receivers.pool.has_room(make_row("last"))
    receivers.start("last")
    assert not receivers.pool.has_room(make_row("one more"))


def test_those_that_failed_before_leave_half_of_the_room_to_the_others(make_receivers):
    receivers = make_receivers()
    names = [f"r{n}" for n in range(9)]
    receivers.start(*names)
    for name in names:
        receivers.release(name, Failure("refused"))
    assert {receivers.pop()[0] for _ in names} == set(names)
    receivers.start(*names[:7])
    assert receivers.pool.has_room(make_row("r7"))
    receivers.start("r7")
    assert not receivers.pool.has_room(make_row("r8"))
    assert receivers.pool.has_room(make_row("healthy"))


def test_no_attempt_holds_up_the_end_of_the_process(make_receivers):
    receivers = make_receivers()
    receivers.start("chair")
    (thread,) = (one for one in threading.enumerate() if one.name == "alert delivery")
    assert thread.daemon
