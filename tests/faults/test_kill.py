"""kill -9 at every named step and at random moments: nothing lost, the same records, every mail."""

import json
import random
import threading
import time
from email import message_from_bytes

import pytest

from services.cli.demo.mail_sink import MailSink
from services.runtime.failpoints import NAMES
from services.simulator.trial import simulate_trial, write_trial
from services.store import alerts, journal
from services.store.session import Database
from tests.faults.lives import REST_S
from tests.helpers.embedded_service import EmbeddedService

pytestmark = pytest.mark.slow

_OF_SEVERAL = ("relay.", "waker.", "rules.", "decide.", "ingest.before_offset")
_OF_KEYS = ("rotation.", "reencryption.")  # passed in test_killed_rotation
_OF_PERSONS = ("act.",)  # passed in test_console_killed
_STEPS = sorted(  # what only one process passes; what is seldom news, first
    (name for name in NAMES if not name.startswith(_OF_SEVERAL + _OF_KEYS + _OF_PERSONS)),
    key=lambda name: not name.startswith("study."),
)
_RUNS = 3
_MOMENTS = 2  # random kills of each run, after those at its named steps
_KILLED_CODE = 137


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    trial_data = simulate_trial(5, seed=11, days=9)
    folder = tmp_path_factory.mktemp("trial")
    write_trial(trial_data, folder)
    return trial_data, folder


@pytest.mark.parametrize("seed", range(_RUNS))
@pytest.mark.part11("4.3.6")
def test_whatever_is_killed_the_records_are_the_answer_key(trial, tmp_path, seed):
    trial_data, folder = trial
    rng = random.Random(f"kill-{seed}")
    with MailSink(tmp_path / "mails") as sink:
        service = EmbeddedService(tmp_path / "data", sink.port)
        service.command("participants", "import", str(folder / "participants.csv"))
        answered_count = 0
        for step in _STEPS[seed::_RUNS]:
            answered_count = _feed_until_it_dies(service, trial_data.messages, answered_count, step)
        for _ in range(_MOMENTS):
            service.start()
            killer = threading.Timer(rng.uniform(0.02, 0.6), service.process.kill)
            killer.start()
            answered_count = service.feed(trial_data.messages, answered_count)
            killer.join()
            service.process.wait(REST_S)
        while answered_count < len(trial_data.messages):
            service.start()
            answered_count = service.feed(trial_data.messages, answered_count)
        if not service.is_alive():
            service.start()
        wait_until_done(service)
        assert service.stop() == 0
        _deliver_what_is_left(service)

        assert "nothing found" in service.command("verify")
        assert "the same history" in service.command("replay")
        assert _records(service) == _key(folder)
        _each_open_alert_was_mailed(service, sink)


def _feed_until_it_dies(service, messages, answers, step):
    """Feed, a few at a time, until it dies at *step*; return how many are acknowledged in all."""
    service.start(f"{step}:1")
    deadline = time.monotonic() + REST_S
    while service.is_alive():
        assert time.monotonic() < deadline, f"never passed: {step}"
        answers = service.feed(messages[: answers + 5], answers)
        time.sleep(0.1)
    assert service.process.returncode == _KILLED_CODE
    return answers


def wait_until_done(service):
    db = Database.open(f"sqlite:///{service.folder}/db/aegis.db")
    deadline = time.monotonic() + REST_S
    quiet = 0
    while quiet < 3:
        assert time.monotonic() < deadline, "the service does not come to rest"
        time.sleep(0.3)
        with db.read() as conn:
            open_alerts = {one.id for one in alerts.load_alerts(conn) if one.is_open}
            notified_alerts = {row.alert for row in alerts.load_deliveries(conn)}
            busy = (
                journal.count_unhandled(conn)
                or alerts.count_undelivered(conn)
                or open_alerts - notified_alerts
            )
        quiet = 0 if busy else quiet + 1
    db.close()


def _deliver_what_is_left(service):
    service.start()
    wait_until_done(service)
    service.stop()


def _records(service):
    lines = [json.loads(line) for line in service.command("records", "--canonical").splitlines()]
    return sorted(
        (
            one["participant"],
            one["criterion"],
            one["onset_at"],
            one["resolved_at"],
            [one["worst"]["at_least"], one["worst"]["at_most"]],
            one["before_exposure"],
        )
        for one in lines
    )


def _key(folder):
    lines = [json.loads(line) for line in (folder / "answer_key.ndjson").read_text().splitlines()]
    return sorted(
        (
            one["participant"],
            one["criterion"],
            one["onset_at"],
            one["resolved_at"],
            one["worst"],
            one["before_exposure"],
        )
        for one in lines
    )


def _each_open_alert_was_mailed(service, sink):
    db = Database.open(f"sqlite:///{service.folder}/db/aegis.db")
    with db.read() as conn:
        open_alerts = {one.id for one in alerts.load_alerts(conn) if one.is_open}
    db.close()
    mailed_alerts = {message_from_bytes(mail.read_bytes())["X-Aegis-Alert"] for mail in sink.mails}
    assert open_alerts
    assert open_alerts <= mailed_alerts
