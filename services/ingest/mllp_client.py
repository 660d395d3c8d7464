"""An MLLP client for feeds, demos and tests: sends messages and reads the answers."""

import socket
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.ingest.domain.hl7.frames import FrameReader, frame_message

WINDOW = 256  # messages under way at once
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class AnsweredMessage:
    """One message with its answer: *code* (MSA-1, e.g. ``AA``) and the whole ACK."""

    message: bytes
    code: str
    ack: bytes


def send_messages(
    host: str, port: int, messages: Iterable[bytes], timeout_s: float = 60.0
) -> Iterator[AnsweredMessage]:
    """Send *messages* in their order, up to `WINDOW` ahead of the answers; yield each answer.

    Raises:
        OSError: The connection cannot be made, breaks, or is silent for *timeout_s*: whatever was
            not yielded may have to be sent again.
    """
    with socket.create_connection((host, port), timeout=timeout_s) as connection:
        frames = FrameReader()
        unanswered_messages: deque[bytes] = deque()
        for message in messages:
            unanswered_messages.append(message)
            connection.sendall(frame_message(message))
            while len(unanswered_messages) >= WINDOW:
                yield from _read_answers(connection, frames, unanswered_messages)
        while unanswered_messages:
            yield from _read_answers(connection, frames, unanswered_messages)


def _read_answers(
    connection: socket.socket, frames: FrameReader, unanswered_messages: deque[bytes]
) -> list[AnsweredMessage]:
    data = connection.recv(_CHUNK)
    if not data:
        raise ConnectionResetError(f"closed with {len(unanswered_messages)} messages not answered")
    return [
        AnsweredMessage(unanswered_messages.popleft(), _read_code(ack), ack)
        for ack in frames.feed(data)
        if isinstance(ack, bytes)
    ]


def _read_code(ack: bytes) -> str:
    for segment in ack.split(b"\r"):
        if segment.startswith(b"MSA|"):
            return segment.split(b"|")[1].decode()
    return ""
