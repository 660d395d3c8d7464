"""Whatever was sent, its sender gets an answer that it can match to what it sent."""

from datetime import UTC, datetime

import pytest

from services.ingest.domain.hl7.acknowledgement import AckCode, acknowledge
from services.ingest.domain.hl7.message import Message, parse_message
from services.ingest.domain.message_content import Refusal
from tests.helpers.hl7_messages import header, labs

ANSWERED_AT = datetime(2026, 3, 1, 8, 30, 5, tzinfo=UTC)
NO_ID = Refusal("MSH-10", "there is no message control id", "give every message its own")


def parse_answer(raw, answer=AckCode.ACCEPT, refusal=None):
    answer_message = parse_message(acknowledge(raw, answer, ANSWERED_AT, refusal))
    assert isinstance(answer_message, Message)
    return answer_message


@pytest.mark.parametrize(
    ("condition", "mode"),
    [
        ("", "A"),
        ("|||AL|NE", "C"),
        ("|||AL|AL", "C"),
        ("|||ER|NE", "C"),
        ("|||SU|", "C"),
        ("|||NE|AL", "A"),
        ("||||AL", "A"),
    ],
)
@pytest.mark.parametrize("answer", list(AckCode))
def test_the_mode_is_what_msh_15_asks_for(condition, mode, answer):
    reply = parse_answer(labs(tail=condition), answer)
    assert reply.first_segment("MSA").text(1) == f"{mode}{answer}"


def test_an_answer_says_whom_it_is_for_and_to_what():
    reply = parse_answer(labs(control_id="MSG-17"))
    assert reply.first_segment("MSA").text(2) == "MSG-17"
    assert [reply.header.text(at) for at in (3, 4, 5, 6, 7, 11, 12)] == [
        "AEGIS",
        "AEGIS",
        "LAB",
        "NORTH",
        "20260301083005+0000",
        "P",
        "2.5.1",
    ]
    assert reply.header.components(9) == ["ACK", "R01", "ACK"]
    assert reply.first_segment("ERR") is None


def test_every_answer_has_a_control_id_of_its_own():
    ids = {parse_answer(labs(control_id=one)).header.text(10) for one in ("1", "2")}
    assert len(ids) == 2


PLACES = [
    ("MSH-10", AckCode.REJECT, ["MSH", "1", "10"], "101"),
    ("MSH-7", AckCode.REJECT, ["MSH", "1", "7"], "102"),
    ("MSH-11", AckCode.REJECT, ["MSH", "1", "11"], "202"),
    ("MSH-3, MSH-4", AckCode.REJECT, ["MSH", "1", "3"], "103"),
    ("MSH-18", AckCode.REJECT, ["MSH", "1", "18"], "103"),
    ("MSH", AckCode.REJECT, ["MSH", "1"], "100"),
    ("MSH", AckCode.ERROR, ["MSH", "1"], "207"),
]


@pytest.mark.parametrize(("where", "answer", "location", "code"), PLACES)
def test_an_error_says_where_which_condition_how_bad_and_what_to_do(where, answer, location, code):
    refusal = Refusal(where, "it is wrong", "put it right")
    error = parse_answer(labs(), answer, refusal).first_segment("ERR")
    assert error.components(2) == location
    assert error.components(3)[::2] == [code, "HL70357"]
    assert error.text(4) == "E"
    assert error.text(8) == f"{where}: it is wrong; put it right"


def test_marks_in_the_words_of_an_error_are_escaped():
    refusal = Refusal("MSH-1, MSH-2", "two are the same", "use |^~\\& or others")
    assert parse_answer(b"MSH|^^", AckCode.REJECT, refusal).first_segment("ERR").text(8) == str(
        refusal
    )


@pytest.mark.parametrize(
    "raw", [b"", b"garbage", b"MSH", b"MSH|^^^^|A", b"\xff\xfe\x00", b"FHS|^~\\&"]
)
def test_garbage_is_answered_too(raw):
    reply = parse_answer(raw, AckCode.REJECT, NO_ID)
    assert (reply.first_segment("MSA").text(1), reply.first_segment("MSA").text(2)) == ("AR", "")


def test_a_message_in_a_wrong_character_set_is_answered_by_its_id():
    raw = labs("NTE|1||J\xfcrgen", control_id="MSG-17").decode().encode("latin-1")
    assert parse_answer(raw, AckCode.REJECT, NO_ID).first_segment("MSA").text(2) == "MSG-17"


def test_a_message_cut_within_its_header_is_answered_by_its_id():
    raw = header(control_id="MSG-17").encode() + b"|||||\xc3"
    assert parse_answer(raw, AckCode.REJECT, NO_ID).first_segment("MSA").text(2) == "MSG-17"


@pytest.mark.parametrize("control_id", ["a&b", r"a\T\b", "J\xfc-1", "a^b", "x" * 200])
def test_the_control_id_comes_back_byte_for_byte(control_id):
    for codec in ("utf-8", "latin-1"):
        raw = labs(control_id=control_id).decode().encode(codec)
        msa = acknowledge(raw, AckCode.ACCEPT, ANSWERED_AT).split(b"\r")[1]
        assert msa == b"MSA|AA|" + control_id.encode(codec)


def test_an_answer_uses_the_marks_of_its_message():
    raw = labs(control_id="a|b").replace(b"|", b"#").replace(b"a#b", b"a|b")
    msa = acknowledge(raw, AckCode.REJECT, ANSWERED_AT, NO_ID).split(b"\r")
    assert msa[1] == b"MSA#AR#a|b"
    assert msa[2].startswith(b"ERR##MSH^1^10#101^")


def test_an_answer_is_in_the_character_set_of_its_message():
    raw = labs(control_id="J\xfc-1", tail="||||||8859/1").decode().encode("latin-1")
    reply = parse_answer(raw)
    assert (reply.header.text(18), reply.first_segment("MSA").text(2)) == ("8859/1", "J\xfc-1")


def test_the_words_of_an_error_are_plain_ascii():
    refusal = Refusal("MSH-3, MSH-4", "no site sends as J\xfcLICH|\u5317", "name it")
    ack = acknowledge(labs(), AckCode.REJECT, ANSWERED_AT, refusal)
    assert ack.isascii()


@pytest.mark.parametrize("event", [r"R\X00\01", r"R01\X0D\MSA", r"R\X0A\01", "R\x0001", "R01~R30"])
def test_an_answer_is_two_segments_whatever_the_event_of_the_message(event):
    raw = labs(kind=f"ORU^{event}", control_id="7")
    assert acknowledge(raw, AckCode.ACCEPT, ANSWERED_AT).count(b"\r") == 2
    assert parse_answer(raw).first_segment("MSA").text(2) == "7"
