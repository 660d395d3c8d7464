"""How CPython runs a service: threads that wait for servers, and values that stay for months."""

import gc
import sys

SWITCH_S = 0.0005  # CPython's own 5 ms is what an answer of the database may wait for a computation
YOUNGEST, MIDDLE, OLDEST = 20_000, 10, 1_000  # CPython's own are 700, 10 and 10


def tune_interpreter() -> None:
    """Let threads take turns sooner, and let the garbage collector leave alone what stays.

    A full collection looks through everything that is remembered, half a second for 25,000 facts,
    and stops all threads for it. What stays here is in no cycle and is freed when it is dropped;
    cycles are garbage of a moment, found among the young. Old ones are looked for after so many
    times as many new values as it takes for a look at the young.

    Source: docs/adr/0009-facts-in-memory.md
    """
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # modules: they stay until the end
    gc.set_threshold(YOUNGEST, MIDDLE, OLDEST)
