"""Senders are served in turn, whatever any of them has sent."""

import pytest

from services.ingest.sender_queues import SenderQueues

# what waits, as sender and number (and size); most messages and bytes of a batch; the batches
SCHEDULES = {
    "nothing": ("", 3, 9, []),
    "one sender, in its order": ("a1 a2 a3", 2, 9, ["a1 a2", "a3"]),
    "as many as a batch takes": ("a1 a2 a3", 3, 9, ["a1 a2 a3"]),
    "two senders": ("a1 a2 b1 b2", 9, 9, ["a1 b1 a2 b2"]),
    "a flood and another": ("a1 a2 a3 a4 a5 b1", 2, 9, ["a1 b1", "a2 a3", "a4 a5"]),
    "the turn goes on with the next batch": (
        "a1 a2 b1 b2 c1 c2", 2, 9, ["a1 b1", "c1 a2", "b2 c2"],
    ),
    "two floods and another": ("a1 a2 a3 b1 b2 b3 c1", 3, 9, ["a1 b1 c1", "a2 b2 a3", "b3"]),
    "one above the size ends the batch": ("a1:5 b1:5 c1:1", 9, 9, ["a1", "b1 c1"]),
    "just as much as the size": ("a1:4 b1:5 c1:1", 9, 9, ["a1 b1", "c1"]),
    "one above the size comes alone": ("a1:90 b1 a2:90", 9, 9, ["a1", "b1", "a2"]),
    "it keeps its turn": ("a1 b1:9 a2 a3", 9, 9, ["a1", "b1", "a2 a3"]),
    "large ones of a flood beside small ones": (
        "a1:9 a2:9 b1 b2", 9, 9, ["a1", "b1", "a2", "b2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "count", "size_limit", "batches"), SCHEDULES.values(), ids=SCHEDULES
)
def test_batches_take_one_message_of_each_sender_in_turn(messages, count, size_limit, batches):
    queues = SenderQueues()
    for word in messages.split():
        item, _, size = word.partition(":")
        queues.add(item[0], item, int(size or 1))
    taken_batches = []
    while len(queues):
        taken_batches.append(" ".join(queues.take_batch(count, size_limit)))
    assert taken_batches == batches
    assert queues.take_batch(count, size_limit) == []


def test_a_sender_that_comes_back_waits_for_the_others():
    queues = SenderQueues()
    for item in ("a1", "b1", "b2"):
        queues.add(item[0], item, 1)
    assert queues.take_batch(1, 9) == ["a1"]
    queues.add("a", "a2", 1)
    assert queues.take_batch(9, 9) == ["b1", "a2", "b2"]


def test_who_sends_while_another_floods_is_in_the_next_batch():
    queues = SenderQueues()
    for number in range(20_000):
        queues.add("flood", f"f{number}", 1000)
    queues.take_batch(256, 262_144)
    queues.add("witness", "w", 1000)
    assert "w" in queues.take_batch(256, 262_144)[:2]
    assert len(queues) == 20_000 - 256 - 255
