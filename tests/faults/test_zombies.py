"""Several workers of the rules: partitions that move between them, and one that wakes late."""

import signal

import pytest

from tests.faults.acknowledged import acknowledged_and_not_folded
from tests.faults.lives import REST_S
from tests.helpers.distributed_service import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.server]


def test_partitions_move_between_workers_under_load(start_life):
    with start_life() as life:
        workers = life.workers
        workers.start("ingest", "relay", "alerts", "rules", "rules-2")
        part = len(life.trial.messages) // 3
        moves = (
            lambda: workers.start("rules-3"),
            lambda: workers.kill("rules-2"),
            lambda: workers.stop("rules"),
        )
        for number, move in enumerate(moves):
            feed_thread = life.feed_in_background(
                part if number < 2 else None, at_once=3, between_s=0.02
            )
            feed_thread.wait(0.3)
            move()
            feed_thread.join()
            life.wait_until_quiet()
            life.prove("partitions moved")
        assert set(workers.stop().values()) == {0}
        assert acknowledged_and_not_folded(life) == []


@pytest.mark.parametrize(
    ("role", "step"),
    [
        ("rules", "fold.before_commit"),
        ("rules", "fold.before_record"),
        ("rules", "study.before_record"),
        ("relay", "relay.before_publish"),
        ("alerts", "alerts.attempt_recorded"),
    ],
)
def test_a_worker_that_wakes_after_its_session_and_its_leases_changes_nothing(
    start_life, role, step
):
    with start_life() as life:
        workers = life.workers
        workers.start(failpoints={role: f"{step}:2:sleep=0.5"})
        paused_worker = workers[role]
        part = len(life.trial.messages) // 2
        feed_thread = life.feed_in_background(
            part, at_once=5, between_s=0.2
        )  # the second step has its facts, too
        paused_worker.wait_for(f"failpoint {step}")
        paused_worker.signal(signal.SIGSTOP)
        workers.start(f"{role}-2")
        feed_thread.join()
        feed_thread = life.feed_in_background(at_once=5)
        wait_until(lambda: _is_ahead(life, role), REST_S, life.waits)
        feed_thread.join()
        paused_worker.signal(signal.SIGCONT)
        life.wait_until_quiet(revive=False)
        life.prove(f"a zombie: {role}")
        assert set(workers.stop().values()) == {0}
        assert acknowledged_and_not_folded(life) == []


def _is_ahead(life, role):
    """Return True when the other worker has done the work: nothing of this role waits any more."""
    waits = life.waits()
    of_role = {
        "relay": {"announcements"},
        "rules": {"facts", "decisions"},
        "alerts": {"alerts not planned"},
    }
    return not waits.keys() & of_role[role]
