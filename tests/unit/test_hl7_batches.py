"""Files of many messages: each comes out byte for byte, and what does not add up is said."""

import pytest

from services.ingest.domain.hl7.batches import find_faults, split_messages
from services.ingest.domain.hl7.frames import frame_message
from tests.helpers.hl7_messages import labs, obx

FIRST, TWO, THREE = (labs(obx("0.49"), control_id=name) for name in "123")
MARKS = b"|^~\\&|LAB|NORTH\r"


def batch(*content, count):
    return b"BHS" + MARKS + b"".join(content) + f"BTS|{count}\r".encode()


def file(*batches, count):
    return b"FHS" + MARKS + b"".join(batches) + f"FTS|{count}\r".encode()


def lf(content):
    return content.replace(b"\r", b"\n")


def crlf(content):
    return content.replace(b"\r", b"\r\n")


WRAPPED_MESSAGES = {
    "alone": (FIRST, [FIRST]),
    "one after the other": (FIRST + TWO, [FIRST, TWO]),
    "with empty lines between": (FIRST + b"\r\r" + TWO + b"\r\r", [FIRST, TWO]),
    "line feeds stay line feeds": (lf(FIRST) + b"\n" + lf(TWO), [lf(FIRST), lf(TWO)]),
    "CRLF stays CRLF": (crlf(FIRST + TWO), [crlf(FIRST), crlf(TWO)]),
    "in frames": (frame_message(FIRST) + frame_message(TWO), [FIRST, TWO]),
    "in frames, with lines between": (
        b"\r\n" + frame_message(FIRST) + b"\r\n" + frame_message(TWO),
        [FIRST, TWO],
    ),
    "a batch": (batch(FIRST, TWO, count=2), [FIRST, TWO]),
    "a file of batches": (
        file(batch(FIRST, TWO, count=2), batch(THREE, count=1), count=2),
        [FIRST, TWO, THREE],
    ),
    "a file of batches in CRLF": (
        crlf(file(batch(FIRST, count=1), batch(TWO, count=1), count=2)),
        [crlf(FIRST), crlf(TWO)],
    ),
    "the end mark of old systems": (FIRST + b"\x1a", [FIRST]),
    "no last line end": (FIRST.rstrip(b"\r"), [FIRST.rstrip(b"\r")]),
    "nothing": (b"\r\n  \r\n", []),
}


@pytest.mark.parametrize(("content", "messages"), WRAPPED_MESSAGES.values(), ids=WRAPPED_MESSAGES)
def test_every_message_comes_out_byte_for_byte_and_nothing_is_wrong(content, messages):
    assert split_messages(content) == messages
    assert find_faults(content) == []


WRONG = {
    "fewer messages than said": (
        batch(FIRST, count=2),
        ["BTS-1 says 2 messages, there are 1"],
    ),
    "more messages than said": (
        batch(FIRST, TWO, count=1),
        ["BTS-1 says 1 messages, there are 2"],
    ),
    "the second of two batches": (
        file(batch(FIRST, count=1), batch(TWO, count=3), count=2),
        ["BTS-1 says 3 messages, there are 1"],
    ),
    "fewer batches than said": (
        file(batch(FIRST, count=1), count=2),
        ["FTS-1 says 2 batches, there are 1"],
    ),
    "a batch without its end": (
        b"BHS" + MARKS + FIRST,
        ["BHS[1] has no BTS: it may be cut off"],
    ),
    "a file without its end": (
        b"FHS" + MARKS + batch(FIRST, count=1),
        ["FHS has no FTS: the file may be cut off"],
    ),
    "something before the first message": (
        b"export of the day\r" + FIRST,
        ["1 lines before the first message are not read"],
    ),
    "a frame that is cut off": (
        frame_message(FIRST) + frame_message(TWO)[:-2],
        [f"the last frame has no end (1C 0D): its {len(TWO) + 1} bytes are not read"],
    ),
    "something between frames": (
        frame_message(FIRST) + b"junk" + frame_message(TWO),
        ["4 bytes outside of frames are not read"],
    ),
}


@pytest.mark.parametrize(("content", "problems"), WRONG.values(), ids=WRONG)
def test_what_does_not_add_up_is_said(content, problems):
    assert find_faults(content) == problems
    assert split_messages(content)[0] == FIRST


def test_trailers_may_leave_their_count_out():
    assert find_faults(b"BHS" + MARKS + FIRST + b"BTS\r") == []


def test_a_count_of_thousands_of_digits_is_none():
    assert find_faults(batch(FIRST, count="9" * 5000)) == []
