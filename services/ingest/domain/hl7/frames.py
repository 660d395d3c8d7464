"""MLLP frames in a stream of bytes, however they arrive.

Source: HL7 v2.5.1, appendix C, "Minimal Lower Layer Protocol"
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

START, END, RETURN = 0x0B, 0x1C, 0x0D
_ENDS = re.compile(b"\x1c(?:\r|(?=\x0b))")  # some senders begin the next frame at once
_BEGINS_AGAIN = b"\x0bMSH"  # the sender has given up what it had begun
LARGEST_BYTES = 2 * 1024 * 1024  # bytes
_HEAD = 1024  # bytes of an oversized frame that are kept


@dataclass(frozen=True, slots=True)
class OversizedFrame:
    """A frame longer than allowed; *head* is its beginning, which suffices for the answer."""

    head: bytes


class FrameReader:
    """Cuts a stream of bytes into whole messages.

    Attributes:
        garbage: Number of bytes between frames, without line ends.
        begun_count: Number of frames that have begun.
    """

    def __init__(self, largest: int = LARGEST_BYTES) -> None:
        """Refuse frames longer than *largest* bytes."""
        self._largest = largest
        self._buffer = bytearray()
        self._is_inside = False
        self._head = b""  # of a frame that is too long and is being skipped
        self._search_start = 0  # bytes of the buffer in which no frame ends
        self.garbage = 0
        self.begun_count = 0

    @property
    def is_halfway(self) -> bool:
        """True while a frame has begun and not ended."""
        return self._is_inside

    def feed(self, data: bytes) -> Iterator[bytes | OversizedFrame]:
        """Yield each message that is complete with *data*."""
        self._buffer += data
        while self._buffer:
            if not self._is_inside and not self._begin():
                return
            end = _ENDS.search(self._buffer, self._search_start)
            if end is None:
                self._skip_if_too_long()
                self._search_start = max(0, len(self._buffer) - 1)
                return
            content = bytes(self._buffer[: end.start()])
            del self._buffer[: end.end()]
            self._search_start, self._is_inside = 0, False
            head, self._head = self._head, b""
            if head or len(content) > self._largest:
                yield OversizedFrame(head or content[:_HEAD])
            else:
                yield self._drop_abandoned(content)

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
        self._is_inside = True
        self.begun_count += 1
        return True

    def _drop_abandoned(self, content: bytes) -> bytes:
        """Return the last message in *content*; an abandoned one before it counts as garbage."""
        given_up, marker, remainder = content.rpartition(_BEGINS_AGAIN)
        if not marker:
            return content
        self.garbage += len(given_up)
        return marker[1:] + remainder

    def _skip_if_too_long(self) -> None:
        """Drop the content of a frame that is too long, except a byte that may begin its end."""
        if len(self._buffer) <= self._largest and not self._head:
            return
        self._head = self._head or bytes(self._buffer[:_HEAD])
        del self._buffer[:-1]


def frame_message(message: bytes) -> bytes:
    r"""Return *message* in its frame.

    >>> frame_message(b"MSH")
    b'\x0bMSH\x1c\r'
    """
    return bytes((START,)) + message + bytes((END, RETURN))
