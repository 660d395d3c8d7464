"""The machine's clock jumps, forwards and backwards, while workers run and while they are dead."""

import pytest

from tests.faults.answers import Answers

pytestmark = [pytest.mark.slow, pytest.mark.server]

_HOUR_S = 3600


@pytest.fixture(scope="module")
def by_the_wall(trial, tmp_path_factory):
    """Answers of the embedded service months after the messages."""
    return Answers(trial, tmp_path_factory.mktemp("embedded"), clock="wall")


def test_a_clock_that_jumps_under_load_changes_no_record(start_life, by_the_wall, tmp_path):
    clock_file = tmp_path / "ahead"
    clock_file.write_text("0")
    with start_life(reference=by_the_wall, CLOCK_AHEAD=str(clock_file)) as life:
        life.workers.start()
        part = len(life.trial.messages) // 4
        for number, jump_s in enumerate((_HOUR_S, -_HOUR_S, 2 * _HOUR_S, 0)):
            feed_thread = life.feed_in_background(
                part if number < 3 else None, at_once=5, between_s=0.02
            )
            feed_thread.wait(0.3)
            _set_clock(clock_file, jump_s)
            feed_thread.join()
            life.wait_until_quiet(revive=False)
            life.prove("the clock jumps")
        assert set(life.workers.stop().values()) == {0}


def test_leases_of_the_dead_whose_clock_was_ahead_are_taken_soon(start_life, by_the_wall, tmp_path):
    clock_file = tmp_path / "ahead"
    clock_file.write_text(str(_HOUR_S))
    with start_life(reference=by_the_wall, CLOCK_AHEAD=str(clock_file)) as life:
        life.workers.start()
        life.feed(80)
        life.wait_until_quiet()
        for role in ("relay", "rules", "alerts"):
            life.workers.kill(role)
        _set_clock(clock_file, 0)
        life.workers.revive()
        life.feed()
        life.wait_until_quiet()
        life.prove("a lease from the future")


def _set_clock(file, ahead_s):
    """Replace it: whoever reads it sees one or the other."""
    replacement = file.with_suffix(".new")
    replacement.write_text(str(ahead_s))
    replacement.replace(file)
