"""A message is split by its own marks, decoded by its own character set, refused by name."""

import pytest

from services.ingest.domain.hl7.message import Message, Separators, parse_message, unescape
from services.ingest.domain.message_content import Refusal
from tests.helpers.fact_notes import quantity
from tests.helpers.hl7_messages import (
    PID,
    header,
    labs,
    message,
    obx,
    read_content,
    read_draft,
    read_refusal,
)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n"])
def test_segments_end_in_cr_lf_or_both(end):
    parsed_message = parse_message(message(PID, obx("0.49"), end=end))
    assert [(segment.name, segment.number) for segment in parsed_message.segments] == [
        ("MSH", 1),
        ("PID", 1),
        ("OBX", 1),
    ]


def test_the_last_segment_needs_no_end():
    assert parse_message(message(PID).rstrip(b"\r")).first_segment("PID").text(3) == "QX4711"


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_a_line_feed_within_a_text_does_not_cut_its_segment(end):
    value = "9\nas told by the nurse"
    (segment,) = parse_message(message(obx(value, observed_at="20260301"), end=end)).segments_named(
        "OBX"
    )
    assert (segment.text(5), segment.text(14)) == (value, "20260301")


def test_fields_are_counted_as_hl7_counts_them():
    header = parse_message(message(PID)).header
    assert [header.field(at) for at in (1, 2, 3, 10, 12, 99)] == [
        "|",
        "^~\\&",
        "LAB",
        "1",
        "2.5.1",
        "",
    ]


OTHER_MARKS = ["#*~\\&", "|$%!@", "|^~\\", "\t^~\\&"]


@pytest.mark.parametrize("marks", OTHER_MARKS)
def test_the_marks_are_those_of_the_message(marks):
    field, component, repetition, escape = marks[:4]
    names = str.maketrans({"|": field, "^": component, "~": repetition, "\\": escape})
    raw = labs(obx("0.49")).decode()
    body = raw[8:].translate(names).replace("&", marks[4:] or "&")
    draft = read_content(f"MSH{marks}{body}".encode()).drafts[0]
    assert draft.body.value == quantity("0.49", "10*3/uL")


def test_a_fifth_mark_of_newer_versions_is_no_obstacle():
    raw = labs(obx("0.49")).replace(b"|^~\\&|", b"|^~\\&#|")
    assert read_content(raw).drafts[0].body.value == quantity("0.49", "10*3/uL")


@pytest.mark.parametrize("marks", ["|^^\\&", "||~\\&", "|^a\\&", "A^~\\&", "|^|", "|1~\\&"])
def test_marks_that_cannot_be_told_apart_are_refused(marks):
    raw = f"MSH{marks}|LAB|NORTH|||20260301||ORU^R01|1|P|2.5.1\r".encode()
    assert parse_message(raw).location == "MSH-1, MSH-2"


CHARACTER_SETS = [
    ("", "utf-8"),
    ("UNICODE UTF-8", "utf-8"),
    ("8859/1", "latin-1"),
    ("8859/15", "iso8859-15"),
    ("8859/1~UNICODE UTF-8", "latin-1"),
]


@pytest.mark.parametrize(("name", "codec"), CHARACTER_SETS)
def test_the_character_set_is_that_of_the_message(name, codec):
    raw = message("NTE|1||Jürgen", tail=f"||||||{name}").decode().encode(codec)
    assert parse_message(raw).first_segment("NTE").text(3) == "Jürgen"


def test_ascii_is_ascii():
    assert (
        parse_message(message("NTE|1||plain", tail="||||||ASCII")).first_segment("NTE").text(3)
        == "plain"
    )
    refusal = parse_message(message("NTE|1||Jürgen", tail="||||||ASCII"))
    assert (refusal.location, "is not ASCII" in refusal.problem) == ("MSH-18", True)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (message("NTE|1||Jürgen").decode().encode("latin-1"), "MSH-18 is empty"),
        (message("NTE|1||x", tail="||||||KLINGON"), "none that is known"),
        (message("NTE|1||x").decode().encode("utf-16"), "does not start with MSH"),
    ],
)
def test_a_wrong_character_set_is_refused_with_what_to_do(raw, says):
    refusal = parse_message(raw)
    assert isinstance(refusal, Refusal)
    assert says in str(refusal)
    assert "Jürgen" not in str(refusal)


ESCAPES = [
    (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
    (r"one\.br\two", "one\ntwo"),
    (r"\X41\\X4243\ ", "ABC "),
    (r"\H\bold\N\ ", "bold "),
    (r"\Zunknown\ \XZZ\ ", r"\Zunknown\ \XZZ\ "),
    (r"a lone \ stays", r"a lone \ stays"),
    ("", ""),
]


@pytest.mark.parametrize(("escaped_text", "meant"), ESCAPES)
def test_escapes_are_undone_and_what_means_nothing_is_kept(escaped_text, meant):
    assert unescape(escaped_text, Separators()) == meant


def test_an_escaped_mark_does_not_split_a_field():
    segment = parse_message(message(r"ZZZ|a\F\b^c\S\d~e\R\f")).first_segment("ZZZ")
    assert segment.components(1) == ["a|b", "c^d"]
    assert [segment.split_components(one) for one in segment.repetitions(1)] == [
        ["a|b", "c^d"],
        ["e~f"],
    ]


def test_unknown_and_local_segments_are_kept_and_do_no_harm():
    raw = labs("ZLB|1|anything", obx("0.49"), "QQQ", "not even a segment")
    assert len(read_content(raw).drafts) == 1
    assert [s.name for s in parse_message(raw).segments if s.name in ("ZLB", "QQQ")] == [
        "ZLB",
        "QQQ",
    ]


def test_nothing_sent_is_not_the_same_as_sent_as_nothing():
    absent, null = read_draft(obx("", status="X")), read_draft(obx('""', status="X"))
    assert absent.body == null.body
    parsed_message = parse_message(message('ZZZ||""'))
    assert (
        parsed_message.first_segment("ZZZ").field(1),
        parsed_message.first_segment("ZZZ").field(2),
    ) == ("", '""')


FAULTS = {
    "no message": (b"hello", "MSH", "does not start with MSH"),
    "nothing": (b"", "MSH", "does not start with MSH"),
    "only its name": (b"MSH", "MSH", "does not start with MSH"),
    "a line of its name": (b"MSH\rPID|1\r", "MSH-1, MSH-2", "one is no mark"),
    "a line of its name and a mark": (b"MSH|\rPID|1\r", "MSH-1, MSH-2", "one is no mark"),
    "another message's end": (b"PID|1\r", "MSH", "does not start with MSH"),
    "a batch in a frame": (b"FHS|^~\\&\rBHS|^~\\&\r" + labs(obx("1")), "MSH", "is a batch"),
    "two messages in a frame": (labs() + labs(control_id="2"), "MSH", "more than one message"),
    "no control id": (labs(control_id=""), "MSH-10", "no message control id"),
    "nobody's": (labs(sender="WHO|KNOWS"), "MSH-3, MSH-4", "no site sends as WHO|KNOWS"),
    "a test": (labs().replace(b"|P|2.5.1", b"|T|2.5.1"), "MSH-11", "is not production"),
    "training": (labs().replace(b"|P|2.5.1", b"|D|2.5.1"), "MSH-11", "is not production"),
    "no time": (labs(sent_at=""), "MSH-7", "no readable time"),
    "an impossible time": (labs(sent_at="20260230"), "MSH-7", "no readable time"),
}


@pytest.mark.parametrize(("raw", "where", "says"), FAULTS.values(), ids=FAULTS)
def test_what_can_never_be_accepted_is_refused_by_name(raw, where, says):
    refusal = read_refusal(raw)
    assert refusal.location == where
    assert says in refusal.problem
    assert refusal.remedy


def test_what_is_not_read_is_parked_whole():
    content = read_content(message(PID, kind="SIU^S12"))
    (item,) = content.parked
    assert content.kind == "other"
    assert (item.path, str(item.reason)) == ("MSH.9", "unsupported-message")
    assert "SIU^S12" in item.detail


def test_a_header_alone_is_a_message():
    assert isinstance(parse_message(header().encode()), Message)
    assert read_content(header().encode()).drafts == ()
