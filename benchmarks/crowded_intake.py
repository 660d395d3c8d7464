"""The wait for one answer over MLLP beside a flood: what one sender costs another.

Measured: the real listener and the real writer on SQLite, in a process of their own. The flood is
another process, from one address: 40 connections that send without a pause. The witness is this
process, from a second address; it sends one message at a time and waits for its answer. The figure
is the greatest of 99 % of its waits.

The floor: the same without the flood.
"""

import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle
from multiprocessing import get_context
from statistics import quantiles

from benchmarks.durable_mllp import lend_port
from benchmarks.material import Material
from benchmarks.measuring import Measure
from services.ingest.domain.hl7.frames import END, RETURN, frame_message
from services.ingest.mllp_client import send_messages

_FLOOD_HOST, _WITNESS_HOST = "127.0.0.1", "127.0.0.2"
_CONNECTIONS, _WAITS, _PAUSE_S, _WARM_S = 40, 100, 0.02, 1.0
_CHUNK = 65_536


def measures(material: Material) -> list[Measure]:
    """Return the wait beside a flood."""
    flood, witness_messages = (
        material.trial.messages[:1000],
        material.trial.messages[1000 : 1000 + _WAITS],
    )

    def wait_alone() -> float:
        with lend_port(material) as port:
            return _measure_p99_ms(port, witness_messages)

    def wait_beside_flood() -> float:
        with lend_port(material) as port, _flood_port(port, flood):
            return _measure_p99_ms(port, witness_messages)

    return [
        Measure(
            f"MLLP, wait beside {_CONNECTIONS} flooding connections, p99",
            "ms",
            wait_beside_flood,
            {"alone": wait_alone},
        )
    ]


def _measure_p99_ms(port: int, messages: Sequence[bytes]) -> float:
    waits_s = []
    with socket.create_connection(
        (_FLOOD_HOST, port), timeout=60, source_address=(_WITNESS_HOST, 0)
    ) as connection:
        for message in messages:
            began_s = time.perf_counter()
            connection.sendall(frame_message(message))
            answer = b""
            while not answer.endswith(bytes((END, RETURN))):
                answer += connection.recv(_CHUNK)
            waits_s.append(time.perf_counter() - began_s)
            time.sleep(_PAUSE_S)
    return 1000 * quantiles(waits_s, n=100)[-1]


@contextmanager
def _flood_port(port: int, messages: Sequence[bytes]) -> Iterator[None]:
    """Flood *port* with *messages*, again and again, in a process of its own."""
    process = get_context("spawn").Process(target=_flood, args=(port, messages), daemon=True)
    process.start()
    time.sleep(_WARM_S)
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _flood(port: int, messages: Sequence[bytes]) -> None:
    def send_without_end(number: int) -> None:
        """Send the same messages under ever new control ids."""
        numbered_messages = (
            message.replace(b"|P|2.5", b"%d-%d|P|2.5" % (number, count), 1)
            for count, message in enumerate(cycle(messages))
        )
        with suppress(OSError):
            for _ in send_messages(_FLOOD_HOST, port, numbered_messages):
                pass

    with ThreadPoolExecutor(_CONNECTIONS) as senders:
        list(senders.map(send_without_end, range(_CONNECTIONS)))
