"""A TCP port that takes no more connections than it may; they are counted before they are read."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.runtime import log
from services.runtime.connection_limits import ConnectionLimits

_HANDSHAKE_S = 10.0  # of TLS
_REST_S = 0.5  # after a connection could not be taken: the system is out of descriptors or memory
_BACKLOG = 128
# A connection whose other end has gone without a word is closed after two minutes: it has a place.
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_log = log.make_logger("ingest")


@dataclass(slots=True)
class BoundedListener:
    """The listener of one port.

    Args:
        serve: Called for each connection, in a task of its own; it closes the connection.
        limits: Of its connections; one above them is closed at once.
    """

    serve: Serve
    limits: ConnectionLimits
    _listeners: list[socket.socket] = field(default_factory=list)
    _accept_tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Start to listen, and return the port: a free one when *port* is 0.

        Raises:
            OSError: The port is taken, or not this user's to take.
        """
        self._listeners = await _listen(host, port)
        self._accept_tasks = [
            asyncio.create_task(self._accept(listener, tls)) for listener in self._listeners
        ]
        return int(self._listeners[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no further connection, cancel the tasks of the others, and wait for them."""
        for task in self._accept_tasks:
            task.cancel()
        await asyncio.gather(*self._accept_tasks, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, name = await loop.sock_accept(listener)
            except OSError as error:
                _log.error("connection_not_taken", exc_info=error)
                await asyncio.sleep(_REST_S)
                continue
            address = str(name[0])
            if not self.limits.open(address):
                connection.close()
                continue
            task = asyncio.create_task(self._serve(connection, address, tls))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _serve(
        self, connection: socket.socket, address: str, tls: ssl.SSLContext | None
    ) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            _keep_alive(connection)
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=tls,
                ssl_handshake_timeout=_HANDSHAKE_S if tls else None,
            )
            await self.serve(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
        except OSError:  # of TLS, or it has hung up meanwhile
            connection.close()
        finally:
            self.limits.close(address)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of *host*; of every address of the machine when empty."""
    infos = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    with contextlib.ExitStack() as stack:
        listeners = []
        for family, _, _, _, address in dict.fromkeys(infos):
            listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            listener.settimeout(0)
            listeners.append(listener)
        stack.pop_all()
        return listeners


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, seconds in _KEEPALIVE:
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)
