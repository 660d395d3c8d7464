"""MLLP frames in a stream of bytes, however they arrive.

Source: HL7 v2.5.1, appendix C, "Minimal Lower Layer Protocol"
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

START, END, RETURN = 0x0B, 0x1C, 0x0D
_ENDS = re.compile(b"\x1c(?:\r|(?=\x0b))")  # some senders begin the next frame at once
_BEGINS_AGAIN = b"\x0bMSH"  # the sender has given up what it had begun
LARGEST = 16 * 1024 * 1024  # bytes
_HEAD = 1024  # bytes of an oversized frame that are kept


@dataclass(frozen=True, slots=True)
class Oversized:
    """A frame longer than allowed; *head* is how it begins, enough to answer its sender."""

    head: bytes


class Frames:
    """Takes bytes in, gives whole messages out; what lies between frames is counted."""

    def __init__(self, largest: int = LARGEST) -> None:
        """Refuse frames longer than *largest* bytes."""
        self._largest = largest
        self._buffer = bytearray()
        self._inside = False
        self._head = b""  # of a frame that is too long and is being skipped
        self._searched = 0  # bytes of the buffer in which no frame ends
        self.garbage = 0

    @property
    def is_halfway(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._inside

    def feed(self, data: bytes) -> Iterator[bytes | Oversized]:
        """Yield each message that is complete with *data*."""
        self._buffer += data
        while self._buffer:
            if not self._inside and not self._begin():
                return
            end = _ENDS.search(self._buffer, self._searched)
            if end is None:
                self._skip_if_too_long()
                self._searched = max(0, len(self._buffer) - 1)
                return
            content = bytes(self._buffer[: end.start()])
            del self._buffer[: end.end()]
            self._searched, self._inside = 0, False
            head, self._head = self._head, b""
            if head or len(content) > self._largest:
                yield Oversized(head or content[:_HEAD])
            else:
                yield self._last_begun(content)

    def _begin(self) -> bool:
        """Move to the next start of a frame; False when there is none."""
        start = self._buffer.find(START)
        self.garbage += sum(
            byte not in b"\r\n" for byte in self._buffer[: start if start >= 0 else None]
        )
        if start < 0:
            self._buffer.clear()
            return False
        del self._buffer[: start + 1]
        self._inside = True
        return True

    def _last_begun(self, content: bytes) -> bytes:
        """Return the message that its sender has finished; what it gave up before is garbage."""
        given_up, again, rest = content.rpartition(_BEGINS_AGAIN)
        if not again:
            return content
        self.garbage += len(given_up)
        return again[1:] + rest

    def _skip_if_too_long(self) -> None:
        """Keep only what a later end may need of a frame that is already too long."""
        if len(self._buffer) <= self._largest and not self._head:
            return
        self._head = self._head or bytes(self._buffer[:_HEAD])
        del self._buffer[:-1]


def framed(message: bytes) -> bytes:
    r"""Return *message* in its frame.

    >>> framed(b"MSH")
    b'\x0bMSH\x1c\r'
    """
    return bytes((START,)) + message + bytes((END, RETURN))
