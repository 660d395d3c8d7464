"""Sends messages to an MLLP port and reads the answers: for feeds, demos and tests."""

import socket
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.ingest.domain.hl7.frames import Frames, framed

WINDOW = 256  # messages under way at once
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """One message and what was answered to it: MSA-1, e.g. ``AA``, and the whole ACK."""

    sent: bytes
    code: str
    ack: bytes


def send(
    host: str, port: int, messages: Iterable[bytes], timeout_s: float = 60.0
) -> Iterator[Answered]:
    """Send *messages* in their order, up to `WINDOW` ahead of the answers; yield each answer.

    Raises:
        OSError: The connection cannot be made, breaks, or is silent for *timeout_s*: whatever was
            not yielded may have to be sent again.
    """
    with socket.create_connection((host, port), timeout=timeout_s) as connection:
        frames = Frames()
        waiting: deque[bytes] = deque()
        for message in messages:
            waiting.append(message)
            connection.sendall(framed(message))
            while len(waiting) >= WINDOW:
                yield from _answers(connection, frames, waiting)
        while waiting:
            yield from _answers(connection, frames, waiting)


def _answers(connection: socket.socket, frames: Frames, waiting: deque[bytes]) -> list[Answered]:
    data = connection.recv(_CHUNK)
    if not data:
        raise ConnectionResetError(f"closed with {len(waiting)} messages not answered")
    return [
        Answered(waiting.popleft(), _code(ack), ack)
        for ack in frames.feed(data)
        if isinstance(ack, bytes)
    ]


def _code(ack: bytes) -> str:
    for segment in ack.split(b"\r"):
        if segment.startswith(b"MSA|"):
            return segment.split(b"|")[1].decode()
    return ""
