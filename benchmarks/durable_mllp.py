"""Messages per second from an MLLP port to the journal on disk, acknowledged.

Measured: the real listener and the real writer on SQLite, in a process of their own; the senders
are in this one, on loopback, each up to 256 messages ahead of its answers, as an interface engine
sends. An answer comes after the commit: message read, participant looked up, raw message encrypted,
facts, audit rows. Every round starts from an empty journal.

The floors: a bare SQLite database on the same disk with the same durability (WAL, synchronous=FULL)
that keeps only the bytes of each message in one row. Once with a commit for each message, which is
the least that a listener without group commits can do; once with a commit for as many as the writer
takes together, which is the least that any listener can do on this database.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.material import Material, open_enrolled
from benchmarks.measuring import Measure, per_second
from services.ingest.mllp import MllpServer
from services.ingest.mllp_client import send_messages
from services.ingest.writer import BATCH_SIZE, Writer
from services.runtime.clock import now_utc

_HOST = "127.0.0.1"
_WARM, _MESSAGES, _COMMITS = 256, 1280, 200


def measures(material: Material) -> list[Measure]:
    """Return one sender and 32 senders."""
    return [_measure(material, 1), _measure(material, 32)]


def _measure(material: Material, connections: int) -> Measure:
    warm = material.trial.messages[:_WARM]
    messages = material.trial.messages[_WARM : _WARM + _MESSAGES]

    def through_the_port() -> float:
        with lend_port(material) as port:
            _send(port, warm, 1)
            return per_second(len(messages), lambda: _send(port, messages, connections))

    plural = "" if connections == 1 else "s"
    return Measure(
        f"MLLP to disk, {connections} connection{plural}",
        "messages/s",
        through_the_port,
        {
            "floor: bare commits, one per message": lambda: _commits(
                material.folder, messages[:_COMMITS], 1
            ),
            f"floor: bare commits, one per {BATCH_SIZE}": lambda: _commits(
                material.folder, messages, BATCH_SIZE
            ),
        },
    )


def _send(port: int, messages: Sequence[bytes], connections: int) -> None:
    """Send *messages*, dealt out to so many senders, and wait for every answer.

    Raises:
        RuntimeError: One was not accepted.
    """

    def share(number: int) -> Counter[str]:
        part = messages[number::connections]
        return Counter(answered.code for answered in send_messages(_HOST, port, part))

    with ThreadPoolExecutor(connections) as senders:
        codes = sum(senders.map(share, range(connections)), Counter[str]())
    if codes != {"AA": len(messages)}:
        raise RuntimeError(f"of {len(messages)} messages the answers were {dict(codes)}")


@contextmanager
def lend_port(material: Material) -> Iterator[int]:
    """Lend the port of a listener with an empty journal."""
    context = get_context("spawn")
    parent_end, child_end = context.Pipe()
    with TemporaryDirectory(dir=material.folder) as folder:
        process = context.Process(target=_serve, args=(Path(folder), material.people, child_end))
        process.start()
        child_end.close()
        try:
            yield parent_end.recv()
        finally:
            process.terminate()
            process.join()


def _serve(folder: Path, people: bytes, pipe: Connection) -> None:
    asyncio.run(_listen(Writer(open_enrolled(folder, people)), pipe))


async def _listen(writer: Writer, pipe: Connection) -> None:
    """Serve until the process is ended; what it wrote is thrown away."""
    writer.start()
    pipe.send(await MllpServer(writer, now_utc).start(_HOST, 0))
    await asyncio.Event().wait()


def _commits(folder: Path, messages: Sequence[bytes], at_once: int) -> float:
    """Return the messages per second that a bare database keeps."""
    batches = [messages[at : at + at_once] for at in range(0, len(messages), at_once)]
    with (
        TemporaryDirectory(dir=folder) as temporary,
        closing(sqlite3.connect(Path(temporary) / "bare.db", isolation_level=None)) as bare,
    ):
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

        def keep() -> None:
            for batch in batches:
                bare.execute("BEGIN IMMEDIATE")
                rows = [(message,) for message in batch]
                bare.executemany("INSERT INTO message (body) VALUES (?)", rows)
                bare.execute("COMMIT")

        return per_second(len(messages), keep)
