"""The machine that figures are taken on: without it they mean nothing."""

import os
import platform
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

_SYNCS, _BYTES = 50, 4096


def machine(folder: Path) -> str:
    """Return the machine, its software and the disk under *folder*, in a few lines."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    python = f"Python {platform.python_version()} ({sys.implementation.name})"
    disk = f"write and fsync of {_BYTES} bytes: {_sync_ms(folder):.2f} ms (median of {_SYNCS})"
    return "\n".join(
        (
            f"{datetime.now(tz=UTC):%Y-%m-%d %H:%M} UTC; load of the machine before: {load}",
            f"{_processor()}, {os.cpu_count()} cores; {platform.system()} {platform.release()}",
            f"{python}, SQLite {sqlite3.sqlite_version}",
            f"data on {_filesystem(folder)}; {disk}",
        )
    )


def _processor() -> str:
    models = Path("/proc/cpuinfo")
    if models.exists():
        for line in models.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _filesystem(folder: Path) -> str:
    """Return the kind of the filesystem that *folder* is on."""
    mount_table = Path("/proc/mounts")
    if not mount_table.exists():
        return "a filesystem of unknown kind"
    mounts = [line.split()[1:3] for line in mount_table.read_text().splitlines()]
    candidates = [(place, kind) for place, kind in mounts if folder.resolve().is_relative_to(place)]
    return max(candidates, key=lambda mount: len(mount[0]))[1]


def _sync_ms(folder: Path) -> float:
    """Return the time until a few bytes are known to be on disk."""
    took_s = []
    with NamedTemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            started_s = time.perf_counter()
            file.write(bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
            took_s.append(time.perf_counter() - started_s)
    return median(took_s) * 1000
