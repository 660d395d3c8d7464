"""A fact that cannot be folded, and participants that are merged while both are folded."""

import pytest
from sqlalchemy import text

from services.simulator.trial import simulate_trial
from services.store import journal, states
from tests.faults.acknowledged import acknowledged_and_not_folded
from tests.faults.answers import Answers
from tests.faults.lives import REST_S
from tests.helpers.distributed_service import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.server]

_LAST = "subject = 'P-001' AND seq = (SELECT max(seq) FROM fact WHERE subject = 'P-001')"


def test_a_poisonous_fact_stops_its_participant_alone_until_it_is_mended(start_life):
    with start_life() as life:
        life.workers.start()
        life.feed(60)
        life.wait_until_quiet()
        life.workers.stop("rules", "relay")
        life.feed(100)
        with life.db.write() as conn:
            sound = conn.scalar(text(f"SELECT payload FROM fact WHERE {_LAST}"))  # noqa: S608
            _write(conn, '{"body": "?"}')
            conn.execute(text("DELETE FROM outbox"))  # which carries it as it was
        life.workers.start("relay", "rules")
        wait_until(lambda: _list_quarantined(life) == ["P-001"], REST_S, life.waits)
        wait_until(lambda: set(_subjects_behind(life)) <= {"P-001"}, REST_S, life.waits)
        life.feed()
        wait_until(
            lambda: not _subjects_behind(life), REST_S, life.waits
        )  # of who is not set aside
        assert "P-001" in life.workers.ask("verify").wait_for_log()
        with life.db.write() as conn:
            _write(conn, sound)
        assert "1 let in again" in life.workers.command("retry")
        life.wait_until_quiet(revive=False)
        life.prove("a poisonous fact")


def test_participants_merged_while_facts_of_both_are_folded(start_life, tmp_path):
    answers = Answers(simulate_trial(2, seed=22, days=8), tmp_path / "embedded")
    merge_at = next(n for n, m in enumerate(answers.trial.messages) if b"ADT^A40" in m)
    slow = "fold.before_record:1:sleep=1,fold.before_commit:3:sleep=1,fold.after_commit:2"
    with start_life(reference=answers) as life:
        life.workers.start("ingest", "relay", "alerts")
        life.feed(merge_at - 6)
        life.workers.planned_failpoints["rules"] = [slow]
        life.workers.planned_failpoints["rules-2"] = [
            slow.replace("after_commit:2", "before_record:4")
        ]
        life.workers.start("rules", "rules-2")
        for count, at_once in ((4, 1), (10, 2), (None, 40)):
            life.feed(count, at_once=at_once)
            life.wait_until_quiet()
            life.prove("merged in flight")
        life.workers.stop()
        assert acknowledged_and_not_folded(life) == []


def _list_quarantined(life):
    with life.db.read() as conn:
        return [one.subject for one in states.load_quarantined(conn)]


def _subjects_behind(life):
    with life.db.read() as conn:
        return journal.find_lagging_subjects(conn, 100)


def _write(conn, payload):
    conn.execute(text(f"UPDATE fact SET payload = :payload WHERE {_LAST}"), {"payload": payload})  # noqa: S608
