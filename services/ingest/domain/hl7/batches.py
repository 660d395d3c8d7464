"""Many messages in one file: framed, in a batch (FHS, BHS), or one after the other.

Source: HL7 v2.5.1, 2.10.3
"""

import re

from services.ingest.domain.hl7.frames import START, Frames

_BEGINS = re.compile(rb"(?:^|[\r\n])(?=MSH[^A-Za-z0-9\s])")
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")


def messages(content: bytes) -> list[bytes]:
    r"""Return every message in *content*, as it stands there.

    >>> messages(b"FHS|^~\\&\rMSH|^~\\&|A\rPID|1\r\rMSH|^~\\&|B\rFTS|1\r")
    [b'MSH|^~\\&|A\rPID|1\r', b'MSH|^~\\&|B\r']
    >>> messages(b"no message at all")
    [b'no message at all']
    """
    if START in content[:1]:
        frames = Frames(largest=len(content))
        return [found for found in frames.feed(content) if isinstance(found, bytes)]
    starts = [found.end() for found in _BEGINS.finditer(content)]
    if not starts:
        return [content] if content.strip() else []
    ends = [*starts[1:], len(content)]
    return [_without_envelope(content[start:end]) for start, end in zip(starts, ends, strict=True)]


def _without_envelope(message: bytes) -> bytes:
    lines = re.split(rb"\r\n|\r|\n", message)
    kept = [line for line in lines if line and not line.startswith(_ENVELOPE)]
    return b"\r".join(kept) + b"\r"


def batch_faults(content: bytes) -> list[str]:
    """Return where a batch does not hold as many messages as its trailer (BTS-1) says."""
    faults = []
    counted = 0
    for line in re.split(rb"\r\n|\r|\n", content):
        if line.startswith(b"BHS"):
            counted = 0
        elif line.startswith(b"MSH"):
            counted += 1
        elif line.startswith(b"BTS"):
            said = line.split(line[3:4])[1:2]
            if said and said[0].isdigit() and int(said[0]) != counted:
                faults.append(f"BTS-1 says {int(said[0])} messages, there are {counted}")
    return faults
