"""The messages of one connection that await their answer, in their order.

A connection with too many of them is not read, nor are all those of one address with too many
together: their sender waits, and nobody else.
"""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from services.ingest.intake import Outcome

_MOST_OF_CONNECTION = 512  # messages
_MOST_OF_ADDRESS = 1024


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """A message, whole or its beginning, and its outcome once there is one."""

    raw: bytes
    outcome: asyncio.Future[Outcome]


class AddressRooms:
    """The room for messages of each address that has a connection."""

    def __init__(self) -> None:
        """Start with no connections."""
        self._rooms: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def find_room(self, address: str) -> asyncio.Semaphore:
        """Return the room that all connections of *address* share."""
        return self._rooms.setdefault(address, asyncio.Semaphore(_MOST_OF_ADDRESS))


@dataclass(slots=True)
class AnswerQueue:
    """The pending answers of one connection.

    Args:
        most_bytes: Of the messages that await their answer; one more is always taken.
        address_room: Of all connections of its address.
        most_messages: Number of messages that await their answer.
    """

    most_bytes: int
    address_room: asyncio.Semaphore
    most_messages: int = _MOST_OF_CONNECTION
    _queue: "asyncio.Queue[PendingAnswer | None]" = field(default_factory=asyncio.Queue)
    _count: int = 0
    _bytes: int = 0
    _has_room: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for_room(self) -> None:
        """Return once a further message may be added: it has to be."""
        while self._count >= self.most_messages or self._bytes >= self.most_bytes:
            self._has_room.clear()
            await self._has_room.wait()
        await self.address_room.acquire()

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
        self.address_room.release()

    def close(self) -> None:
        """Give the places of all other answers: nobody waits for them any more."""
        while self._count:
            self._count -= 1
            self.address_room.release()

    @property
    def is_empty(self) -> bool:
        """True while no answer is left to send."""
        return self._queue.empty()
