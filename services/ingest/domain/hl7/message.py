"""An HL7 v2 message, split into segments and fields; escapes are undone on reading a text.

Source: HL7 v2.5.1, chapter 2, "Control"
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from services.ingest.domain.message_content import Refusal

# MSH-18, table 0211, to Python's codecs.
_CODECS = {
    "": "utf-8",
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "UTF-8": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 10), 15)},
}
_HEXADECIMAL = re.compile("X([0-9A-Fa-f]{2})+")
_NUL, _UNREADABLE_MARK = "\0", "\N{REPLACEMENT CHARACTER}"  # no database takes NUL in a text
_HEADER_BYTES = 9  # bytes of "MSH|^~\&|"
_CONTROL_ID = 10
_LONGEST_HEADER = 4096  # bytes; no sender comes near
_PADDING = b"\r\n \t\x0b\x1c"
_NAME = re.compile("[A-Z][A-Z0-9]{2}")
# Blanks of any width, and marks without any, that editors and engines leave before a segment
_INVISIBLE = " \t\x0b\x0c\xa0\u2002\u2003\u2009\u200b\u202f\u2060\u3000\ufeff"
# Segments that are read; in text that goes over several lines another word may stand before a bar
_READ_SEGMENTS = ("MSH", "PID", "PV1", "EVN", "MRG", "ORC", "OBR", "OBX", "SPM", "RXA", "RXR")


@dataclass(frozen=True, slots=True, eq=False)
class Separators:
    """The separators of a message: MSH-1 and MSH-2; those of the same marks are one object."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Segment(NamedTuple):
    """One segment; ``field(1)`` is the first field after its name, in MSH the separator (MSH-1)."""

    name: str
    number: int  # among those of its name, from 1
    parts: list[str]
    separators: Separators

    def field(self, position: int) -> str:
        """Return field *position* as sent, empty when there is none."""
        return self.parts[position] if position < len(self.parts) else ""

    def repetitions(self, position: int) -> list[str]:
        """Return the repetitions of field *position* that are not empty."""
        return [one for one in self.field(position).split(self.separators.repetition) if one]

    def components(self, position: int) -> list[str]:
        """Return the components of the first repetition of field *position*, escapes undone."""
        first = self.field(position)
        if self.separators.repetition in first:
            first = first.split(self.separators.repetition, 1)[0]
        return self.split_components(first)

    def split_components(self, text: str) -> list[str]:
        """Return the components of *text*, escapes undone."""
        separators = self.separators
        parts = text.split(separators.component)
        if separators.escape in text:
            return [unescape(part, separators) for part in parts]
        return parts

    def text(self, position: int) -> str:
        """Return the first component of field *position*, escapes undone."""
        return self.components(position)[0]

    def full_text(self, position: int) -> str:
        """Return field *position* as one text, escapes undone."""
        return unescape(self.field(position), self.separators)


@dataclass(frozen=True)
class Message:
    """The segments of one message, in order, and the lines that begin with no name of a segment."""

    segments: list[Segment]
    nameless_lines: tuple[int, ...] = ()  # their numbers, from 1

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    def segments_named(self, name: str) -> Iterator[Segment]:
        """Yield the segments of *name*."""
        return (segment for segment in self.segments if segment.name == name)

    def first_segment(self, name: str) -> Segment | None:
        """Return the first segment of *name*."""
        return next(self.segments_named(name), None)

    @cached_property
    def kind(self) -> tuple[str, str]:
        """Message code and trigger event, e.g. ``("ORU", "R01")``."""
        code, event, *_ = (*self.header.components(9), "")
        return code.strip().upper(), event.strip().upper()

    @cached_property
    def sender(self) -> str:
        """``APPLICATION|FACILITY``."""
        return f"{self.header.text(3)}|{self.header.text(4)}"


def parse_message(raw: bytes) -> Message | Refusal:
    r"""Return the message in *raw*, or the refusal of one that cannot be parsed.

    Segments may end in CR, LF or both; a LF before anything but a segment belongs to the text.

    >>> raw = b"MSH|^~\\&|LAB|NORTH|||20260101||ORU^R01|1|P|2.5.1\rPID|1"
    >>> parse_message(raw).first_segment("PID").field(1)
    '1'
    >>> str(parse_message(b"PID|1"))
    'MSH: the message does not start with MSH and its separators; send whole HL7 v2 messages'
    """
    raw = raw.strip(_PADDING)
    header = read_header(raw)
    if isinstance(header, Refusal):
        return header
    separators = header.separators
    text_or_refusal = _decode(raw, header)
    if isinstance(text_or_refusal, Refusal):
        return text_or_refusal
    counts: dict[str, int] = {}
    segments, nameless_lines = [], []
    for number, line in enumerate(_split_lines(text_or_refusal, separators), 1):
        if not line.strip(_INVISIBLE):
            continue
        parts = line.split(separators.field)
        name = _read_name(parts[0])
        if not name:
            nameless_lines.append(number)
            continue
        if name == "MSH":
            parts[0:1] = ["MSH", separators.field]
        counts[name] = counts.get(name, 0) + 1
        segments.append(Segment(name, counts[name], parts, separators))
    return Message(segments, tuple(nameless_lines))


def parse_header(raw: bytes) -> Message | Refusal:
    """Return a message of its header alone, or the refusal of one that has none."""
    header = read_header(raw)
    return header if isinstance(header, Refusal) else Message([header])


def read_header(raw: bytes) -> Segment | Refusal:
    r"""Return MSH alone, each byte as a character, or the refusal when there is none.

    With it a message is answered even when the rest of it cannot be read.

    >>> read_header(b"MSH|^~\\&|LAB\rPID|1||\xff").field(3)
    'LAB'
    """
    raw = raw[:_LONGEST_HEADER].lstrip(_PADDING)
    if not raw.startswith(b"MSH") or len(raw) < _HEADER_BYTES:
        problem = "the message does not start with MSH and its separators"
        if raw.startswith((b"FHS", b"BHS")):
            return Refusal("MSH", "this is a batch", "send its messages one by one, or as a file")
        return Refusal("MSH", problem, "send whole HL7 v2 messages")
    line = re.split(rb"[\r\n]", raw, maxsplit=1)[0].decode("latin-1")
    separators = _read_separators(line[3:8])
    if separators is None:
        problem = "two separators are the same, or one is no mark"
        return Refusal("MSH-1, MSH-2", problem, "use |^~\\& or five other distinct marks")
    name, *parts = line.split(separators.field)
    return Segment(name, 1, [name, separators.field, *parts], separators)


def _split_lines(text: str, separators: Separators) -> list[str]:
    text = text.replace("\r\n", "\r")
    if "\n" in text:
        field = re.escape(separators.field)
        blanks = f"[{re.escape(_INVISIBLE.replace(separators.field, ''))}]*"
        padded_names = f"{blanks}(?i:{'|'.join(_READ_SEGMENTS)}){blanks}"
        text = re.sub(f"(?<!\n)\n+(?=(?:[A-Z][A-Z0-9]{{2}}|{padded_names}){field}|$)", "\r", text)
    return text.split("\r")


def _read_name(text: str) -> str:
    """Return the name of a segment, without blanks and in capitals; empty when it is none.

    >>> _read_name(" OBX"), _read_name("obx\N{NO-BREAK SPACE}"), _read_name("and so on")
    ('OBX', 'OBX', '')
    """
    name = text.strip(_INVISIBLE).upper()
    return name if _NAME.fullmatch(name) else ""


@lru_cache(maxsize=256)
def _read_separators(marks: str) -> Separators | None:
    if not marks:  # the line ends with the name MSH
        return None
    field, encoding = marks[0], marks[1:].split(marks[0], maxsplit=1)[0]
    separators = field + encoding
    if len(encoding) < len("^~\\") or len(set(separators)) < len(separators):
        return None
    if any(not _is_mark(mark) for mark in separators):
        return None
    return Separators(field, *encoding.ljust(4, "\0"))  # a message may have no subcomponents


def _is_mark(text: str) -> bool:
    return text.isascii() and not text.isalnum() and (text.isprintable() or text == "\t")


def _decode(raw: bytes, header: Segment) -> str | Refusal:
    charset = header.text(18).strip()
    control_id = header.field(_CONTROL_ID)
    codec = _CODECS.get(charset.upper())
    if codec is None:
        problem = "the character set is none that is known"
        remedy = f"use one of {', '.join(filter(None, _CODECS))}"
        return Refusal("MSH-18", problem, remedy, control_id)
    try:
        return raw.decode(codec).replace(_NUL, _UNREADABLE_MARK)
    except UnicodeDecodeError as error:
        charset_name = charset or f"{codec} (MSH-18 is empty)"
        problem = f"byte {error.start} of the message is not {charset_name}"
        remedy = "name the character set that is used in MSH-18, e.g. 8859/1, and send it again"
        return Refusal("MSH-18", problem, remedy, control_id)


def unescape(text: str, separators: Separators) -> str:
    r"""Return *text* with escape sequences undone; unknown ones stay, and NUL is a mark.

    >>> unescape(r"5\S\10\X41\ a\.br\b \H\bold\N\ \X00\ \Zx\ ", Separators())
    '5^10A a\nb bold � \\Zx\\ '
    """
    escape = separators.escape
    if escape not in text:
        return text
    meanings = {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": escape,
        ".br": "\n",
        "H": "",
        "N": "",
    }

    def replace_escape(match: re.Match[str]) -> str:
        name = match[1]
        if name in meanings:
            return meanings[name]
        if _HEXADECIMAL.fullmatch(name):
            return bytes.fromhex(name[1:]).decode("latin-1").replace(_NUL, _UNREADABLE_MARK)
        return match[0]

    return re.sub(
        f"{re.escape(escape)}([^{re.escape(escape)}]*){re.escape(escape)}", replace_escape, text
    )
