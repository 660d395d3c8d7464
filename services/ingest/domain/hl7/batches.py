"""Files of many messages: framed, in a batch (FHS, BHS), or one after the other.

Source: HL7 v2.5.1, 2.10.3
"""

import re

from services.ingest.domain.hl7.frames import END, START, FrameReader
from services.vocabulary.number_text import parse_whole_number

_BEGINS = re.compile(rb"(?:^|[\r\n])(?=MSH[^A-Za-z0-9\s])")
_ENVELOPE = re.compile(rb"[\r\n](?:FHS|BHS|BTS|FTS)[^A-Za-z0-9].*", re.DOTALL)
_EMPTY_LINES = re.compile(rb"(\r\n|\r|\n)[\r\n \t\x1a]*\Z")  # 1A ends files of old systems
_LINE_ENDS = re.compile(rb"[\r\n]+")


def split_messages(content: bytes) -> list[bytes]:
    r"""Return every message in *content*, byte for byte as it stands there.

    >>> split_messages(b"FHS|^~\\&\rMSH|^~\\&|A\rPID|1\r\rMSH|^~\\&|B\rFTS|1\r")
    [b'MSH|^~\\&|A\rPID|1\r', b'MSH|^~\\&|B\r']
    >>> split_messages(b"no message at all")
    [b'no message at all']
    """
    if _is_framed(content):
        frames = FrameReader(largest=len(content))
        return [found for found in frames.feed(content) if isinstance(found, bytes)]
    starts = [found.end() for found in _BEGINS.finditer(content)]
    if not starts:
        return [content] if content.strip() else []
    ends = [*starts[1:], len(content)]
    return [_strip_envelope(content[start:end]) for start, end in zip(starts, ends, strict=True)]


def find_faults(content: bytes) -> list[str]:
    """Return the faults of *content*: counts that do not fit, and parts that are in no message."""
    if _is_framed(content):
        return _loose_bytes(content)
    return [*_loose_lines(content), *_find_count_faults(content)]


def _is_framed(content: bytes) -> bool:
    return content.lstrip(b"\r\n \t")[:1] == bytes((START,))


def _strip_envelope(message: bytes) -> bytes:
    """Return *message* without the segments of its batch and without empty lines at its end."""
    message = _ENVELOPE.sub(lambda match: match[0][:1], message)
    return _EMPTY_LINES.sub(rb"\1", message)


def _loose_bytes(content: bytes) -> list[str]:
    """Return the faults of framed content: bytes outside of frames, a last frame without end."""
    frames = FrameReader(largest=len(content))
    for _ in frames.feed(content):
        pass
    faults = [f"{frames.garbage} bytes outside of frames are not read"] if frames.garbage else []
    if frames.is_halfway:
        unread = len(content) - content.rfind(bytes((START,)))
        faults.append(f"the last frame has no end ({END:02X} 0D): its {unread} bytes are not read")
    return faults


def _loose_lines(content: bytes) -> list[str]:
    """Return a fault when lines before the first message are no header of a batch."""
    first = _BEGINS.search(content)
    leading_lines = _LINE_ENDS.split(content[: first.end()]) if first else []
    loose = [line for line in leading_lines if line.strip() and line[:3] not in (b"FHS", b"BHS")]
    return [f"{len(loose)} lines before the first message are not read"] if loose else []


def _find_count_faults(content: bytes) -> list[str]:
    r"""Return a fault for each trailer (BTS, FTS) that is missing or has another count.

    >>> _find_count_faults(b"BHS|^~\\&\rMSH|^~\\&|A\rBTS|2\r")
    ['BTS-1 says 2 messages, there are 1']
    """
    faults = []
    counts = {"messages": 0, "batches": 0}
    open_batch = ""
    for line in _LINE_ENDS.split(content):
        name = line[:3]
        if name == b"MSH":
            counts["messages"] += 1
        elif name == b"BHS":
            faults += [f"{open_batch} has no BTS: it may be cut off"] if open_batch else []
            counts["batches"] += 1
            counts["messages"] = 0
            open_batch = f"BHS[{counts['batches']}]"
        elif name == b"BTS":
            faults += _compare_count(line, "BTS-1", counts["messages"], "messages")
            open_batch = ""
        elif name == b"FTS":
            faults += _compare_count(line, "FTS-1", counts["batches"], "batches")
    if open_batch:
        faults.append(f"{open_batch} has no BTS: it may be cut off")
    if content.lstrip().startswith(b"FHS") and not re.search(rb"[\r\n]FTS", content):
        faults.append("FHS has no FTS: the file may be cut off")
    return faults


def _compare_count(line: bytes, field: str, actual: int, noun: str) -> list[str]:
    text = line.split(line[3:4])[1] if len(line) > len("BTS|") else b""
    declared_count = parse_whole_number(text.decode("latin-1").strip())
    if declared_count is None or declared_count == actual:
        return []
    return [f"{field} says {declared_count} {noun}, there are {actual}"]
