"""Messages that are refused leave a line of the log and a row, and nothing of their content."""

import io
import json

import pytest

from services.cli.main import main
from services.ingest import refused_messages
from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.hl7.frames import frame_message
from services.ingest.intake import Submission
from services.runtime import log
from services.store.refusals import load_refusals, reveal_words
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.installation import STUDY
from tests.helpers.intake import CLOCK_TIME, Line, new_intake, post_content, serve_mllp, submit

pytestmark = pytest.mark.slow
MESSAGE = labs(obx("0.49"))
TEST_MESSAGE = MESSAGE.replace(b"|P|", b"|T|")


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


@pytest.fixture(autouse=True)
def log_entries():
    """The lines of the log so far."""
    stream = io.StringIO()
    log.configure_logging(as_json=True, stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def list_refusals(intake):
    """The rows of refused messages, oldest first, as a holder of the keys reads them."""
    with intake.db.read() as conn:
        return list(reveal_words(intake.keys, load_refusals(conn)))


REFUSED_MESSAGES = {
    "a test": (TEST_MESSAGE, "north", "MSH-11", "1"),
    "a sender that nobody knows": (
        labs(obx("0.49"), sender="WHO|KNOWS"),
        "",
        "MSH-3, MSH-4",
        "1",
    ),
    "no control id": (labs(obx("0.49"), control_id=""), "north", "MSH-10", ""),
    "two in one": (MESSAGE * 2, "north", "MSH", "1"),
    "a character set that nobody knows": (labs(tail="||||||KLINGON"), "north", "MSH-18", "1"),
    "no header": (b"PID|1||QX4711", "", "MSH", ""),
    "a mark that no database takes": (
        labs(control_id="7\x00").replace(b"|P|", b"|T|"),
        "north",
        "MSH-11",
        "7\N{REPLACEMENT CHARACTER}",
    ),
    "a mark that is not printed": (
        labs(control_id="7\x1b").replace(b"|P|", b"|T|"),
        "north",
        "MSH-11",
        r"7\x1b",
    ),
}


@pytest.mark.parametrize("row", REFUSED_MESSAGES.values(), ids=REFUSED_MESSAGES)
def test_what_is_refused_leaves_a_line_of_the_log_and_a_row(intake, row, log_entries):
    raw, site, location, control_id = row
    outcomes = []
    intake.on_outcome = outcomes.append
    for _ in range(2):  # the second time makes no other row
        (outcome,) = intake.accept([Submission(raw, "mllp")])
        assert (outcome.answer, outcome.site) == (AckCode.REJECT, site)
    (refusal,) = list_refusals(intake)
    assert (refusal.site, refusal.location, refusal.control_id) == (site, location, control_id)
    assert (refusal.refused_at, refusal.source) == (CLOCK_TIME, "mllp")
    assert str(outcomes[0].refusal) == refusal.problem
    assert [outcome.site for outcome in outcomes] == [site, site]
    lines = [entry for entry in log_entries() if entry["event"] == "message_refused"]
    assert [
        (entry["site"], entry["source"], entry["reason"], entry["count"]) for entry in lines
    ] == [
        (site or "unknown", "mllp", location, 1)  # the second within a minute waits for a third
    ]
    assert not any("QX4711" in str(entry) for entry in log_entries())


# rows and lines of the log: what is kept as a dead letter, or printed, is not told twice
SOURCES = [("http", 1, 1), ("mllp", 1, 1), ("file", 1, 0), ("kafka", 0, 1), ("person", 0, 0)]


@pytest.mark.parametrize(("source", "row_count", "line_count"), SOURCES)
def test_what_is_recorded_elsewhere_is_not_recorded_twice(
    intake, log_entries, source, row_count, line_count
):
    intake.accept([Submission(TEST_MESSAGE, source)])
    assert (len(list_refusals(intake)), len(log_entries())) == (row_count, line_count)


def test_beside_accepted_messages_the_refused_are_recorded_too(intake):
    outcomes = intake.accept([Submission(raw, "mllp") for raw in (TEST_MESSAGE, MESSAGE)])
    assert [outcome.answer for outcome in outcomes] == [AckCode.REJECT, AckCode.ACCEPT]
    assert len(list_refusals(intake)) == 1


def test_when_a_refusal_cannot_be_stored_the_sender_is_told_nevertheless(intake, log_entries):
    with intake.db.write() as conn:
        conn.exec_driver_sql("DROP TABLE refused_message")
    assert submit(intake, TEST_MESSAGE).answer is AckCode.REJECT
    assert log_entries()[-1]["event"] == "refusals_not_stored"


def test_refusals_of_a_site_channel_and_place_are_one_line_a_minute_with_their_count(
    intake, log_entries, monkeypatch
):
    clock_s = [0.0]
    monkeypatch.setattr(refused_messages.time, "monotonic", lambda: clock_s[0])
    for now_s, raw in ((0, TEST_MESSAGE), (59, TEST_MESSAGE), (59, b"x"), (60, TEST_MESSAGE)):
        clock_s[0] = float(now_s)
        intake.accept([Submission(raw, "mllp")])
    lines = [entry for entry in log_entries() if entry["event"] == "message_refused"]
    assert [(entry["reason"], entry["count"]) for entry in lines] == [
        ("MSH-11", 1), ("MSH", 1), ("MSH-11", 2),
    ]  # fmt: skip


def test_a_flood_of_refused_messages_does_not_fill_the_disk(intake, log_entries, monkeypatch):
    monkeypatch.setattr(refused_messages, "_ROWS_PER_HOUR", 2)
    for number in range(4):
        raw = labs(control_id=str(number)).replace(b"|P|", b"|T|")
        intake.accept([Submission(raw, "mllp")])
    assert len(list_refusals(intake)) == 2
    events = [entry["event"] for entry in log_entries()]
    assert (events.count("message_refused"), events.count("refusals_too_many")) == (1, 1)


def test_over_mllp_what_is_too_long_leaves_a_row_too(intake):
    outcomes = []
    intake.on_outcome = outcomes.append
    long_message = MESSAGE + b"NTE|1||" + b"x" * 5000
    with serve_mllp(intake, largest=2000) as port:
        line = Line(port)
        assert "MSA|AR|1" in line.say(frame_message(long_message)).answer()
        assert "MSA|AA|1" in line.say(frame_message(MESSAGE)).answer()
        line.close()
    (refusal,) = list_refusals(intake)
    assert (refusal.site, refusal.control_id, refusal.source) == ("north", "1", "mllp")
    assert "longer than 2000 bytes" in refusal.problem
    assert [outcome.answer for outcome in outcomes] == [AckCode.REJECT, AckCode.ACCEPT]


def test_over_http_the_site_is_that_of_the_key(intake):
    raw = TEST_MESSAGE.replace(b"LAB|NORTH", b"WHO|KNOWS")
    assert post_content(intake, "/v1/hl7v2", raw).status_code == 422
    assert [refusal.site for refusal in list_refusals(intake)] == ["north"]


def test_the_command_lists_them(tmp_path, capsys):
    options = ("--data", str(tmp_path / "data"), "--study", str(STUDY))
    file = tmp_path / "a.hl7"
    file.write_bytes(labs(obx("0.49"), sender="EPIC|NORTH"))
    assert main(["ingest", str(file), *options]) == 0
    capsys.readouterr()
    assert main(["refused", "list", *options]) == 0
    assert capsys.readouterr().out == "nothing was refused\n"
    for sender in ("EPIC|NORTH", "WHO|KNOWS"):
        file.write_bytes(labs(obx("0.49"), sender=sender).replace(b"|P|", b"|T|"))
        assert main(["ingest", str(file), *options]) == 1
    capsys.readouterr()
    assert main(["refused", "list", *options]) == 0
    _, first, second = capsys.readouterr().out.splitlines()
    assert "north  EPIC|NORTH  1" in first
    assert first.endswith(
        "MSH-11: processing id T is not production; send test messages to a test system"
    )
    assert "  -      WHO|KNOWS" in second
    assert main(["refused", "list", "--site", "north", "--json", *options]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["site"], row["location"], row["source"]) == ("north", "MSH-11", "file")
    assert main(["verify", *options]) == 0


def test_the_command_shows_a_long_sender_in_eighty_characters(tmp_path, capsys):
    options = ("--data", str(tmp_path / "data"), "--study", str(STUDY))
    file = tmp_path / "a.hl7"
    file.write_bytes(labs(obx("0.49"), sender=f"{'W' * 600}|KNOWS", control_id="7" * 150))
    assert main(["ingest", str(file), *options]) == 1
    capsys.readouterr()
    assert main(["refused", "list", *options]) == 0
    _, row = capsys.readouterr().out.splitlines()
    assert f"  -     {'W' * 80}  {'7' * 80}  file  " in row
