"""Frames come out whole, however their bytes arrive."""

import pytest

from services.ingest.domain.hl7.frames import FrameReader, OversizedFrame, frame_message

FIRST, TWO = b"MSH|^~\\&|A\rPID|1\r", b"MSH|^~\\&|B\r"
TWO_FRAMES = frame_message(FIRST) + frame_message(TWO)


def read_frames(*reads, largest=1000):
    frames = FrameReader(largest)
    return [found for data in reads for found in frames.feed(data)], frames.garbage


ARRIVALS = {
    "one": ([frame_message(FIRST)], [FIRST], 0),
    "several in one read": ([TWO_FRAMES], [FIRST, TWO], 0),
    "byte by byte": ([bytes((byte,)) for byte in TWO_FRAMES], [FIRST, TWO], 0),
    "split within the end of a frame": ([frame_message(FIRST)[:-1], b"\r"], [FIRST], 0),
    "split before the end of a frame": ([frame_message(FIRST)[:-2], b"\x1c\r"], [FIRST], 0),
    "garbage before, between and after": (
        [b"hello" + frame_message(FIRST) + b"??" + frame_message(TWO) + b"!"],
        [FIRST, TWO],
        8,
    ),
    "line ends between frames are no garbage": (
        [frame_message(FIRST) + b"\r\n" + frame_message(TWO)],
        [FIRST, TWO],
        0,
    ),
    "nothing but garbage": ([b"GET / HTTP/1.1\r\n\r\n"], [], 14),
    "a frame that goes straight into the next": (
        [b"\x0b" + FIRST + b"\x1c" + frame_message(TWO)],
        [FIRST, TWO],
        0,
    ),
    "given up halfway and begun again": ([frame_message(FIRST)[:9] + frame_message(TWO)], [TWO], 8),
    "a vertical tab within a text": ([frame_message(b"MSH|a\x0bb\r")], [b"MSH|a\x0bb\r"], 0),
    "a lone end mark within a text": ([frame_message(b"MSH|a\x1cb\r")], [b"MSH|a\x1cb\r"], 0),
    "an empty frame": ([frame_message(b"")], [b""], 0),
    "half a frame": ([frame_message(FIRST)[:-2]], [], 0),
}


@pytest.mark.parametrize(("reads", "messages", "garbage"), ARRIVALS.values(), ids=ARRIVALS)
def test_every_message_comes_out_once_and_whole(reads, messages, garbage):
    assert read_frames(*reads) == (messages, garbage)


def test_a_frame_that_has_begun_is_halfway_until_it_ends():
    frames = FrameReader()
    states = []
    for data in (b"\r\n", b"\x0bMSH", b"|", b"\x1c", b"\r"):
        list(frames.feed(data))
        states.append(frames.is_halfway)
    assert states == [False, True, True, True, False]


@pytest.mark.parametrize("size", [1, 7, 1000, 10_000])
def test_a_frame_that_is_too_long_is_named_and_the_next_one_read(size):
    stream = frame_message(FIRST + b"x" * 5000) + frame_message(TWO)
    reads = [stream[at : at + size] for at in range(0, len(stream), size)]
    (long, next_one), garbage = read_frames(*reads)
    assert isinstance(long, OversizedFrame)
    assert long.head.startswith(FIRST)
    assert (next_one, garbage) == (TWO, 0)


def test_the_longest_allowed_is_allowed():
    assert read_frames(frame_message(b"x" * 1000)) == ([b"x" * 1000], 0)
    assert isinstance(read_frames(frame_message(b"x" * 1001))[0][0], OversizedFrame)


def test_no_more_than_the_longest_is_held_in_memory():
    frames = FrameReader(largest=1000)
    for _ in range(1000):
        list(frames.feed(b"\x0b" + b"x" * 500))
    assert len(frames._buffer) <= 1500  # noqa: SLF001 - what is held is the point
