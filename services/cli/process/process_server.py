"""A process that serves: edges that take things in, threads that work, pages for machines."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route

from services.cli.command import CommandError
from services.runtime import health_pages, log
from services.runtime.health import Progress
from services.runtime.metrics import Metrics
from services.runtime.settings import HttpSettings

Work = Callable[[threading.Event], None]

_log = log.make_logger("aegis")


class Edge(Protocol):
    """A way in: it begins on the loop, and stops when all that it has taken is done."""

    async def start(self) -> object:
        """Begin."""

    async def stop(self) -> object:
        """Take nothing more, and finish what was taken."""


class ProcessServer:
    """One process of Aegis, until it is told to stop.

    Attributes:
        metrics: Of the process.
        port: Of its pages.
        url: Of its pages, as people reach them.
    """

    def __init__(self, http: HttpSettings) -> None:
        """Listen where *http* says; nothing is answered yet.

        Raises:
            CommandError: The port is taken.
        """
        self.metrics = Metrics(CollectorRegistry())
        self._listener = listen_on(http.http_host, http.http_port, "AEGIS_HTTP_PORT")
        self.port = int(self._listener.getsockname()[1])
        self.url = http.public_url.rstrip("/") or f"http://{http.http_host}:{self.port}"
        self._stop = threading.Event()

    async def serve(
        self,
        stop: asyncio.Event,
        on_start: Callable[[], None],
        *,
        parts: Mapping[str, Progress],
        routes: Sequence[Route],
        work: Mapping[str, Work],
        edges: Sequence[Edge],
    ) -> None:
        """Work until *stop* is set; *on_start* is called once everything has begun.

        Args:
            stop: Set when the process is to end.
            on_start: Called once.
            parts: Progress of each part, for ``/readyz``.
            routes: Of further pages.
            work: Each in a thread of its own; it ends when its event is set.
            edges: Started in this order and stopped in this order, before the threads end.

        Raises:
            CommandError: An edge cannot begin.
        """
        app = Starlette(routes=[*health_pages.make_health_routes(self.metrics, parts), *routes])
        web_server = _WebServer(uvicorn.Config(app, log_config=None, lifespan="off"))
        try:
            for edge in edges:
                await edge.start()
        except BaseException:
            self._listener.close()
            raise
        threads = [
            threading.Thread(target=does, args=(self._stop,), name=name)
            for name, does in work.items()
        ]
        for thread in threads:
            thread.start()
        web_task = asyncio.create_task(web_server.serve(sockets=[self._listener]))
        _log.info("started", port=self.port)
        on_start()
        await stop.wait()
        for edge in edges:
            await edge.stop()
        web_server.should_exit = True
        await web_task
        self._stop.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        _log.info("stopped")


def make_holder_name() -> str:
    """Return the name under which this process holds leases."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def listen_on(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one.

    Raises:
        CommandError: The port is taken; names *setting*, which can say another.
    """
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise CommandError(
            f"cannot listen on {host}:{port} ({error.strerror}): name another {setting}"
        ) from error


class _WebServer(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
