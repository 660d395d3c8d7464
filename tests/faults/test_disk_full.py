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
        service = EmbeddedService(tmp_path / "data", sink.port)
        service.command("participants", "import", str(tmp_path / "people.csv"))
        service.start()
        _feed(service, trial.messages[:80])
        for upto in (140, len(trial.messages)):
            os.truncate(tmp_path / "service.log", 0)  # the limit is one of its log, too
            _limit(service, _FULL)
            further_messages = trial.messages[upto - 60 : upto]
            codes = {one.code for one in send_messages("127.0.0.1", service.mllp, further_messages)}
            assert codes == {"AE"}, "said that it could be stored"
            _limit(service, resource.RLIM_INFINITY)
            _feed(service, trial.messages[:upto])
        wait_until_done(service)
        assert service.stop() == 0
        assert "nothing found" in service.command("verify")
        assert "the same history" in service.command("replay")
        records = service.command("records", "--canonical").splitlines()
    assert tuple(records) == answers.answer_after(len(trial.messages)).records
    summary.add("disk full (SQLite)", {"starts": service.starts, "stops": 1})


def _feed(service, messages):
    """Send *messages* until all are acknowledged; what is stored is acknowledged again."""
    steps = []

    def is_acknowledged():
        steps[:] = []
        with suppress(OSError):
            steps.extend(
                one.code for one in send_messages("127.0.0.1", service.mllp, messages, timeout_s=30)
            )
        return steps == ["AA"] * len(messages)

    wait_until(is_acknowledged, REST_S, lambda: f"not stored: {steps[-3:]}")


def _limit(service, limit):
    """Let no file of the service grow beyond *limit* bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (limit, hard))
