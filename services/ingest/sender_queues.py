"""Messages that wait to be stored: one queue for each sender, served in turn.

A sender with thousands of messages is served one at a time between the others, so that nobody
waits for more than the messages of the batch in hand.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class SenderQueues(Generic[Item]):
    """The queues of all senders with a message that waits, in the order of their turns.

    >>> queues = SenderQueues()
    >>> for sender, item in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")]:
    ...     queues.add(sender, item, size=1)
    >>> queues.take_batch(3, size_limit=9), queues.take_batch(3, size_limit=9)
    (['a1', 'b1', 'a2'], ['a3'])
    """

    def __init__(self) -> None:
        """Start with no messages."""
        self._queues: OrderedDict[Hashable, deque[tuple[Item, int]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """Return the number of messages that wait."""
        return self._count

    def add(self, sender: Hashable, item: Item, size: int) -> None:
        """Add *item*, of *size* bytes, behind the other messages of *sender*."""
        self._queues.setdefault(sender, deque()).append((item, size))
        self._count += 1

    def take_batch(self, count_limit: int, size_limit: int) -> list[Item]:
        """Remove and return the next messages, one of each sender in turn.

        Args:
            count_limit: Number of messages.
            size_limit: Bytes of all of them; a larger message comes alone.
        """
        batch: list[Item] = []
        batch_size = 0
        while self._queues and len(batch) < count_limit:
            sender, queue = next(iter(self._queues.items()))
            item, size = queue[0]
            batch_size += size
            if batch and batch_size > size_limit:
                break
            queue.popleft()
            batch.append(item)
            if queue:
                self._queues.move_to_end(sender)
            else:
                del self._queues[sender]
        self._count -= len(batch)
        return batch
