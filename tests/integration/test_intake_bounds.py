"""The bounds of what one sender may ask of the intake, on both sides; the others go on.

The bounds are small here; their defaults are in `services.runtime.limit_settings`.
"""

import json
import time

import pytest

from services.ingest.domain.hl7.frames import frame_message
from services.ingest.domain.message_size import MOST_IDENTIFIERS
from services.ingest.intake import Submission
from services.ingest.parked_items import retry_parked
from services.ingest.writer import Writer
from services.runtime.connection_limits import ConnectionLimits
from services.store.refusals import load_refusals
from tests.helpers.distributed_service import wait_until
from tests.helpers.hl7_messages import OBR, PID, labs, message, obx
from tests.helpers.intake import (
    Line,
    count_feed_messages,
    feed_facts,
    list_parked,
    new_intake,
    post_content,
    serve_mllp,
    submit,
)

GOOD = labs(obx("0.49"), control_id="GOOD")
OTHER_ADDRESS = "127.0.0.2"
FACT = '{"subject":"P-001","observed_at":"2026-03-01T08:00:00Z","body":{"kind":"relapse"}}'

pytestmark = pytest.mark.usefixtures("log_entries")


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


def read_events(log_entries, name):
    """The entries of the log with this event."""
    entries = map(json.loads, log_entries.getvalue().splitlines())
    return [entry for entry in entries if entry["event"] == name]


def goes_on(line):
    """Send a good message on the same connection and see it accepted."""
    return "MSA|AA|GOOD" in line.say(frame_message(GOOD)).answer()


def has_hung_up(line):
    """True when the other side closes without an answer."""
    try:
        return line.answer() == ""
    except ConnectionError:
        return True


# 4 lines before the results: MSH, PID, OBR; limit 10
LINES = {
    "as many as are read": (labs(*[obx("1")] * 7), 7, []),
    "one more": (labs(*[obx("1")] * 8), 0, [("too-many-items", "message")]),
    "as many, each ended by CR LF": (labs(*[obx("1")] * 7, end="\r\n"), 7, []),
    "one more, each ended by LF": (labs(*[obx("1")] * 8, end="\n"), 0,
                                   [("too-many-items", "message")]),
    "empty lines at the end": (labs(*[obx("1")] * 7) + b"\r" * 90, 7, []),
    "empty segments": (labs(*["OBX"] * 50), 0, [("too-many-items", "message")]),
    "no segments": (labs(*["\r\n"] * 50, "x"), 0, [("too-many-items", "message")]),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "facts", "parked"), LINES.values(), ids=LINES)
def test_a_message_of_too_many_lines_is_accepted_and_one_parked_item(intake, raw, facts, parked):
    intake.most_items = 10
    assert submit(intake, raw).answer.name == "ACCEPT"
    assert (len(feed_facts(intake)), list_parked(intake)) == (facts, parked)


@pytest.mark.parametrize(("count", "facts"), [(10, 10), (11, 0)])
def test_lines_of_facts_are_bounded_too(intake, count, facts):
    intake.most_items = 10
    body = "\n".join(FACT.replace("08:00", f"08:{n:02}") for n in range(count)).encode()
    outcome = submit(intake, body, form="facts", actor="nurse")
    assert outcome.facts == facts
    assert list_parked(intake) == [("too-many-items", "message")] * (not facts)


@pytest.mark.parametrize(("count", "facts"), [(MOST_IDENTIFIERS, 1), (MOST_IDENTIFIERS + 1, 0)])
@pytest.mark.parametrize("field", ["PID-3", "MRG-1"])
def test_a_patient_of_too_many_identifiers_is_one_parked_item(intake, field, count, facts):
    identifiers = "~".join(f"{number}^^^NMRN^MR" for number in range(count - 1))
    pid = f"PID|1||QX4711^^^NMRN^MR~{identifiers}" if field == "PID-3" else PID
    mrg = f"MRG|QX4711^^^NMRN^MR~{identifiers}" if field == "MRG-1" else ""
    raw = message(*filter(None, (pid, mrg, OBR, obx("1"))))
    assert submit(intake, raw).facts == facts
    path = f"{field.replace('-', '[1].')}"
    assert list_parked(intake) == [("too-many-items", path)] * (not facts)


def test_a_message_of_too_many_lines_is_read_once_the_limit_is_raised(intake):
    intake.most_items = 10
    submit(intake, labs(*[obx("1")] * 8))
    assert retry_parked(intake, "operator").facts == 0
    intake.most_items = 11
    assert retry_parked(intake, "operator").facts == 8
    assert list_parked(intake) == []


def test_an_unknown_sender_of_too_many_lines_is_refused_as_ever(intake):
    outcome = submit(intake, labs(*["OBX"] * 6000, sender="A|B"))
    assert "no site sends as" in str(outcome.refusal)


def test_fourteen_megabytes_of_empty_segments_are_answered_within_a_second(intake):
    raw = labs(control_id="EMPTY") + b"OBX\r" * 3_500_000
    with serve_mllp(intake, largest=16_000_000) as port:
        line, other_line = Line(port), Line(port, source=OTHER_ADDRESS)
        line.say(frame_message(raw))
        began_s = time.monotonic()
        assert goes_on(other_line)
        assert "MSA|AA|EMPTY" in line.answer()
        assert time.monotonic() - began_s < 3  # alone on the machine: 0.3
        assert goes_on(line)
        line.close()
        other_line.close()
    assert list_parked(intake) == [("too-many-items", "message")]


def test_a_message_of_the_greatest_size_is_taken_and_one_byte_more_is_refused(intake):
    size = len(GOOD)
    with serve_mllp(intake, largest=size) as port:
        line = Line(port)
        assert goes_on(line)
        long = GOOD.replace(b"GOOD", b"LONG1")
        assert "MSA|AR|LONG1" in line.say(frame_message(long)).answer()
        line.say(frame_message(long + b"x" * 5_000_000))
        assert f"longer than {size} bytes" in line.answer()
        assert goes_on(line)
        line.close()
    assert count_feed_messages(intake) == 1
    with intake.db.read() as conn:
        rows = load_refusals(conn)
    assert [(row.source, row.location) for row in rows] == [("mllp", "MSH")] * 2


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413)])
def test_over_http_a_body_above_the_size_is_413_and_a_row(intake, extra, status):
    body = GOOD + b"\rNTE|1||".ljust(1000, b"x")
    response = post_content(intake, "/v1/hl7v2", body + b"x" * extra, largest=len(body))
    assert response.status_code == status
    with intake.db.read() as conn:
        assert [row.source for row in load_refusals(conn)] == ["http"] * (status == 413)


def test_connections_of_one_address_are_bounded_and_another_gets_in(intake, log_entries):
    limits = ConnectionLimits(total=9, most_per_address=2)
    with serve_mllp(intake, limits=limits) as port:
        lines = [Line(port), Line(port)]
        assert all(map(goes_on, lines))
        refused_lines = [Line(port) for _ in range(3)]
        assert all(map(has_hung_up, refused_lines))
        other_line = Line(port, source=OTHER_ADDRESS)
        assert goes_on(other_line)
        assert all(map(goes_on, lines))
        lines[0].close()
        assert opens_within(port, 5)
        for line in (lines[1], other_line, *refused_lines):
            line.close()
    entries = read_events(log_entries, "connection_refused")
    assert [entry["count"] for entry in entries] == [1]
    assert "AEGIS_CONNECTIONS_PER_ADDRESS" in entries[0]["problem"]


def opens_within(port, limit_s):
    """True when a new connection is served within *limit_s* seconds."""
    ends_s = time.monotonic() + limit_s
    while time.monotonic() < ends_s:
        line = Line(port)
        try:
            if goes_on(line):
                return True
        except ConnectionError:
            time.sleep(0.05)
        finally:
            line.close()
    return False


def test_connections_in_all_are_bounded(intake, log_entries):
    with serve_mllp(intake, limits=ConnectionLimits(total=2, most_per_address=9)) as port:
        lines = [Line(port), Line(port, source=OTHER_ADDRESS)]
        assert all(map(goes_on, lines))
        refused_line = Line(port, source="127.0.0.3")
        assert has_hung_up(refused_line)
        for line in (*lines, refused_line):
            line.close()
    (entry,) = read_events(log_entries, "connection_refused")
    assert (entry["host"], "(AEGIS_CONNECTIONS)" in entry["problem"]) == ("127.0.0.3", True)


def test_a_frame_has_to_end_in_time_however_often_a_byte_of_it_comes(intake, log_entries):
    with serve_mllp(intake, frame_deadline_s=0.6) as port:
        line = Line(port)
        began_s = time.monotonic()
        try:
            for byte in frame_message(GOOD):
                line.say(bytes((byte,)))
                time.sleep(0.1)
        except ConnectionError:
            pass
        assert 0.5 < time.monotonic() - began_s < 5
        line.close()
    assert read_events(log_entries, "frame_not_finished")
    assert count_feed_messages(intake) == 0


def test_frames_that_each_end_in_time_are_taken_however_long_it_takes(intake):
    with serve_mllp(intake, frame_deadline_s=0.6) as port:
        line = Line(port)
        frame = frame_message(GOOD)
        for _ in range(4):  # the second half of a frame comes with the first half of the next
            line.say(frame[:-30])
            time.sleep(0.3)
            line.say(frame[-30:] + frame[:-30])
            time.sleep(0.3)
            line.say(frame[-30:])
        assert all("MSA|AA|GOOD" in line.answer() for _ in range(8))
        line.close()


def test_a_sender_that_reads_no_answers_is_hung_up_on(intake):
    long_name = b"MSH|^~\\&|" + b"x" * 3500  # comes back in each answer
    with serve_mllp(intake, frame_deadline_s=0.5, goodbye_s=0.5) as port:
        deaf = Line(port, hears_little=True)
        deaf.connection.settimeout(10)
        messages = frame_message(long_name) * 10_000
        with pytest.raises(ConnectionError):
            deaf.say(messages)
        deaf.close()
        line = Line(port)
        assert goes_on(line)
        line.close()


def read_garbage_counts(log_entries):
    return [entry["count"] for entry in read_events(log_entries, "bytes_outside_of_frames")]


def test_garbage_is_one_line_of_the_log_for_each_connection_with_all_of_it_counted(
    intake, log_entries
):
    with serve_mllp(intake) as port:
        line = Line(port)
        for _ in range(5):
            line.say(b"?" * 100)
            assert goes_on(line)
        line.close()
    counts = read_garbage_counts(log_entries)
    assert counts == [500]


def test_garbage_on_a_connection_that_stays_is_told_after_the_interval(intake, log_entries):
    with serve_mllp(intake, garbage_line_s=0.2) as port:
        line = Line(port)
        for line_count in (1, 2):
            for _ in range(2):
                line.say(b"?" * 100)
                assert goes_on(line)
            wait_until(
                lambda n=line_count: len(read_garbage_counts(log_entries)) == n, 5, "no line"
            )
        line.close()
    assert read_garbage_counts(log_entries) == [200, 200]


def test_a_writer_that_is_asked_to_stop_does_not_store_all_that_waits(intake):
    writer = Writer(intake, goodbye_s=0.0)
    futures = [
        writer.submit(Submission(labs(obx("1"), control_id=str(number)), "mllp"))
        for number in range(2000)
    ]
    writer.start()
    began_s = time.monotonic()
    writer.stop()
    assert time.monotonic() - began_s < 5
    answers = {future.result(timeout=1).answer.name for future in futures}
    assert "ERROR" in answers
    late_outcome = writer.submit(Submission(GOOD, "mllp")).result(timeout=1)
    assert "send it again" in str(late_outcome.refusal)
