"""Whatever a sender does wrong, it is told what, where and what to do, and the port goes on."""

import asyncio
import gzip
from dataclasses import replace

import pytest

from services.ingest.domain.hl7.frames import frame_message
from services.ingest.enrolment import import_participants
from tests.helpers.distributed_service import wait_until
from tests.helpers.hl7_messages import OBR, PID, labs, message, obx
from tests.helpers.intake import (
    KEY,
    PEOPLE,
    Line,
    count_feed_messages,
    feed_facts,
    list_parked,
    list_participants,
    new_intake,
    open_client,
    people,
    post_content,
    serve_mllp,
)

GOOD = labs(obx("0.49"), control_id="GOOD")

pytestmark = pytest.mark.usefixtures("log_entries")


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


@pytest.fixture
def line(intake):
    with serve_mllp(intake, largest=60_000_000, frame_deadline_s=20) as port:
        item = Line(port)
        yield item
        item.close()


def goes_on(line):
    """Send a good message on the same connection and see it accepted."""
    return "MSA|AA|GOOD" in line.say(frame_message(GOOD)).answer()


def answers(line, raw):
    return line.say(frame_message(raw)).answer()


REFUSED_INPUT = {
    "garbage in a frame": (b"\x00\xff garbage", "", "send whole HL7 v2 messages"),
    "an empty frame": (b"", "", "send whole HL7 v2 messages"),
    "a wrong character set": (
        labs("NTE|1||J\xfcrgen").decode().encode("latin-1"),
        "1",
        "of the message is not utf-8 (MSH-18 is empty); name the character set",
    ),
    "an unknown character set": (labs(tail="||||||KOI"), "1", "use one of ASCII"),
    "no control id": (labs(obx("1"), control_id=""), "", "MSH-10: there is no message control id"),
    "no time of the message": (labs(obx("1"), sent_at=""), "1", "write it as YYYYMMDDHHMMSS+ZZZZ"),
    "an unknown sender": (labs(obx("1"), sender="A|B"), "1", "name it under senders in sites.yaml"),
    "a test message": (labs().replace(b"|P|2", b"|T|2"), "1", "send test messages to a test"),
    "two messages in a frame": (labs() + labs(), "1", "send each in a frame, request or"),
    "a batch in a frame": (b"BHS|^~\\&\r" + labs(), "", "send its messages one by one"),
}


@pytest.mark.parametrize(("raw", "control_id", "says"), REFUSED_INPUT.values(), ids=REFUSED_INPUT)
def test_what_can_never_be_read_is_rejected_and_the_connection_goes_on(
    intake, line, raw, control_id, says
):
    ack = answers(line, raw)
    assert f"MSA|AR|{control_id}".rstrip("|") in ack
    assert says in ack.replace("\\E\\", "\\")
    assert "ERR||MSH^1" in ack
    assert goes_on(line)
    assert count_feed_messages(intake) == 1


PARKED = {
    "no pid": (message(OBR, obx("1")), "no-participant", "OBX[1]"),
    "an unknown participant": (
        message(PID.replace("QX4711", "99"), obx("1")),
        "unknown-participant",
        "PID[1].3",
    ),
    "a participant of another site": (
        message("PID|1||0815^^^PATNR^MR", obx("1")),
        "no-participant",
        "OBX[1]",
    ),
    "hemolyzed": (labs(obx("HEMOLYZED", kind="ST")), "unreadable-value", "OBX[1].5"),
    "an unknown unit": (labs(obx("1", "furlongs")), "unknown-unit", "OBX[1].6"),
    "an unknown code": (labs(obx("1", code="X^Y^Z")), "unknown-code", "OBX[1].3"),
    "a result of the future": (
        labs(obx("1", observed_at="20260302123000+0000")),
        "future-dated",
        "OBX[1]",
    ),
    "an impossible date": (labs(obx("1", observed_at="20260230")), "unreadable-time", "OBX[1].14"),
    "no date at all": (labs(obx("1", observed_at="00010101")), "unreadable-time", "OBX[1].14"),
    "a message that is not read": (message(PID, kind="MDM^T02"), "unsupported-message", "MSH.9"),
}


@pytest.mark.parametrize(("raw", "reason", "where"), PARKED.values(), ids=PARKED)
def test_what_cannot_be_used_yet_is_accepted_and_parked_never_dropped(
    intake, line, raw, reason, where
):
    assert "MSA|AA|1" in answers(line, raw)
    assert list_parked(intake) == [(reason, where)]
    assert feed_facts(intake) == []
    assert goes_on(line)
    assert len(feed_facts(intake)) == 1


def test_a_missing_unit_travels_as_missing(intake, line):
    assert "MSA|AA|1" in answers(line, labs(obx("0.49", "")))
    (fact,) = feed_facts(intake)
    assert (fact.body.value.unit, list_parked(intake)) == ("", [])
    assert goes_on(line)


def test_a_time_a_little_ahead_is_a_clock_that_goes_wrong(intake, line):
    assert "MSA|AA|1" in answers(line, labs(obx("0.49", observed_at="20260302120900+0000")))
    assert len(feed_facts(intake)) == 1


def test_bytes_outside_of_frames_are_no_message_and_are_counted(intake, line, log_entries):
    line.say(b"GET / HTTP/1.1\r\n\r\n")
    assert goes_on(line)
    assert count_feed_messages(intake) == 1
    line.close()
    wait_until(lambda: "bytes_outside_of_frames" in log_entries.getvalue(), 5, "no line")
    assert '"event": "bytes_outside_of_frames"' in log_entries.getvalue()
    assert "begin every message with the byte 0B" in log_entries.getvalue()


def test_half_a_frame_is_never_taken_for_a_whole_one(intake, log_entries):
    with serve_mllp(intake) as port:
        half = Line(port).say(frame_message(labs(obx("0.4"), control_id="HALF"))[:-40])
        half.close()
        line = Line(port)
        assert goes_on(line)
        line.close()
    assert count_feed_messages(intake) == 1
    assert '"event": "connection_closed_in_a_frame"' in log_entries.getvalue()


def test_half_a_frame_followed_by_silence_is_hung_up_on(intake, log_entries):
    with serve_mllp(intake, frame_deadline_s=0.2) as port:
        line = Line(port)
        assert line.say(frame_message(GOOD)[:-40]).answer() == ""
        line.close()
    assert '"event": "frame_not_finished"' in log_entries.getvalue()
    assert count_feed_messages(intake) == 0


def test_silence_between_messages_is_no_fault(intake):
    with serve_mllp(intake, frame_deadline_s=0.2) as port:
        line = Line(port)
        assert goes_on(line)
        assert not line.has_answer(within_s=0.5)
        assert goes_on(line)
        line.close()


def test_a_message_begun_again_after_half_of_it_is_read_once(intake, line):
    line.say(frame_message(GOOD)[:-40])
    assert goes_on(line)
    assert count_feed_messages(intake) == 1


def test_fifty_megabytes_are_refused_by_their_id_and_the_connection_goes_on(intake):
    with serve_mllp(intake) as port:
        line = Line(port)
        large = labs(obx("1"), control_id="LARGE") + b"NTE|1||" + b"x" * 50_000_000
        ack = answers(line, large)
        assert "MSA|AR|LARGE" in ack
        assert "the message is longer than 2097152 bytes; send documents by reference" in ack
        assert goes_on(line)
        line.close()
    assert count_feed_messages(intake) == 1


def test_a_sender_that_reads_no_answers_does_not_keep_the_port_from_closing(intake):
    with serve_mllp(intake, goodbye_s=0.2) as port:
        long_name = b"MSH|^~\\&|" + b"x" * 3500  # comes back in each answer
        deaf = Line(port, hears_little=True).say(frame_message(long_name) * 2400)
        line = Line(port)
        assert all(goes_on(line) for _ in range(50))
        line.close()
    deaf.close()


def test_bytes_of_a_participant_never_get_into_the_log(line, log_entries):
    for raw, *_ in (*REFUSED_INPUT.values(), *PARKED.values()):
        answers(line, raw)
    for secret in ("QX4711", "DOE", "JANE", "19700101", "rgen"):
        assert secret not in log_entries.getvalue()


HTTP = {
    "no key": (("", "/v1/hl7v2", GOOD), 401, "send Authorization: Bearer KEY"),
    "an empty body": (("north", "/v1/hl7v2", b" \r\n"), 422, "the body is empty"),
    "a body that is too long": (("north", "/v1/hl7v2", b"x" * 2_100_000), 413, "send it in parts"),
    "another site's message": (
        ("rhein", "/v1/hl7v2", GOOD),
        422,
        "this key may send for rhein only",
    ),
    "garbage": (("north", "/v1/hl7v2", b"garbage"), 422, "send whole HL7 v2 messages"),
    "facts where messages go": (("north", "/v1/hl7v2", b"{}"), 422, "send whole HL7 v2 messages"),
    "facts in another encoding": (("north", "/v1/facts", b"\xff\xfe{"), 422, "byte 0 is not UTF-8"),
}


@pytest.mark.parametrize(("upload", "status", "says"), HTTP.values(), ids=HTTP)
def test_over_http_the_status_and_the_words_say_what_is_wrong(intake, upload, status, says):
    participant, path, body = upload
    response = post_content(intake, path, body, participant)
    assert (response.status_code, says in response.text) == (status, True), response.text
    good = post_content(intake, "/v1/hl7v2", GOOD)
    assert (good.status_code, "MSA|AA|GOOD" in good.text) == (200, True)
    assert count_feed_messages(intake) == 1


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(GOOD), 415),
        ("identity, gzip", gzip.compress(GOOD), 415),
        ("br", GOOD, 415),
        ("", GOOD, 200),
        ("Identity", GOOD, 200),
    ],
)
def test_a_body_that_is_compressed_is_415(intake, encoding, body, status):
    async def send_request():
        async with open_client(intake) as client:
            headers = {"Content-Encoding": encoding}
            return await client.post("/v1/hl7v2", content=body, headers=headers)

    assert asyncio.run(send_request()).status_code == status
    assert count_feed_messages(intake) == int(status == 200)


def test_a_key_that_was_never_given_out_opens_nothing(intake):
    KEY["stranger"] = "not-a-key"
    try:
        assert post_content(intake, "/v1/hl7v2", GOOD, "stranger").status_code == 401
    finally:
        del KEY["stranger"]
    assert count_feed_messages(intake) == 0


FACT = (
    '{"subject": "P-001", "observed_at": "2026-03-01T08:00:00Z",'
    ' "body": {"kind": "relapse", "detail": "marrow"}}'
)
BROKEN_LINES = {
    "half a line": (FACT[:40], "is no JSON object: write one fact to a line"),
    "no object": ("17", "is no JSON object: write one fact to a line"),
    "a field too many": (
        FACT.replace('"detail"', '"detale"'),
        "body.relapse.detale: there is no such key",
    ),
    "no subject": (FACT.replace('"subject": "P-001", ', ""), "subject: is missing"),
    "a naive time": (
        FACT.replace("08:00:00Z", "08:00:00"),
        "observed_at: is no time with its offset",
    ),
    "a number as a float": (
        FACT.replace(
            '"kind": "relapse", "detail": "marrow"',
            '"kind": "observation", "measure": "alt", "value": {"value": 1.5, "unit": "U/L"}',
        ),
        'value: write a number as a string of digits, e.g. "0.49"',
    ),
    "an unknown kind": (FACT.replace("relapse", "remission"), "body: there is no such kind"),
    "no time": (
        FACT.replace("2026-03-01T08:00:00Z", "soon"),
        "observed_at: is no time with its offset",
    ),
    "two subjects": (
        FACT.replace("{", '{"subject": "P-002", ', 1),
        "the key 'subject' comes twice in one object: write it once",
    ),
    "the same subject twice": (
        FACT.replace("{", '{"subject": "P-001", ', 1),
        "the key 'subject' comes twice in one object: write it once",
    ),
    "a subject twice, once in escapes": (
        FACT.replace("{", '{"\\u0073ubject": "P-002", ', 1),
        "the key 'subject' comes twice in one object: write it once",
    ),
    "two times": (
        FACT.replace("{", '{"observed_at": "2026-02-01T08:00:00Z", ', 1),
        "the key 'observed_at' comes twice in one object: write it once",
    ),
    "two values": (
        FACT.replace(
            '"kind": "relapse", "detail": "marrow"',
            '"kind": "observation", "measure": "alt",'
            ' "value": {"value": "1", "unit": "U/L", "value": "2"}',
        ),
        "the key 'value' comes twice in one object: write it once",
    ),
    "an unknown key twice, in a list": (
        FACT.replace("{", '{"notes": [{"a": 1, "a": 1}], ', 1),
        "the key 'a' comes twice in one object: write it once",
    ),
    "a high surrogate alone": (
        FACT.replace("marrow", "marrow \\uD83D"),
        "holds \\ud83d, half of a surrogate pair: write both halves",
    ),
    "a low surrogate alone, in a key": (
        FACT.replace("detail", "detail\\ude00"),
        "holds \\ude00, half of a surrogate pair: write both halves",
    ),
    "lists too deep": (
        FACT.replace('"marrow"', "[" * 300 + "]" * 300),
        "line: its lists and objects lie too deep in one another",
    ),
}


@pytest.mark.parametrize(("bad_line", "says"), BROKEN_LINES.values(), ids=BROKEN_LINES)
def test_a_broken_line_of_facts_is_parked_by_its_number_and_the_others_go_on(
    intake, bad_line, says
):
    response = post_content(intake, "/v1/facts", f"{FACT}\n{bad_line}\n\n{FACT}".encode())
    assert response.status_code == 200
    (item,) = response.json()["parked"]
    assert (item["where"], item["reason"]) == ("line 2", "unreadable-line")
    assert says in item["detail"]
    assert len(feed_facts(intake)) == response.json()["facts"] == 1


def test_both_halves_of_a_pair_and_an_escaped_backslash_are_a_text(intake):
    details = ("\\ud83d\\ude00", "\\\\ud83d")
    body = "\n".join(FACT.replace("marrow", detail) for detail in details)
    assert post_content(intake, "/v1/facts", body.encode()).json()["facts"] == 2


FACT_WITH_ID = FACT.replace("{", '{"id": "relapse-1", ', 1)
FACT_OF_STRANGER = FACT.replace("P-001", "P-9")
STORED_LINE, DUPLICATE_LINE = {"outcome": "stored"}, {"outcome": "duplicate"}
UNREADABLE = {
    "outcome": "parked",
    "reason": "unreadable-line",
    "detail": "is no JSON object: write one fact to a line",
}
UNKNOWN_KEY = UNREADABLE | {
    "detail": "body.relapse.detale: there is no such key;"
    " see GET /v1/facts/schema (docs/fact.schema.json)"
}
STRANGER = {
    "outcome": "parked",
    "reason": "unknown-participant",
    "detail": "1 item about nobody whom this site has in the study: import the participant",
}
LINES = {
    "a fact": ([FACT], [STORED_LINE]),
    "facts beside bad lines": (
        [FACT, "oops", "", FACT_OF_STRANGER],
        [STORED_LINE, UNREADABLE, None, STRANGER],
    ),
    "words of the sender": ([FACT.replace('"detail"', '"detale"')], [UNKNOWN_KEY]),
    "nothing good": (["oops", FACT_OF_STRANGER], [UNREADABLE, STRANGER]),
    "the same line twice": ([FACT, FACT], [DUPLICATE_LINE, STORED_LINE]),
    "one id twice": (
        [FACT_WITH_ID, FACT_WITH_ID.replace("marrow", "blood")],
        [DUPLICATE_LINE, STORED_LINE],
    ),
    "the same unknown participant twice": (
        [FACT_OF_STRANGER, FACT_OF_STRANGER],
        [STRANGER, STRANGER],
    ),
    "blank lines": (["", FACT, " ", ""], [None, STORED_LINE]),
}


@pytest.mark.parametrize(("lines", "answers"), LINES.values(), ids=LINES)
def test_each_line_of_facts_has_its_answer(intake, lines, answers):
    body = "\n".join(lines).encode()
    response = post_content(intake, "/v1/facts", body)
    expected = [{"line": n, **answer} for n, answer in enumerate(answers, 1) if answer]
    assert (response.status_code, response.json()["lines"]) == (200, expected)
    assert response.json()["facts"] == answers.count(STORED_LINE)
    repeated_answer = post_content(intake, "/v1/facts", body).json()
    assert repeated_answer["duplicate"]
    assert repeated_answer["lines"] == [
        one | (DUPLICATE_LINE if one["outcome"] == "stored" else {}) for one in expected
    ]


def test_a_fact_of_another_body_is_a_duplicate_in_the_next(intake):
    post_content(intake, "/v1/facts", FACT_WITH_ID.encode())
    response = post_content(intake, "/v1/facts", f"{FACT}\n{FACT_WITH_ID}".encode())
    assert response.json()["lines"] == [{"line": 1, **STORED_LINE}, {"line": 2, **DUPLICATE_LINE}]


def test_a_body_that_is_parked_whole_has_one_answer(tmp_path):
    intake = replace(new_intake(tmp_path), most_items=2)
    for _ in "12":
        response = post_content(intake, "/v1/facts", "\n".join([FACT] * 3).encode())
        assert (response.json()["facts"], response.json()["lines"]) == (0, [])
    assert list_parked(intake) == [("too-many-items", "message")]


BAD_ROWS = {
    "a date that is a number": ("2026-01-01T10:00", "46027", "transplant_at: write it as 2026-"),
    "no date": (",2025-12-20T09:00", ",", "enrolled_at: write it as 2026-"),
    "blanks for a date": (",2025-12-20T09:00", ",  ", "enrolled_at: write it as 2026-"),
    "an unknown site": (",north,", ",nowhere,", "site: 'nowhere' is not in sites.yaml"),
    "an unknown authority": (",NMRN,", ",ZZZ,", "sites.yaml has only NMRN (MR) for north"),
    "no identifier": (",QX4711,", ",,", "identifier: String should have at least 1 character"),
    "a wrong donor": ("haploidentical", "brother", "donor: Input should be 'haploidentical'"),
    "a birth date": (",1970,", ",1970-01-01,", "birth_year"),
    "a birth year of the far future": (",1970,", ",19700,", "birth_year"),
    "a birth year just too early": (",1970,", ",1899,", "birth_year"),
    "a weight of nothing": (",70.5,", ",0,", "weight_kg"),
    "a weight just too great": (",70.5,", ",500,", "weight_kg"),
    "a weight in digits of another script": (",70.5,", ",\u0667\u0660,", "weight_kg: write it in"),
    "a weight with an underscore": (",70.5,", ",7_0,", "weight_kg: write it in digits"),
    "a weight without end": (",70.5,", ",Infinity,", "weight_kg: write it in digits"),
    "a birth year in digits of another script": (
        ",1970,",
        ",\u0661\u0669\u0667\u0660,",
        "birth_year: write it in digits",
    ),
    "a birth year with an underscore": (",1970,", ",1_970,", "birth_year: write it in digits"),
    "a transplant at the end of time": (
        "2026-01-01T10:00",
        "9999-12-31T23:59",
        "transplant_at: 9999-12-31T23:59:00 lies in the future",
    ),
    "an enrolment at the end of time": (
        "2025-12-20T09:00",
        "9999-12-31T23:59-14:00",
        "enrolled_at: 9999-12-31T23:59:00-14:00 lies in the future",
    ),
    "an enrolment a year before the end of time": (
        "2025-12-20T09:00",
        "9998-12-31T23:59-14:00",
        "enrolled_at: 9998-12-31T23:59:00-14:00 lies in the future",
    ),
    "a transplant at the beginning of time": (
        "2026-01-01T10:00",
        "0001-01-01T00:00+14:00",
        "transplant_at: write it as 2026-",
    ),
    "a carriage return inside": (",north,", ",no\rrth,", "a carriage return stands alone"),
    "a cell that is too long": (",QX4711,", f",{'Q' * 131_073},", "longer than 131,072 characters"),
    "a cell just not too long": (",QX4711,", f",{'Q' * 131_072},", "identifier: String should"),
    "the type of another authority": (",MR,", ",PI,", "sites.yaml has only NMRN (MR) for north"),
    "a weight below nothing": (",70.5,", ",-70.5,", "weight_kg"),
    "a cell too many": ("09:00", "09:00,more", "has more cells than the header"),
    "a cell too few": (",2025-12-20T09:00", "", "enrolled_at: Field required"),
    "a NUL in the pseudonym": ("P-001", "P-\0", "participant: has a character that cannot be"),
    "a pseudonym of 65 letters": ("P-001", "P" * 65, "participant: String should have at most 64"),
    "a NUL in the identifier": ("QX4711", "Q\0", "identifier: has a character that cannot be"),
    "a transplant just too far ahead": (
        "2026-01-01T10:00",
        "2026-03-02T07:10:01",
        "transplant_at: 2026-03-02T07:10:01 lies in the future",
    ),
    "an enrolment just too far ahead": (
        "2025-12-20T09:00",
        "2026-03-02T12:10:01Z",
        "enrolled_at: 2026-03-02T12:10:01+00:00 lies in the future",
    ),
}


@pytest.mark.parametrize(("cell", "bad", "says"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_of_participants_is_left_out_by_its_number_and_the_others_go_in(
    tmp_path, cell, bad, says
):
    intake = new_intake(tmp_path, PEOPLE[1])
    third = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX4713")
    wrong = PEOPLE[0].replace(cell, bad, 1)
    steps = import_participants(intake, people(wrong, third), "operator")
    (row,) = steps.wrong
    assert (row.line, says in row.problem, steps.added_count) == (2, True, 1), row.problem
    assert "QX4711" not in str(row)
    assert list_participants(intake) == ["P-002", "P-003"]


GOOD_CELLS = {
    "a weight with a point and no decimals": (",70.5,", ",70.,"),
    "a birth year from a column of decimals": (",1970,", ",1970.0,"),
    "a pseudonym of 64 marks": ("P-001", f"{'P' * 63}1"),
    "a transplant as far ahead as a clock may be wrong": ("2026-01-01T10:00", "2026-03-02T07:10"),
}


@pytest.mark.parametrize(("cell", "good"), GOOD_CELLS.values(), ids=GOOD_CELLS)
def test_a_row_at_a_limit_goes_in(tmp_path, cell, good):
    intake = new_intake(tmp_path, PEOPLE[1])
    steps = import_participants(intake, people(PEOPLE[0].replace(cell, good, 1)), "operator")
    assert (steps.wrong, steps.added_count) == ((), 1)


BAD_FILES = {
    "nothing": (b"", "the header has no column participant"),
    "semicolons": (people(*PEOPLE).replace(b",", b";"), "columns are parted by commas"),
    "a column that nobody knows": (
        people(*PEOPLE).replace(b"weight_kg", b"weight"),
        "nothing is called 'weight'",
    ),
    "a column twice": (
        people(*PEOPLE).replace(b",donor,", b",site,"),
        "the header has site more than once",
    ),
    "names that go on and on": (
        people(*PEOPLE).replace(b"weight_kg", b"w" * 1_000),
        f"nothing is called '{'w' * 79}: there are only",
    ),
    "carriage returns for ends of lines": (
        people(*PEOPLE).replace(b"\n", b"\r"),
        "a carriage return stands alone: end each line with LF, or CR and LF",
    ),
    "a message in HL7": (labs(obx("0.49")), "a carriage return stands alone"),
    "a name that is too long": (b"p" * 131_073, "a cell is longer than 131,072 characters"),
    "another encoding": (people(*PEOPLE) + b"\xff", "of the file is not UTF-8"),
}


@pytest.mark.parametrize(("content", "says"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_of_participants_changes_nothing(tmp_path, content, says):
    intake = new_intake(tmp_path, PEOPLE[1])
    (row,) = import_participants(intake, content, "operator").wrong
    assert (row.line, says in row.problem) == (1, True), row.problem
    assert list_participants(intake) == ["P-002"]
