"""The drill: a backup while the service takes messages, restored elsewhere, and fed the rest."""

import threading

import pytest

from services.cli.demo.mail_sink import MailSink
from services.simulator.trial import write_participants_csv
from tests.faults.test_kill import wait_until_done
from tests.helpers.embedded_service import EmbeddedService

pytestmark = pytest.mark.slow


@pytest.mark.part11("11.10(c)", "4.2.5")
def test_a_copy_taken_while_the_service_runs_goes_on_to_the_same_records(
    trial, answers, summary, tmp_path
):
    (tmp_path / "people.csv").write_text(write_participants_csv(trial))
    half = len(trial.messages) // 2
    with MailSink(tmp_path / "mails") as sink:
        service = EmbeddedService(tmp_path / "data", sink.port)
        service.command("participants", "import", str(tmp_path / "people.csv"))
        service.start()
        assert service.feed(trial.messages[:half], 0) == half
        feed = threading.Thread(target=service.feed, args=(trial.messages, half))
        feed.start()
        service.command("backup", str(tmp_path / "backup"))
        feed.join()
        service.kill()  # the machine is lost

        copy = EmbeddedService(tmp_path / "restored", sink.port)
        assert "Now run `aegis verify`" in copy.command("restore", str(tmp_path / "backup"))
        assert "nothing found" in copy.command("verify")
        assert "the same history" in copy.command("replay")
        copy.start()
        assert copy.feed(trial.messages, 0) == len(trial.messages)
        wait_until_done(copy)
        assert copy.stop() == 0
        assert "nothing found" in copy.command("verify")
        records = copy.command("records", "--canonical").splitlines()
    assert tuple(records) == answers.answer_after(len(trial.messages)).records
    ends = {"starts": service.starts + copy.starts, "kills": 1, "stops": 1}
    summary.add("restored copy (SQLite)", ends)
