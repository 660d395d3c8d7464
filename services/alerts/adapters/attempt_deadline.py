"""The end of one attempt to deliver: its connection is shut, however slowly it is answered."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def shut_connection_after(deadline_s: float) -> Iterator[Callable[[socket.socket], None]]:
    """Yield a function that takes the connection of an attempt, to be shut after *deadline_s*.

    The time-out of a socket begins anew with each byte; this one does not.
    """
    duplicates: list[socket.socket] = []  # TLS detaches the socket that it wraps
    has_expired = threading.Event()

    def shut() -> None:
        has_expired.set()
        for duplicate in duplicates:
            with suppress(OSError):
                duplicate.shutdown(socket.SHUT_RDWR)

    def add(connection: socket.socket) -> None:
        duplicates.append(connection.dup())
        if has_expired.is_set():
            shut()

    timer = threading.Timer(deadline_s, shut)
    timer.daemon = True
    timer.start()
    try:
        yield add
    finally:
        timer.cancel()
        for duplicate in duplicates:
            duplicate.close()
