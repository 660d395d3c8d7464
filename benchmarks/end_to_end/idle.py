"""The share of a core of each process of an installation that has nothing to do."""

import time

from benchmarks.end_to_end.bench import Bench
from benchmarks.end_to_end.processes import cpu_s

_SERVERS = ("postgres", "kafka")


def measure_idle_shares(bench: Bench, seconds: float) -> dict[str, float]:
    """Return the share of a core that each process takes over *seconds*, by name."""
    processes = bench.processes()
    began_s, before = time.perf_counter(), {name: cpu_s(pid) for name, pid in processes.items()}
    time.sleep(seconds)
    took_s = time.perf_counter() - began_s
    return {name: (cpu_s(pid) - before[name]) / took_s for name, pid in processes.items()}


def sum_own_shares(shares: dict[str, float]) -> float:
    """Return the share of our own processes, without the servers beside them.

    >>> sum_own_shares({"postgres": 0.5, "relay": 0.25, "rules 1": 0.125})
    0.375
    """
    return sum(share for name, share in shares.items() if name not in _SERVERS)
