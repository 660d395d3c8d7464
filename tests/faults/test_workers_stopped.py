"""A rolling restart: each worker is asked to end in the middle of a slow step, under load."""

import signal

import pytest

from tests.faults.acknowledged import acknowledged_and_not_folded

pytestmark = [pytest.mark.slow, pytest.mark.server]

_NO_REPAIR = {"AEGIS_SWEEP_EVERY_S": "3600", "AEGIS_LEFT_BEHIND_S": "3600"}  # nothing is repaired
_STEPS = (
    "ingest.before_commit",
    "ingest.after_commit",
    "relay.before_publish",
    "relay.before_delete",
    "rules:fold.before_commit",
    "rules:fold.after_commit",
    "rules:study.before_commit",
    "alerts.attempt_recorded",
)


def test_a_step_that_takes_two_seconds_is_finished_by_a_worker_that_is_to_end(start_life):
    with start_life(**_NO_REPAIR) as life:
        workers = life.workers
        workers.start()
        part = len(life.trial.messages) // len(_STEPS)
        for number, step in enumerate(_STEPS):
            role, _, name = step.rpartition(":")
            role = role or name.partition(".")[0]
            assert workers.stop(role) == {role: 0}
            (worker,) = workers.start(role, failpoints={role: f"{name}:1:sleep=2"})
            feed_thread = life.feed_in_background(
                part if number + 1 < len(_STEPS) else None, at_once=5
            )
            worker.wait_for(f"failpoint {name}")
            assert worker.is_alive()
            worker.signal(signal.SIGTERM)
            assert worker.wait_for_exit() == 0, worker.read_log()
            if role == "rules":
                assert acknowledged_and_not_folded(life) == []
            workers.start(role)
            feed_thread.join()
            life.wait_until_quiet(revive=False)
            assert "Traceback" not in worker.read_log()
            life.prove("SIGTERM in a slow step")
        assert workers.stop() == dict.fromkeys(("ingest", "relay", "rules", "alerts"), 0)
        assert acknowledged_and_not_folded(life) == []
