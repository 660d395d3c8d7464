"""The lock of `aegis run` on a database in a file: one service works on it at a time."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from services.cli.command import CommandError
from services.runtime.clock import now_utc
from services.store.private_files import OWNER_ONLY_FILE
from services.store.session import Database


@contextmanager
def hold_run_lock(db: Database) -> Iterator[None]:
    """Hold the lock of the database in a file while the block runs; nothing for a server.

    The system releases it when the process ends, however it ends: what a killed process wrote
    into the file keeps nobody out.

    Raises:
        CommandError: Another process has it; says which, and since when.
    """
    if not db.is_sqlite:
        yield
        return
    lock_file = _open_lock_file(db)
    if lock_file is None:
        yield
        return
    with lock_file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(_describe_holder(db.file, lock)) from None
        except OSError:  # a file system without locks: those of SQLite have to do
            pass
        _write_holder(lock)
        yield


def _open_lock_file(db: Database) -> TextIO | None:
    """Return the open file; None: this user may not write there, as the database says better."""
    file = db.file.with_name(f"{db.file.name}-run")
    try:
        db.make_folder()
        return os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, OWNER_ONLY_FILE), "r+")
    except OSError:
        return None


def _write_holder(lock: TextIO) -> None:
    lock.truncate(0)
    json.dump(
        {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": now_utc().isoformat(timespec="seconds"),
        },
        lock,
    )
    lock.flush()


def _describe_holder(database: Path, lock: TextIO) -> str:
    try:
        holder = json.load(lock)
        words = f"process {holder['pid']} on {holder['host']} runs since {holder['since']}"
    except (ValueError, KeyError, TypeError):  # it has only just begun
        words = "another process runs"
    return f"{words} on {database}: end it, or name another folder with --data or AEGIS_DATA"
