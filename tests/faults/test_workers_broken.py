"""Faults inside a worker: bugs, records of a newer version, bytes that are no record."""

import json

import pytest

from services.safety_rules.workers.faust_stream import EXIT_FAILED, EXIT_UPGRADE_ME
from tests.faults.acknowledged import (
    acknowledge_through,
    acknowledged_and_not_folded,
    publish_record,
)

pytestmark = [pytest.mark.slow, pytest.mark.server]

_NO_REPAIR = {"AEGIS_SWEEP_EVERY_S": "3600", "AEGIS_LEFT_BEHIND_S": "3600"}
# Each is passed by the stream alone; the study is decided by the sweeper too, which tries again.
_FATAL = ("fold.before_record", "fold.before_commit", "fold.after_commit")
_NOBODYS = b'{"schema": "aegis.facts", "version": 1, "study": "BLINA-HSCT", "runs": []}'


def test_a_bug_in_a_step_ends_the_process_and_loses_nothing(start_life):
    with start_life(**_NO_REPAIR) as life:
        life.workers.planned_failpoints["rules"] = [f"{name}:1:raise" for name in _FATAL]
        life.workers.start()
        part = len(life.trial.messages) // 3
        for wave in range(3):
            life.feed(part if wave < 2 else None, at_once=5)
            life.wait_until_quiet()  # without a sweep: nothing was acknowledged too early
            life.prove("a bug in a step of the rules")
        assert life.workers.exit_codes["rules"] == [EXIT_FAILED] * len(_FATAL)
        assert life.workers["rules"].log.read_text().count("fold_failed") == len(_FATAL)
        life.workers.stop()
        assert acknowledged_and_not_folded(life) == []


def test_what_fails_for_once_is_tried_again_by_the_same_process(start_life):
    with start_life() as life:
        life.workers.start(
            failpoints={
                "ingest": "ingest.before_commit:2:raise",
                "relay": "relay.before_publish:1:raise,relay.before_delete:3:raise",
                "rules": "seal.before_commit:2:raise",
                "alerts": "alerts.sent:1:raise,alerts.after_plan:2:raise",
            }
        )
        life.feed(at_once=10)
        life.wait_until_quiet(revive=False)
        life.prove("an error that passes")
        assert set(life.workers.stop().values()) == {0}


def test_a_record_of_a_newer_version_ends_the_worker_and_touches_no_other(start_life):
    newer = json.dumps({"schema": "aegis.facts", "version": 2, "study": "?", "way": "new"})
    with start_life(**_NO_REPAIR) as life:
        life.workers.start()
        life.feed(60)
        life.wait_until_quiet()
        place, offset = publish_record(life, b"P-001", newer.encode())
        for _ in range(2):
            rules = life.workers["rules"]
            assert rules.wait_for_exit() == EXIT_UPGRADE_ME
            assert "upgrade this worker" in rules.read_log()
            life.feed(20)
            assert acknowledged_and_not_folded(life) == []
            life.workers.start("rules")
        assert life.workers["rules"].wait_for_exit() == EXIT_UPGRADE_ME
        acknowledge_through(life, place, offset)  # as an upgraded worker does
        life.feed()
        life.wait_until_quiet()
        life.prove("a record of a newer version")


@pytest.mark.parametrize(
    ("key", "value", "is_said"),
    [
        (b"P-001", b"\xff\xfe", True),
        (b"\xff\xfe", b"\xff\xfe", True),
        (b"P-001", None, True),
        (None, _NOBODYS, False),
        (b"nobody", _NOBODYS, False),
        (b"\xff\xfe", _NOBODYS, False),
    ],
    ids=["bytes", "bytes as key", "nothing", "no key", "somebody unknown", "a key of bytes"],
)
def test_what_is_no_record_is_logged_and_passed_over(life, key, value, is_said):
    rules = life.workers["rules"]
    publish_record(life, key, value)
    life.feed(30)
    life.wait_until_quiet(revive=False)
    assert ("record_unreadable" in rules.read_log()) == is_said
    assert life.workers.stop("rules") == {"rules": 0}
    life.workers.start("rules")
    life.prove("what is no record")


@pytest.fixture
def life(start_life):
    with start_life(**_NO_REPAIR) as life:
        life.workers.start()
        yield life
