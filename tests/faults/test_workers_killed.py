"""kill -9 of every worker, at every named step and at random moments, several in each life."""

import os
import random
import threading

import pytest

from services.runtime.failpoints import NAMES

pytestmark = [pytest.mark.slow, pytest.mark.server]

WAVES = 6  # runs in one life: each is fed a part of the trial, hurt, rested and proven
LIVES = -(-int(os.environ.get("AEGIS_FAULT_RUNS", "18")) // WAVES)
_OF_RULES = ("fold.", "rules.", "study.", "decide.", "waker.", "seal.")
_OF_PERSONS = ("rotation.", "reencryption.", "act.")  # in test_killed_rotation, test_console_killed
_STEPS = {
    "ingest": [name for name in NAMES if name.startswith("ingest.")],
    "relay": [name for name in NAMES if name.startswith("relay.")],
    "rules": [name for name in NAMES if name.startswith(_OF_RULES)],
    "alerts": [name for name in NAMES if name.startswith("alerts.")],
}


def test_every_named_step_is_passed_by_a_worker():
    passed_names = sorted(name for names in _STEPS.values() for name in names)
    assert passed_names == sorted(name for name in NAMES if not name.startswith(_OF_PERSONS))


@pytest.mark.parametrize("seed", range(LIVES))
def test_whatever_is_killed_the_records_are_those_of_the_embedded_service(start_life, seed):
    rng = random.Random(f"workers-{seed}")
    with start_life() as life:
        workers = life.workers
        for role, steps in _STEPS.items():
            rotated_steps = steps[seed % len(steps) :] + steps[: seed % len(steps)]
            workers.planned_failpoints[role] = [
                f"{step}:{rng.randint(1, 2)}" for step in rotated_steps
            ]
        workers.start()
        part = len(life.trial.messages) // WAVES
        for wave in range(WAVES):
            is_last = wave == WAVES - 1
            killer = _kill_at_a_moment(workers, rng)
            life.feed(None if is_last else part, at_once=rng.choice((2, 5, 10)))
            killer.join()
            life.wait_until_quiet()
            life.prove("kill -9")
        workers.planned_failpoints.clear()
        for name in _STEPS:  # what one was to die of may still lie before it
            workers.kill(name)
        life.wait_until_quiet()
        assert all(code == 0 for code in workers.stop().values())


def _kill_at_a_moment(workers, rng):
    """Kill one worker within a second, beside what happens at the named steps."""
    name = rng.choice(list(_STEPS))
    killer = threading.Timer(rng.uniform(0.02, 1.0), workers.kill, [name])
    killer.start()
    return killer
