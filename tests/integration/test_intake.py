"""An acknowledged message is on disk, once and encrypted."""

import io
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.hl7.frames import frame_message
from services.ingest.intake import Submission
from services.ingest.metrics import count_outcome
from services.ingest.writer import Writer
from services.runtime import log
from services.runtime.metrics import Metrics
from services.store import journal
from services.store.messages import find_damaged_messages
from tests.helpers.hl7_messages import PID, labs, message, obx
from tests.helpers.intake import (
    Line,
    count_feed_messages,
    feed_facts,
    list_current_facts,
    new_intake,
    post_content,
    serve_mllp,
    submit,
)

MESSAGE = labs(obx("0.49"), control_id="M1")


CORRECTION = labs(obx("0.51", status="C"), control_id="M1")


STRANGER = message(PID.replace("QX4711", "QX4712"), obx("0.49"), control_id="M2")


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


def test_the_same_message_again_is_acknowledged_and_changes_nothing(intake):
    first, second = submit(intake, MESSAGE), submit(intake, MESSAGE)
    assert (first.answer, first.facts, first.duplicate) == (AckCode.ACCEPT, 1, False)
    assert (second.answer, second.facts, second.duplicate) == (AckCode.ACCEPT, 0, True)
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


def test_the_same_message_twice_in_one_transaction_is_kept_once(intake):
    outcomes = intake.accept([Submission(MESSAGE, "mllp"), Submission(MESSAGE, "mllp")])
    assert [outcome.duplicate for outcome in outcomes] == [False, True]
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


@pytest.mark.parametrize("in_one_transaction", [False, True])
def test_another_message_of_the_same_id_is_kept_too_and_flagged(intake, in_one_transaction):
    if in_one_transaction:
        intake.accept([Submission(MESSAGE, "mllp"), Submission(CORRECTION, "mllp")])
    else:
        assert submit(intake, MESSAGE).answer is submit(intake, CORRECTION).answer is AckCode.ACCEPT
    assert count_feed_messages(intake) == 2
    assert [("MSH-10 was used before" in fact.notes) for fact in feed_facts(intake)] == [
        False,
        True,
    ]


def test_the_same_result_under_a_new_id_is_a_fact_of_the_same_content(intake):
    submit(intake, MESSAGE)
    submit(intake, MESSAGE.replace(b"|M1|", b"|M9|"))
    item, other_item = feed_facts(intake)
    assert (item.digest == other_item.digest, item.id == other_item.id) == (True, False)


def test_ranges_that_are_not_read_are_counted_by_site(intake):
    read, unread = obx("0.49", limits="1.5-7.5"), obx("7", limits="see note", code="777-3^^LN")
    outcome = submit(intake, labs(read, unread))
    assert (outcome.facts, outcome.unread_ranges) == (2, 1)
    metrics = Metrics(CollectorRegistry())
    count_outcome(metrics, outcome)
    assert metrics.registry.get_sample_value("aegis_unread_ranges_total", {"site": "north"}) == 1


def test_a_correction_and_a_deletion_stand_beside_what_they_correct(intake):
    for number, status in enumerate("PFCD"):
        submit(intake, labs(obx("0.49", status=status), control_id=f"S{number}"))
    facts = feed_facts(intake)
    assert [str(fact.status) for fact in facts] == ["P", "F", "C", "D"]
    assert len({(fact.series, fact.observed_at) for fact in facts}) == 1


class _FailingDatabase:
    """A database whose transactions fail at the very end, as many times as it is told."""

    def __init__(self, db, times):
        self.db, self.times = db, times

    def read(self):
        return self.db.read()

    @contextmanager
    def write(self):
        with self.db.write() as conn:
            yield conn
            if self.times:
                self.times -= 1
                raise OSError(28, "No space left on device")


def test_without_a_commit_there_is_no_acknowledgement_and_nothing_is_kept(intake):
    full = replace(intake, db=_FailingDatabase(intake.db, times=1))
    with serve_mllp(full) as port:
        line = Line(port)
        ack = line.say(frame_message(MESSAGE)).answer()
        assert "MSA|AE|M1" in ack
        assert "207^Application internal error^HL70357" in ack
        assert "send it again" in ack
        assert (count_feed_messages(intake), feed_facts(intake)) == (0, [])
        assert "MSA|AA|M1" in line.say(frame_message(MESSAGE)).answer()
        line.close()
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


class _Slow(_FailingDatabase):
    """A database that commits only when it may."""

    def __init__(self, db):
        super().__init__(db, times=0)
        self.may_commit = threading.Event()

    @contextmanager
    def write(self):
        with self.db.write() as conn:
            yield conn
            assert self.may_commit.wait(10)


def test_nothing_is_acknowledged_before_the_commit(intake):
    slow = _Slow(intake.db)
    with serve_mllp(replace(intake, db=slow)) as port:
        line = Line(port).say(frame_message(MESSAGE))
        assert not line.has_answer(within_s=0.3)
        slow.may_commit.set()
        assert "MSA|AA|M1" in line.answer()
        line.close()


def test_answers_come_in_the_order_of_their_messages(intake):
    names = [f"N{number}" for number in range(600)]
    with serve_mllp(intake) as port:
        line = Line(port)
        line.say(b"".join(frame_message(labs(obx("1"), control_id=name)) for name in names))
        assert [line.answer().split("MSA|AA|")[1].strip() for _ in names] == names
        line.close()


def test_who_no_longer_waits_for_an_answer_does_not_stop_the_writer(intake):
    writer = Writer(intake)
    assert writer.submit(Submission(MESSAGE, "mllp")).cancel() is False
    later = writer.submit(Submission(STRANGER, "mllp"))
    writer.start()
    assert later.result(timeout=10).answer is AckCode.ACCEPT
    writer.stop()


def test_whatever_fails_after_the_commit_the_sender_is_answered_and_the_port_goes_on(intake):
    calls = []

    def count(outcome):
        calls.append(outcome)
        if len(calls) == 1:
            raise ArithmeticError

    with serve_mllp(replace(intake, on_outcome=count)) as port:
        line = Line(port)
        assert "MSA|AE|M1" in line.say(frame_message(MESSAGE)).answer()
        assert "MSA|AA|M1" in line.say(frame_message(MESSAGE)).answer()
        line.close()
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


class _FullDisk(io.StringIO):
    """A log that takes no line any more."""

    def write(self, _text):
        raise OSError(28, "No space left on device")


def test_on_a_disk_that_takes_no_line_of_the_log_the_sender_is_answered(intake):
    full = replace(intake, db=_FailingDatabase(intake.db, times=1))
    log.configure_logging(as_json=True, stream=_FullDisk())
    with serve_mllp(full) as port:
        line = Line(port)
        assert "MSA|AE|M1" in line.say(frame_message(MESSAGE)).answer()
        assert "MSA|AA|M1" in line.say(frame_message(MESSAGE)).answer()
        line.close()
    assert count_feed_messages(intake) == 1


def test_over_http_a_failed_commit_is_service_unavailable(intake):
    full = replace(intake, db=_FailingDatabase(intake.db, times=2))  # first, the use of the key
    response = post_content(full, "/v1/hl7v2", MESSAGE)
    assert (response.status_code, "MSA|AE|M1" in response.text) == (503, True)
    assert count_feed_messages(intake) == 0


def test_one_that_cannot_be_stored_does_not_lose_those_beside_it(intake):
    failing_intake = replace(
        intake, db=_FailingDatabase(intake.db, times=2)
    )  # all together, then the first alone
    outcomes = failing_intake.accept([Submission(MESSAGE, "mllp"), Submission(STRANGER, "mllp")])
    assert [outcome.answer for outcome in outcomes] == [AckCode.ERROR, AckCode.ACCEPT]
    assert count_feed_messages(intake) == 1


def test_refused_and_accepted_are_answered_in_the_order_in_which_they_came(intake):
    outcomes = intake.accept(
        [Submission(raw, "mllp") for raw in (b"junk", MESSAGE, b"junk", STRANGER)]
    )
    assert "".join(outcome.answer for outcome in outcomes) == "RARA"


def files_below(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_of_a_message_can_be_read_from_the_files_of_the_database(intake, tmp_path):
    raw = labs(obx("0.49"), "NTE|1||a note about Jane", control_id="M1")
    submit(intake, raw)
    submit(intake, STRANGER)
    content = files_below(tmp_path / "data")
    assert b"neutrophils" in content  # of the fact, by pseudonym
    for secret in (b"QX4711", b"QX4712", b"DOE^JANE", b"about Jane", b"19700101", b"PID|"):
        assert secret not in content, secret


def test_the_original_bytes_are_kept(intake):
    raw = MESSAGE.replace(b"\r", b"\r\n") + b"ZZZ|anything\r\n"
    submit(intake, raw)
    (entry,) = _journal_entries(intake)
    with intake.db.read() as conn:
        assert journal.load_message(conn, intake.keys, entry.message).body == raw
        assert list(find_damaged_messages(lambda: conn, intake.keys)) == []


def _journal_entries(intake):
    with intake.db.read() as conn:
        every = journal.load_facts_between(conn, "P-001", 0)
    return [one for one in every if one.fact.body.kind == "observation"]


def movement(event, instant, ward, visit="V1", **head):
    """A movement without EVN-6 and PV1-44, as most are sent."""
    pv1 = f"PV1|1|I|{ward}^1^1||||||||||||||||{visit}"
    stamp = f"{instant}-0500"
    segments = (f"EVN|{event}|{stamp}", PID, pv1)
    return message(*segments, kind=f"ADT^{event}", control_id=stamp, sent_at=stamp, **head)


CANCELS = {
    "of a transfer": (("A02", "A12"), []),
    "of an admission": (("A01", "A11"), []),
    "of a discharge, which is none": (("A02", "A13"), ["icu"]),
    "of an entry that was wrong": (("A02", "A08"), []),
}


@pytest.mark.parametrize(("events", "destinations"), CANCELS.values(), ids=CANCELS)
def test_a_cancel_undoes_the_movement_whatever_its_own_time_is(intake, events, destinations):
    first_event, second_event = events
    assert submit(intake, movement(first_event, "20260120100000", "MICU")).facts == 1
    assert submit(intake, movement(second_event, "20260120110000", "WARD")).facts == 1
    movements = [body for _, body in list_current_facts(intake) if body.kind == "movement"]
    assert [body.to for body in movements] == destinations
