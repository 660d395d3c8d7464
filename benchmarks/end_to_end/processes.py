"""CPU time and memory of processes."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and all its children that live, in seconds."""
    return sum(_own_cpu_s(one) for one in _family(pid))


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MiB, without its children."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * _PAGE / 2**20


def _own_cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    mine_and_those_that_ended = fields[11:15]
    return sum(map(int, mine_and_those_that_ended)) / _TICKS


def _family(pid: int) -> list[int]:
    pids = [pid]
    for member in pids:
        try:
            children = Path(f"/proc/{member}/task/{member}/children").read_text().split()
        except OSError:
            continue
        pids += map(int, children)
    return pids
