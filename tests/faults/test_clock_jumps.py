"""The machine's clock jumps, forwards and backwards, while workers run and while they are dead."""

import pytest

from tests.faults.answers import Answers

pytestmark = [pytest.mark.slow, pytest.mark.server]

_HOUR_S = 3600


@pytest.fixture(scope="module")
def by_the_wall(trial, tmp_path_factory):
    """What the embedded service says months after the messages."""
    return Answers(trial, tmp_path_factory.mktemp("embedded"), clock="wall")


def test_a_clock_that_jumps_under_load_changes_no_record(living, by_the_wall, tmp_path):
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    with living(of=by_the_wall, CLOCK_AHEAD=str(ahead)) as life:
        life.workers.start()
        part = len(life.trial.messages) // 4
        for number, jump_s in enumerate((_HOUR_S, -_HOUR_S, 2 * _HOUR_S, 0)):
            feeding = life.feeding(part if number < 3 else None, at_once=5, between_s=0.02)
            feeding.wait(0.3)
            _set(ahead, jump_s)
            feeding.join()
            life.rest(revive=False)
            life.prove("the clock jumps")
        assert set(life.workers.stop().values()) == {0}


def test_leases_of_the_dead_whose_clock_was_ahead_are_taken_soon(living, by_the_wall, tmp_path):
    ahead = tmp_path / "ahead"
    ahead.write_text(str(_HOUR_S))
    with living(of=by_the_wall, CLOCK_AHEAD=str(ahead)) as life:
        life.workers.start()
        life.feed(80)
        life.rest()
        for role in ("relay", "rules", "alerts"):
            life.workers.kill(role)
        _set(ahead, 0)
        life.workers.revive()
        life.feed()
        life.rest()
        life.prove("a lease from the future")


def _set(file, ahead_s):
    """Replace it: whoever reads it sees one or the other."""
    new = file.with_suffix(".new")
    new.write_text(str(ahead_s))
    new.replace(file)
