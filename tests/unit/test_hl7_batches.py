"""Files of many messages: each comes out byte for byte, and what does not add up is said."""

import pytest

from services.ingest.domain.hl7.batches import find_faults, split_messages
from services.ingest.domain.hl7.frames import frame_message
from tests.helpers.hl7_messages import labs, obx

ONE, TWO, THREE = (labs(obx("0.49"), control_id=name) for name in "123")
MARKS = b"|^~\\&|LAB|NORTH\r"


def batch(*content, said):
    return b"BHS" + MARKS + b"".join(content) + f"BTS|{said}\r".encode()


def file(*batches, said):
    return b"FHS" + MARKS + b"".join(batches) + f"FTS|{said}\r".encode()


def lf(content):
    return content.replace(b"\r", b"\n")


def crlf(content):
    return content.replace(b"\r", b"\r\n")


WRAPPED = {
    "alone": (ONE, [ONE]),
    "one after the other": (ONE + TWO, [ONE, TWO]),
    "with empty lines between": (ONE + b"\r\r" + TWO + b"\r\r", [ONE, TWO]),
    "line feeds stay line feeds": (lf(ONE) + b"\n" + lf(TWO), [lf(ONE), lf(TWO)]),
    "CRLF stays CRLF": (crlf(ONE + TWO), [crlf(ONE), crlf(TWO)]),
    "in frames": (frame_message(ONE) + frame_message(TWO), [ONE, TWO]),
    "in frames, with lines between": (
        b"\r\n" + frame_message(ONE) + b"\r\n" + frame_message(TWO),
        [ONE, TWO],
    ),
    "a batch": (batch(ONE, TWO, said=2), [ONE, TWO]),
    "a file of batches": (
        file(batch(ONE, TWO, said=2), batch(THREE, said=1), said=2),
        [ONE, TWO, THREE],
    ),
    "a file of batches in CRLF": (
        crlf(file(batch(ONE, said=1), batch(TWO, said=1), said=2)),
        [crlf(ONE), crlf(TWO)],
    ),
    "the end mark of old systems": (ONE + b"\x1a", [ONE]),
    "no last line end": (ONE.rstrip(b"\r"), [ONE.rstrip(b"\r")]),
    "nothing": (b"\r\n  \r\n", []),
}


@pytest.mark.parametrize(("content", "found"), WRAPPED.values(), ids=WRAPPED)
def test_every_message_comes_out_byte_for_byte_and_nothing_is_wrong(content, found):
    assert split_messages(content) == found
    assert find_faults(content) == []


WRONG = {
    "fewer messages than said": (
        batch(ONE, said=2),
        ["BTS-1 says 2 messages, there are 1"],
    ),
    "more messages than said": (
        batch(ONE, TWO, said=1),
        ["BTS-1 says 1 messages, there are 2"],
    ),
    "the second of two batches": (
        file(batch(ONE, said=1), batch(TWO, said=3), said=2),
        ["BTS-1 says 3 messages, there are 1"],
    ),
    "fewer batches than said": (
        file(batch(ONE, said=1), said=2),
        ["FTS-1 says 2 batches, there are 1"],
    ),
    "a batch without its end": (
        b"BHS" + MARKS + ONE,
        ["BHS[1] has no BTS: it may be cut off"],
    ),
    "a file without its end": (
        b"FHS" + MARKS + batch(ONE, said=1),
        ["FHS has no FTS: the file may be cut off"],
    ),
    "something before the first message": (
        b"export of the day\r" + ONE,
        ["1 lines before the first message are not read"],
    ),
    "a frame that is cut off": (
        frame_message(ONE) + frame_message(TWO)[:-2],
        [f"the last frame has no end (1C 0D): its {len(TWO) + 1} bytes are not read"],
    ),
    "something between frames": (
        frame_message(ONE) + b"junk" + frame_message(TWO),
        ["4 bytes outside of frames are not read"],
    ),
}


@pytest.mark.parametrize(("content", "found"), WRONG.values(), ids=WRONG)
def test_what_does_not_add_up_is_said(content, found):
    assert find_faults(content) == found
    assert split_messages(content)[0] == ONE


def test_trailers_may_leave_their_count_out():
    assert find_faults(b"BHS" + MARKS + ONE + b"BTS\r") == []
