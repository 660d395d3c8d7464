"""Interface engines: as many connections as wanted, in a process of their own."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from services.ingest.mllp_client import send_messages

_HOST = "127.0.0.1"


def send_all(port: int, messages: Sequence[bytes], connections: int) -> float:
    """Send *messages*, dealt out to *connections*; return how many seconds until all were answered.

    Raises:
        RuntimeError: One was not accepted.
    """
    return _run_in_process(port, messages, connections, None)


def send_at(port: int, messages: Sequence[bytes], connections: int, per_second: float) -> float:
    """Send *messages* at a rate, as evenly as the machine can; else as `send_all`."""
    return _run_in_process(port, messages, connections, per_second)


def _run_in_process(
    port: int, messages: Sequence[bytes], connections: int, per_second: float | None
) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_send, port, messages, connections, per_second).result()


def _send(
    port: int, messages: Sequence[bytes], connections: int, per_second: float | None
) -> float:
    began_s = time.perf_counter()

    def share(number: int) -> Counter[str]:
        numbers = range(number, len(messages), connections)
        paced_messages = (_wait_for_turn(messages[at], at, began_s, per_second) for at in numbers)
        return Counter(answered.code for answered in send_messages(_HOST, port, paced_messages))

    with ThreadPoolExecutor(connections) as senders:
        codes = sum(senders.map(share, range(connections)), Counter[str]())
    if codes != {"AA": len(messages)}:
        raise RuntimeError(f"of {len(messages)} messages the answers were {dict(codes)}")
    return time.perf_counter() - began_s


def _wait_for_turn(message: bytes, number: int, began_s: float, per_second: float | None) -> bytes:
    """Return *message*, the *number*-th of all, when it is its turn."""
    if per_second is not None:
        time.sleep(max(0.0, began_s + number / per_second - time.perf_counter()))
    return message
