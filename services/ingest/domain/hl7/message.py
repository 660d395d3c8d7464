"""An HL7 v2 message split into segments and fields; escapes are undone only when asked for.

Source: HL7 v2.5.1, chapter 2, "Control"
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from services.ingest.domain.reading import Refused

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
_FIXED = 9  # bytes of "MSH|^~\&|"


@dataclass(frozen=True, slots=True)
class Separators:
    """MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; ``field(1)`` is the first after its name, also in MSH (where it is MSH-1)."""

    name: str
    number: int  # among those of its name, from 1
    parts: list[str]
    separators: Separators

    def field(self, at: int) -> str:
        """Return field *at* as sent, empty when there is none."""
        return self.parts[at] if at < len(self.parts) else ""

    def repetitions(self, at: int) -> list[str]:
        """Return the repetitions of field *at* that are not empty."""
        return [one for one in self.field(at).split(self.separators.repetition) if one]

    def components(self, at: int) -> list[str]:
        """Return the components of the first repetition of field *at*, escapes undone."""
        first = self.field(at)
        if self.separators.repetition in first:
            first = first.split(self.separators.repetition, 1)[0]
        return self.split(first)

    def split(self, text: str) -> list[str]:
        """Return the components of *text*, escapes undone."""
        parts = text.split(self.separators.component)
        if self.separators.escape in text:
            return [unescape(part, self.separators) for part in parts]
        return parts

    def text(self, at: int) -> str:
        """Return the first component of field *at*, escapes undone."""
        return self.components(at)[0]

    def whole(self, at: int) -> str:
        """Return field *at* as one text, escapes undone."""
        return unescape(self.field(at), self.separators)


@dataclass(frozen=True)
class Message:
    """All segments, in order."""

    segments: list[Segment]

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    def all(self, name: str) -> Iterator[Segment]:
        """Yield the segments of *name*."""
        return (segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        """Return the first segment of *name*."""
        return next(self.all(name), None)

    @cached_property
    def kind(self) -> tuple[str, str]:
        """Message code and trigger event, e.g. ``("ORU", "R01")``."""
        code, *rest = self.header.components(9)
        return code, rest[0] if rest else ""

    @cached_property
    def sender(self) -> str:
        """``APPLICATION|FACILITY``."""
        return f"{self.header.text(3)}|{self.header.text(4)}"


def parse(raw: bytes) -> Message | Refused:
    r"""Return the message in *raw*, or why it is none.

    Segments may end in CR, LF or both.

    >>> parse(b"MSH|^~\\&|LAB|NORTH|||20260101||ORU^R01|1|P|2.5.1\rPID|1").first("PID").field(1)
    '1'
    >>> str(parse(b"PID|1"))
    'MSH: the message does not start with MSH and its separators; send whole HL7 v2 messages'
    """
    raw = raw.strip(b"\r\n \t\x0b\x1c")
    if not raw.startswith(b"MSH") or len(raw) < _FIXED:
        problem = "the message does not start with MSH and its separators"
        return Refused("MSH", problem, "send whole HL7 v2 messages")
    separators = _separators(raw[3:8].decode("latin-1"))
    if separators is None:
        problem = "two separators are the same, or one is a letter or a digit"
        return Refused("MSH-1, MSH-2", problem, "use |^~\\& or five other distinct marks")
    decoded = _decoded(raw, separators)
    if isinstance(decoded, Refused):
        return decoded
    counts: dict[str, int] = {}
    segments = []
    for line in decoded.replace("\r\n", "\r").replace("\n", "\r").split("\r"):
        if not line:
            continue
        parts = line.split(separators.field)
        name = parts[0]
        if name == "MSH":
            parts[0:1] = ["MSH", separators.field]
        counts[name] = counts.get(name, 0) + 1
        segments.append(Segment(name, counts[name], parts, separators))
    return Message(segments)


def _separators(marks: str) -> Separators | None:
    field, rest = marks[0], marks[1:].split(marks[0], maxsplit=1)[0]
    used = field + rest
    if len(rest) < len("^~\\") or len(set(used)) < len(used):
        return None
    if any(mark.isalnum() or mark in "\r\n" for mark in used):
        return None
    return Separators(field, *rest.ljust(4, "\0"))  # a message may have no subcomponents


def _decoded(raw: bytes, separators: Separators) -> str | Refused:
    header = raw.split(b"\r", 1)[0].split(b"\n", 1)[0].split(separators.field.encode("latin-1"))
    place = 17  # MSH-18 once MSH-1 is counted
    declared = header[place].decode("latin-1") if len(header) > place else ""
    name = declared.split(separators.repetition)[0].strip()
    codec = _CODECS.get(name.upper())
    if codec is None:
        problem = "the character set is none that is known"
        return Refused("MSH-18", problem, f"use one of {', '.join(filter(None, _CODECS))}")
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} is not {codec}, which the message says it is written in"
        return Refused("MSH-18", problem, "say the character set that is used, and send it again")


def unescape(text: str, separators: Separators) -> str:
    r"""Return *text* with escape sequences undone; those that mean nothing here are kept.

    >>> unescape(r"5\S\10\X41\ a\.br\b \H\bold\N\ \Zx\ ", Separators())
    '5^10A a\nb bold \\Zx\\ '
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

    def meant(found: re.Match[str]) -> str:
        name = found[1]
        if name in meanings:
            return meanings[name]
        if _HEXADECIMAL.fullmatch(name):
            return bytes.fromhex(name[1:]).decode("latin-1")
        return found[0]

    return re.sub(f"{re.escape(escape)}([^{re.escape(escape)}]*){re.escape(escape)}", meant, text)
