"""Our reading of HL7 agrees with another library's, and no input makes it stumble."""

import hl7
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.domain.hl7.acknowledgement import AckCode, acknowledge
from services.ingest.domain.hl7.batches import find_faults, split_messages
from services.ingest.domain.hl7.frames import FrameReader, frame_message
from services.ingest.domain.hl7.message import Message, parse_message
from services.ingest.domain.hl7.read import read_message
from services.ingest.domain.message_content import MessageContent, Refusal
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.hl7_messages import SITES, labs, obx

PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="|^~\\&"),
    max_size=8,
)
# The other library knows no \X..\ or \H\, so texts of it hold the escapes that both know.
ESCAPED_TEXT = st.lists(
    st.one_of(PLAIN, st.sampled_from(["\\F\\", "\\S\\", "\\T\\", "\\R\\", "\\E\\"])), max_size=4
).map("".join)
COMPONENT = ESCAPED_TEXT
REPETITION = st.lists(COMPONENT, min_size=1, max_size=4).map("^".join)
FIELD = st.lists(REPETITION, min_size=1, max_size=3).map("~".join)
NAME = st.sampled_from(["PID", "OBR", "OBX", "ZAB", "NTE", "RXA"])
SEGMENT = st.tuples(NAME, st.lists(FIELD, max_size=8)).map(lambda s: "|".join((s[0], *s[1])))
HEADER = st.lists(FIELD, min_size=1, max_size=10).map(lambda fs: "|".join(("MSH|^~\\&", *fs)))
TEXT = st.tuples(HEADER, st.lists(SEGMENT, max_size=6)).map(lambda m: "\r".join((m[0], *m[1])))


@given(TEXT)
@settings(max_examples=50, deadline=None)
def test_segments_fields_repetitions_and_components_are_the_same(text):
    message, reference = parse_message(text.encode()), hl7.parse(text)
    assert isinstance(message, Message)
    assert [segment.name for segment in message.segments] == [str(s[0]) for s in reference]
    for segment, reference_segment in zip(message.segments, reference, strict=True):
        assert [segment.field(index) for index in range(len(reference_segment))] == [
            str(field) for field in reference_segment
        ]
        for index in range(3, len(reference_segment)):
            repetitions = [one for one in reference_segment[index] if str(one)]
            assert segment.repetitions(index) == [str(one) for one in repetitions]
            for repetition, reference_repetition in zip(
                segment.repetitions(index), repetitions, strict=True
            ):
                parts = (
                    reference_repetition
                    if isinstance(reference_repetition, hl7.Repetition)
                    else [reference_repetition]
                )
                assert segment.split_components(repetition) == [
                    reference.unescape(str(part)) for part in parts
                ]


@given(st.lists(TEXT, max_size=4), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_frames_come_out_as_they_went_in(texts, size):
    stream = b"".join(frame_message(text.encode()) for text in texts)
    frames = FrameReader()
    reads = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [m.decode() for data in reads for m in frames.feed(data)] == texts


def is_answered(raw):
    """Read *raw* and answer it; both always come to an end."""
    content = read_message(raw, SITES, load_code_tables())
    assert isinstance(content, (MessageContent, Refusal))
    ack = acknowledge(raw, AckCode.ACCEPT, HOUR_ZERO)
    return ack[:3] == b"MSH" and ack.split(b"\r")[1].startswith(b"MSA")


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
@example(b"MSH|^~\\&")
@example(b"\x0b\x1c\r")
def test_no_bytes_make_it_stumble(raw):
    assert is_answered(raw)
    assert len(split_messages(raw)) >= 0
    assert all(find_faults(raw))
    list(FrameReader(50).feed(raw))


VALUE = st.one_of(
    st.sampled_from(["1E99999999999999999999", "1e-99", "9" * 400, "-0", "<", "^", '""', "NaN"]),
    st.decimals(allow_nan=False).map(str),
    PLAIN,
)
TIME = st.one_of(
    st.sampled_from(["00010101", "99991231235959-1400", "20260308023000", "2026+1400", '""']),
    st.text("0123456789+-.", max_size=20),
)


@given(VALUE, st.sampled_from(["NM", "SN", "ST", "CWE", ""]), TIME, PLAIN, PLAIN)
@settings(max_examples=100, deadline=None)
def test_whatever_a_result_holds_it_is_a_fact_or_parked(value, kind, observed_at, unit, limits):
    raw = labs(obx(value, unit, kind=kind, limits=limits, observed_at=observed_at))
    content = read_message(raw, SITES, load_code_tables())
    assert isinstance(content, MessageContent)
    assert len(content.drafts) + len(content.parked) == 1


@given(st.integers(0, 5), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_damaged_message_is_read_or_refused(extra, damage):
    raw = bytearray(labs(obx("0.49", observed_at="20260301060000"), *["NTE|1||x"] * extra))
    for place, byte in damage:
        raw[place % len(raw)] = byte
    assert is_answered(bytes(raw))
