"""A process that serves: edges that take things in, threads that work, pages for machines."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry
from starlette.routing import Route

from services.cli.process.web_port import WebPort
from services.runtime import health_pages, log
from services.runtime.health import Progress
from services.runtime.limit_settings import LimitSettings
from services.runtime.metrics import Metrics
from services.runtime.settings import HttpSettings
from services.runtime.standing_warnings import StandingWarnings

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
        warnings: Of the process, for ``/readyz`` and the log.
        port: Of its pages, and of its health and metrics unless these have their own.
        metrics_port: Of its health and metrics; 0 when they are on *port*.
        url: Of its pages, as people reach them.
    """

    def __init__(self, http: HttpSettings, limits: LimitSettings) -> None:
        """Listen where *http* says, to no more than *limits* allow; nothing is answered yet.

        Raises:
            CommandError: The port is taken.
        """
        self.metrics = Metrics(CollectorRegistry())
        self.warnings = StandingWarnings()
        self._pages = WebPort(
            http.http_host,
            http.http_port,
            "AEGIS_HTTP",
            limits.share_address() if http.http_behind_proxy else limits,
            certificate=http.http_certificate,
            key=http.http_key,
            client_ca=http.http_client_ca,
        )
        self._health: WebPort | None = None
        if http.metrics_port is not None:
            self._health = WebPort(http.metrics_host, http.metrics_port, "AEGIS_METRICS", limits)
        self.port = self._pages.port
        self.metrics_port = self._health.port if self._health else 0
        self.url = http.model_copy(update={"http_port": self.port}).url

    async def serve(
        self,
        stop: asyncio.Event,
        on_start: Callable[[], None],
        *,
        parts: Mapping[str, Progress],
        routes: Sequence[Route],
        work: Sequence[Mapping[str, Work]],
        edges: Sequence[Edge],
    ) -> None:
        """Work until *stop* is set; *on_start* is called once everything has begun.

        Args:
            stop: Set when the process is to end.
            on_start: Called once.
            parts: Progress of each part, for ``/readyz``.
            routes: Of further pages.
            work: Each in a thread of its own; it ends when its event is set. The threads of a group
                have ended before those of the next are asked to.
            edges: Started in this order and stopped in this order, before the threads end.

        Raises:
            CommandError: An edge cannot begin.
        """
        health_routes = health_pages.make_health_routes(self.metrics, parts, self.warnings)
        try:
            for edge in edges:
                await edge.start()
        except BaseException:
            self.close()
            raise
        groups = [_Threads(one) for one in work]
        if self._health is None:
            self._pages.start([*health_routes, *routes])
        else:
            self._pages.start(routes)
            self._health.start(health_routes)
        _log.info("started", port=self.port)
        on_start()
        await stop.wait()
        for edge in edges:
            await edge.stop()
        for port in self._ports:
            await port.stop()
        for group in groups:
            await asyncio.to_thread(group.stop)
        _log.info("stopped")

    def close(self) -> None:
        """Stop listening; of a process that does not start."""
        for port in self._ports:
            port.close()

    @property
    def _ports(self) -> list[WebPort]:
        return [self._pages, *([self._health] if self._health else [])]


class _Threads:
    """Threads that end together."""

    def __init__(self, work: Mapping[str, Work]) -> None:
        """Start a thread for each of *work*."""
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=does, args=(self._stop,), name=name)
            for name, does in work.items()
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask them to end, and wait until they have."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


def make_holder_name() -> str:
    """Return the name under which this process holds leases."""
    return f"process {os.getpid()} on {socket.gethostname()}"
