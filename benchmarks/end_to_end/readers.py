"""Other readers of the topic of facts, to compare the workers of the rules with.

    python -m benchmarks.end_to_end.readers bare-faust BROKERS RECORDS
    python -m benchmarks.end_to_end.readers plain-loop BROKERS RECORDS

Each reads the topic of facts from its beginning, in a group of its own, and prints in how many
seconds it had so many records: the first does nothing with them, the second hands them to the same
core in a loop over kafka-python. What starting took is not counted.
"""

import asyncio
import sys
import time
from tempfile import TemporaryDirectory
from typing import cast
from uuid import uuid4

import faust
from faust.types import StreamT

from services.cli.shared.open_study import open_in
from services.runtime import kafka
from services.runtime.clock import now_utc
from services.runtime.settings import KafkaSettings
from services.runtime.store_settings import read_store_settings
from services.runtime.topic_names import FACTS
from services.safety_rules.workers.hint_worker import HintWorker

_AT_ONCE, _WITHIN_S = 200, 0.02


async def bare_faust(brokers: str, records: int, folder: str) -> float:
    """Return in how many seconds an agent without a body had *records*; Faust keeps a *folder*."""
    app = faust.App(
        f"bare-{uuid4()}",
        broker=[f"kafka://{server}" for server in brokers.split(",")],
        store="memory://",
        datadir=folder,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=4096,
    )
    topic = app.topic(FACTS, key_serializer="raw", value_serializer="raw", value_type=bytes)
    end_event = asyncio.Event()
    began_s = 0.0

    async def read_batches(stream: StreamT[bytes]) -> None:
        nonlocal began_s
        count = 0
        async for batch in cast("faust.Stream[bytes]", stream).take(_AT_ONCE, _WITHIN_S):
            began_s = began_s or time.perf_counter()
            count += len(batch)
            if count >= records:
                end_event.set()

    app.agent(topic, name="read")(read_batches)
    await app.start()
    await end_event.wait()
    took_s = time.perf_counter() - began_s
    await app.stop()
    return took_s


def plain_loop(brokers: str, records: int) -> float:
    """Return in how many seconds a loop over kafka-python has folded *records*."""
    context = open_in(read_store_settings())
    worker = HintWorker(context.db, context.study.rules, now_utc)
    consumer = kafka.connect_consumer(KafkaSettings(kafka=brokers), FACTS, f"plain-{uuid4()}")
    count, began_s = 0, 0.0
    while count < records:
        partitions = consumer.poll(timeout_ms=200, max_records=_AT_ONCE)
        batch = [(one.key.decode(), one.value) for part in partitions.values() for one in part]
        if batch:
            began_s = began_s or time.perf_counter()
            worker.fold(batch)
            consumer.commit()
            count += len(batch)
    took_s = time.perf_counter() - began_s
    consumer.close()
    return took_s


def main() -> None:
    """Print the seconds."""
    reader, brokers, records = sys.argv[1:]
    if reader == "bare-faust":
        with TemporaryDirectory() as folder:
            print(asyncio.run(bare_faust(brokers, int(records), folder)))
    else:
        print(plain_loop(brokers, int(records)))


if __name__ == "__main__":
    main()
