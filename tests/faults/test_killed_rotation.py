"""kill -9 while a key is made and messages are encrypted again: all of them stay readable."""

import json
import random
import threading
import time

import pytest

from services.simulator.trial import write_participants_csv
from tests.helpers.embedded_service import EmbeddedService

pytestmark = pytest.mark.slow

_KILLED_CODE = 137
_REST_S = 120
_OLD_FILE, _NEW_FILE = "encryption-0001.key", "encryption-0002.key"
_FIRST_PART, _MESSAGES = 180, 234  # messages, of 234; a batch has at most 100


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def service(request, trial, tmp_path, monkeypatch):
    """Return a service that has taken messages, and does not run."""
    if request.param == "postgres":
        monkeypatch.setenv("AEGIS_DATABASE_URL", request.getfixturevalue("postgres").url)
    service = EmbeddedService(tmp_path / "data")
    service.command("migrate")
    (tmp_path / "people.csv").write_text(write_participants_csv(trial))
    service.command("participants", "import", str(tmp_path / "people.csv"))
    service.start()
    assert service.feed(trial.messages[:_FIRST_PART], 0) == _FIRST_PART
    assert service.stop() == 0
    yield service
    if service.is_alive():
        service.stop()


def list_keys(service):
    """Return state and number of messages of each encryption key by its file."""
    lines = service.command("keys", "list", "--json").splitlines()
    keys = [one for one in map(json.loads, lines) if one["purpose"] == "encryption"]
    return {one["file"]: (one["state"], one["messages"]) for one in keys}


def test_messages_are_encrypted_again_whenever_it_is_killed(service, trial):
    rng = random.Random("killed-rotation")
    (_, count) = list_keys(service)[_OLD_FILE]
    service.command("keys", "rotate")
    service.start("reencryption.before_commit:2")
    service.process.wait(_REST_S)
    assert service.process.returncode == _KILLED_CODE
    assert list_keys(service) == {
        _OLD_FILE: ("being replaced", count - 100),
        _NEW_FILE: ("encrypts", 100),
    }
    assert "nothing found" in service.command("verify")

    service.start()
    killer = threading.Timer(rng.uniform(0.05, 0.4), service.process.kill)
    killer.start()
    answered_count = service.feed(trial.messages[:_MESSAGES], _FIRST_PART)
    killer.join()
    service.process.wait(_REST_S)
    service.start()
    assert service.feed(trial.messages[:_MESSAGES], answered_count) == _MESSAGES
    deadline = time.monotonic() + _REST_S
    while list_keys(service)[_OLD_FILE] != ("can be retired", 0):
        assert time.monotonic() < deadline, list_keys(service)
        time.sleep(0.5)
    service.command("keys", "retire", _OLD_FILE)
    (service.folder / "keys" / _OLD_FILE).unlink()
    assert service.stop() == 0
    (_, new_count) = list_keys(service)[_NEW_FILE]
    assert new_count >= count + _MESSAGES - _FIRST_PART
    service.start()
    assert service.stop() == 0
    assert "nothing found" in service.command("verify")
    assert "the same history" in service.command("replay")


def test_a_rotation_that_was_killed_is_gone_on_with(service, monkeypatch):
    monkeypatch.setenv("AEGIS_FAILPOINT", "rotation.before_commit:1")
    killed_service = EmbeddedService(service.folder)
    rotation = killed_service.command("keys", "rotate", check=False)
    assert rotation.returncode == _KILLED_CODE
    monkeypatch.delenv("AEGIS_FAILPOINT")
    assert list_keys(service)[_NEW_FILE] == ("not in use", 0)
    service.start()
    assert service.stop() == 0
    service.command("keys", "rotate")
    assert set(list_keys(service)) == {_OLD_FILE, _NEW_FILE}
    assert list_keys(service)[_NEW_FILE] == ("encrypts", 0)
