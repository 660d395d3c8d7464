"""MLLP frames in a stream of bytes, however they arrive.

Source: HL7 v2.5.1, appendix C, "Minimal Lower Layer Protocol"
"""

from collections.abc import Iterator
from dataclasses import dataclass

START, END, RETURN = 0x0B, 0x1C, 0x0D
LARGEST = 16 * 1024 * 1024  # bytes


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
            end = self._end()
            if end < 0:
                self._skip_if_too_long()
                return
            content = bytes(self._buffer[:end])
            del self._buffer[: end + 2]
            self._inside = False
            head, self._head = self._head, b""
            if head or len(content) > self._largest:
                yield Oversized(head or content[:1024])
            else:
                yield content

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

    def _end(self) -> int:
        """Return where the frame ends; below 0 when that is not there yet."""
        return self._buffer.find(bytes((END, RETURN)))

    def _skip_if_too_long(self) -> None:
        """Keep only what a later end may need of a frame that is already too long."""
        if len(self._buffer) <= self._largest and not self._head:
            return
        self._head = self._head or bytes(self._buffer[:1024])
        del self._buffer[:-1]


def framed(message: bytes) -> bytes:
    r"""Return *message* in its frame.

    >>> framed(b"MSH")
    b'\x0bMSH\x1c\r'
    """
    return bytes((START,)) + message + bytes((END, RETURN))
