"""The messages of one connection that await their answer, in their order.

A connection with too many of them is not read: its sender waits, and nobody else.
"""

import asyncio
from dataclasses import dataclass, field

from services.ingest.intake import Outcome

_MOST_MESSAGES = 512


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """A message, whole or its beginning, and its outcome once there is one."""

    raw: bytes
    outcome: asyncio.Future[Outcome]


@dataclass(slots=True)
class AnswerQueue:
    """The pending answers of one connection.

    Args:
        most_bytes: Of the messages that await their answer; one more is always taken.
        most_messages: Number of these messages.
    """

    most_bytes: int
    most_messages: int = _MOST_MESSAGES
    _queue: "asyncio.Queue[PendingAnswer | None]" = field(default_factory=asyncio.Queue)
    _count: int = 0
    _bytes: int = 0
    _has_room: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for_room(self) -> None:
        """Return once a further message may be added."""
        while self._count >= self.most_messages or self._bytes >= self.most_bytes:
            self._has_room.clear()
            await self._has_room.wait()

    def add(self, pending: PendingAnswer) -> None:
        """Add the answer to a message."""
        self._count += 1
        self._bytes += len(pending.raw)
        self._queue.put_nowait(pending)

    def end(self) -> None:
        """Add nothing more: `take_next` returns None after the last answer."""
        self._queue.put_nowait(None)

    async def take_next(self) -> PendingAnswer | None:
        """Return the next answer, which keeps its place until it is released."""
        return await self._queue.get()

    def release(self, pending: PendingAnswer) -> None:
        """Give the place of an answer that was sent to another message."""
        self._count -= 1
        self._bytes -= len(pending.raw)
        self._has_room.set()

    @property
    def is_empty(self) -> bool:
        """True while no answer is left to send."""
        return self._queue.empty()
