"""What people enter beside the feeds: the last they say stands, and no state is told too early."""

import pytest

from services.cli.main import main
from services.runtime.clock import now_utc
from services.simulator.trial import simulate
from services.store import leases, records
from tests.installed import STUDY, Installation, messages_of

pytestmark = pytest.mark.slow


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    made = Installation(tmp_path, clock="wall")
    trial = simulate(1, seed=5, days=6)
    made.enrol(trial)
    made.take(messages_of(trial))
    made.settle()
    yield made
    made.db.close()


@pytest.fixture
def aegis(capsys):
    def run(*words):
        capsys.readouterr()
        assert main(list(words)) == 0
        return capsys.readouterr().out

    return run


def a_record(installed):
    with installed.db.read() as conn:
        return next(one for one in records.latest_episodes(conn) if not one.retracted)


def test_beside_a_running_service_an_adjudication_is_known_and_no_state_is_told(installed, aegis):
    record = a_record(installed)
    with installed.db.write() as conn:
        assert leases.acquire(conn, "rules", "a service", now_utc(), 600)
    said = aegis("adjudicate", record.id, "reject", "--reason", "diluted")
    about = f"{record.content.participant} {record.content.term}"
    assert said == f"known: reject {about}; a running service grades it\n"
    with installed.db.write() as conn:
        leases.release(conn, "rules", "a service")
    installed.settle()
    assert a_record(installed).content.state == "rejected"
