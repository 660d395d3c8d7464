"""Bounds on the messages of a connection, and of its address, that await their answer."""

import asyncio

import pytest

from services.ingest import answer_queue
from services.ingest.answer_queue import AddressRooms, AnswerQueue, PendingAnswer

# sizes of the messages that are added; limits of bytes and of messages; how many are added
SIZES = {
    "as many as the connection may": ([1, 1, 1, 1], 99, 3, 3),
    "up to the bytes": ([5, 5, 5], 10, 9, 2),
    "one beyond the bytes": ([9, 9, 1], 10, 9, 2),
    "a longer one alone": ([99, 1], 10, 9, 1),
    "no bytes at all": ([0, 0, 0], 1, 2, 2),
}


async def fill(queue, sizes):
    """Add messages of *sizes* until there is no room; return how many were added."""
    for count, size in enumerate(sizes):
        try:
            await asyncio.wait_for(queue.wait_for_room(), 0.02)
        except TimeoutError:
            return count
        queue.add(PendingAnswer(b"x" * size, asyncio.get_running_loop().create_future()))
    return len(sizes)


@pytest.mark.parametrize(
    ("sizes", "most_bytes", "most_messages", "count"), SIZES.values(), ids=SIZES
)
def test_a_connection_is_not_read_beyond_its_room(sizes, most_bytes, most_messages, count):
    async def add_all():
        queue = AnswerQueue(most_bytes, AddressRooms().find_room("10.4.0.7"), most_messages)
        assert await fill(queue, sizes) == count
        queue.release(await queue.take_next())
        assert await fill(queue, sizes[:1]) == 1

    asyncio.run(add_all())


def test_the_connections_of_an_address_share_its_room_and_those_of_another_have_their_own(
    monkeypatch,
):
    monkeypatch.setattr(answer_queue, "_MOST_OF_ADDRESS", 4)

    async def add_all():
        rooms = AddressRooms()
        first, second = (AnswerQueue(99, rooms.find_room("10.4.0.7")) for _ in range(2))
        other_queue = AnswerQueue(99, rooms.find_room("10.4.0.8"))
        assert [await fill(queue, [1] * 3) for queue in (first, second, other_queue)] == [3, 1, 3]
        first.release(await first.take_next())
        assert await fill(second, [1] * 3) == 1
        first.close()
        assert await fill(second, [1] * 3) == 2

    asyncio.run(add_all())


def test_an_address_without_connections_is_forgotten(monkeypatch):
    monkeypatch.setattr(answer_queue, "_MOST_OF_ADDRESS", 1)

    async def come_and_go():
        rooms = AddressRooms()
        for _ in range(3):
            assert await fill(AnswerQueue(99, rooms.find_room("10.4.0.7")), [1, 1]) == 1

    asyncio.run(come_and_go())
