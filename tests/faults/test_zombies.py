"""Several workers of the rules: partitions that move between them, and one that wakes late."""

import signal

import pytest

from tests.faults.acknowledged import acknowledged_and_not_folded
from tests.faults.lives import REST_S
from tests.helpers.distributed_service import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.server]


def test_partitions_move_between_workers_under_load(living):
    with living() as life:
        workers = life.workers
        workers.start("ingest", "relay", "alerts", "rules", "rules-2")
        part = len(life.trial.messages) // 3
        moves = (
            lambda: workers.start("rules-3"),
            lambda: workers.kill("rules-2"),
            lambda: workers.stop("rules"),
        )
        for number, move in enumerate(moves):
            feeding = life.feeding(part if number < 2 else None, at_once=3, between_s=0.02)
            feeding.wait(0.3)
            move()
            feeding.join()
            life.rest()
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
def test_a_worker_that_wakes_after_its_session_and_its_leases_changes_nothing(living, role, step):
    with living() as life:
        workers = life.workers
        workers.start(failpoints={role: f"{step}:2:sleep=0.5"})
        paused = workers[role]
        part = len(life.trial.messages) // 2
        feeding = life.feeding(part, at_once=5, between_s=0.2)  # the second step has its facts, too
        paused.wait_for(f"failpoint {step}")
        paused.signal(signal.SIGSTOP)
        workers.start(f"{role}-2")
        feeding.join()
        feeding = life.feeding(at_once=5)
        wait_until(lambda: _is_ahead(life, role), REST_S, life.waits)
        feeding.join()
        paused.signal(signal.SIGCONT)
        life.rest(revive=False)
        life.prove(f"a zombie: {role}")
        assert set(workers.stop().values()) == {0}
        assert acknowledged_and_not_folded(life) == []


def _is_ahead(life, role):
    """Whether the other worker has done the work: nothing of this role waits any more."""
    waits = life.count_waiting()
    of_role = {
        "relay": {"announcements"},
        "rules": {"facts", "decisions"},
        "alerts": {"alerts not planned"},
    }
    return not waits.keys() & of_role[role]
