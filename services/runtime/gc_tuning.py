"""Settings of the CPython interpreter for a service with threads and long-lived values."""

import gc
import sys

SWITCH_S = 0.0005  # CPython's own 5 ms would delay each answer of the database behind a computation
YOUNGEST, MIDDLE, OLDEST = 20_000, 10, 1_000  # CPython's own are 700, 10 and 10


def tune_interpreter() -> None:
    """Switch threads sooner, and spare long-lived values from garbage collection.

    A full collection visits every remembered value, half a second for 25,000 facts, and stops all
    threads for it. Remembered values are in no cycle and are freed when they are dropped; cycles
    are short-lived, and found in the youngest generation. So the oldest one is rarely collected.

    Source: docs/adr/0009-facts-in-memory.md
    """
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # modules: they stay until the end
    gc.set_threshold(YOUNGEST, MIDDLE, OLDEST)
