"""Receivers of notices that hang: nobody else waits for them, nor does the end of the worker."""

import threading
import time
from dataclasses import replace

import pytest

from services.alerts.channel_contract import Acceptance
from services.alerts.delivery_worker import DeliveryWorker
from services.alerts.domain.routes import Channel
from services.alerts.plan_notices import plan_notices
from tests.helpers.timeline import Timeline

CHAIR = "dsmb-chair@example.org"


class HangingChannel:
    """A channel that takes letters at once, except those to one address, which hang."""

    def __init__(self, hanging_address):
        self.hanging_address = hanging_address
        self.release_event = threading.Event()
        self.begin_event = threading.Event()
        self.arrivals = []

    def send(self, _letter, address):
        if address == self.hanging_address:
            self.begin_event.set()
            self.release_event.wait(60)
        self.arrivals.append((address, time.monotonic()))
        return Acceptance()


@pytest.fixture
def trial(tmp_path):
    trial = Timeline(tmp_path)
    trial.treat("P-001", "P-002")
    yield trial
    trial.close()


@pytest.fixture
def run_worker(trial):
    """Run the deliveries over *channel*; return a function that ends them."""
    ends = []

    def run(channel, deadline_s=30.0):
        context = replace(
            trial.delivery, channels=dict.fromkeys(Channel, channel.send), deadline_s=deadline_s
        )
        stop = threading.Event()
        thread = threading.Thread(target=DeliveryWorker(context, "alerts").run, args=(stop,))
        thread.start()

        def end():
            stop.set()
            thread.join(20)
            assert not thread.is_alive()

        ends.append((channel, end))
        return end

    yield run
    for channel, end in ends:
        channel.release_event.set()
        end()


def list_addresses_of_a_death(trial):
    """Enter a death, and return the addresses of its notices."""
    trial.death("P-001", 1)
    trial.grade(1)
    plan_notices(trial.delivery, trial.clock_time)
    recipients = trial.delivery.recipients
    rows = trial.deliveries()
    return [recipients.find(row.role, row.recipient, row.channel).address for row in rows]


def wait_for(holds, limit_s=10.0):
    ends_at_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < ends_at_s
        time.sleep(0.01)


def test_a_receiver_that_hangs_delays_nobody_else_by_more_than_a_second(trial, run_worker):
    addresses = list_addresses_of_a_death(trial)
    channel = HangingChannel(CHAIR)
    assert CHAIR in addresses
    run_worker(channel)
    wait_for(channel.begin_event.is_set)
    wait_for(lambda: len(channel.arrivals) == sum(one != CHAIR for one in addresses))
    trial.potassium("6.5", name="P-002", hour=2)
    trial.grade(2)
    graded_at_s = time.monotonic()
    wait_for(lambda: channel.arrivals[-1][1] > graded_at_s)
    assert channel.arrivals[-1][0] == "safety-officer@example.org"
    assert channel.arrivals[-1][1] - graded_at_s < 1.0
    assert CHAIR not in [address for address, _ in channel.arrivals]
    channel.release_event.set()
    wait_for(lambda: all(row.state == "sent" for row in trial.deliveries()))


def test_an_attempt_without_an_end_fails_at_its_deadline(trial, run_worker):
    list_addresses_of_a_death(trial)
    channel = HangingChannel(CHAIR)
    run_worker(channel, deadline_s=0.2)
    wait_for(lambda: any(row.error for row in trial.deliveries()))
    (row,) = (row for row in trial.deliveries() if row.error)
    assert (row.state, row.error, row.attempts) == ("waiting", "not ended within 0.2 s", 1)


def test_the_worker_ends_while_a_receiver_hangs_and_the_next_sends_again(trial, run_worker):
    list_addresses_of_a_death(trial)
    channel = HangingChannel(CHAIR)
    end = run_worker(channel)
    wait_for(channel.begin_event.is_set)
    began_s = time.monotonic()
    end()
    assert time.monotonic() - began_s < 10
    assert {row.attempts for row in trial.deliveries()} == {1}
    trial.clock_time = trial.clock_time.replace(minute=1)
    while trial.worker.step():
        pass
    assert {row.state for row in trial.deliveries()} == {"sent"}
