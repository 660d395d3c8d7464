"""The disk is full: what cannot be written is not acknowledged, and nothing else is lost."""

import os
import resource
from contextlib import suppress

import pytest

from services.cli.demo.mail_sink import MailSink
from services.ingest.mllp_client import send_messages
from services.simulator.trial import write_participants_csv
from tests.faults.lives import REST_S
from tests.faults.test_kill import wait_until_done
from tests.helpers.distributed_service import wait_until
from tests.helpers.embedded_service import EmbeddedService

pytestmark = pytest.mark.slow

_FULL = 32 * 1024  # bytes that a file may have: less than the write-ahead log has already


def test_a_full_disk_is_told_to_the_sender_and_the_service_goes_on_when_there_is_room(
    trial, answers, summary, tmp_path
):
    (tmp_path / "people.csv").write_text(write_participants_csv(trial))
    with MailSink(tmp_path / "mails") as sink:
        served = EmbeddedService(tmp_path / "data", sink.port)
        served.command("participants", "import", str(tmp_path / "people.csv"))
        served.start()
        _feed(served, trial.messages[:80])
        for upto in (140, len(trial.messages)):
            os.truncate(tmp_path / "service.log", 0)  # the limit is one of its log, too
            _limit(served, _FULL)
            more = trial.messages[upto - 60 : upto]
            codes = {one.code for one in send_messages("127.0.0.1", served.mllp, more)}
            assert codes == {"AE"}, "said that it could be stored"
            _limit(served, resource.RLIM_INFINITY)
            _feed(served, trial.messages[:upto])
        wait_until_done(served)
        assert served.stop() == 0
        assert "nothing found" in served.command("verify")
        assert "the same history" in served.command("replay")
        records = served.command("records", "--canonical").splitlines()
    assert tuple(records) == answers.to(len(trial.messages)).records
    summary.add("disk full (SQLite)", {"starts": served.starts, "stops": 1})


def _feed(served, messages):
    """Send *messages* until all are acknowledged; what is stored is acknowledged again."""
    done = []

    def is_acknowledged():
        done[:] = []
        with suppress(OSError):
            done.extend(
                one.code for one in send_messages("127.0.0.1", served.mllp, messages, timeout_s=30)
            )
        return done == ["AA"] * len(messages)

    wait_until(is_acknowledged, REST_S, lambda: f"not stored: {done[-3:]}")


def _limit(served, most):
    """Let no file of the service grow beyond *most* bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (most, hard))
