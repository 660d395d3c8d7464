"""The embedded service: everything in one process, each part in its place."""

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.alerts import http as alert_pages
from services.alerts.adapters.channels import channels_of
from services.alerts.adapters.recipients_file import RecipientsFileError, load_recipients
from services.alerts.delivery_worker import DeliveryWorker
from services.alerts.desk import Delivered, Desk
from services.cli.command import CommandError
from services.cli.entering import intake_of
from services.cli.gauges import Gauges
from services.cli.opened import Opened
from services.ingest import http as ingest_pages
from services.ingest.measured import count_outcome
from services.ingest.mllp import MllpServer
from services.ingest.writer import Writer
from services.runtime import log, pages
from services.runtime.clock import now_utc
from services.runtime.health import Progress
from services.runtime.metrics import Metrics
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings
from services.safety_rules.application import Folded
from services.safety_rules.journal_worker import JournalWorker
from services.safety_rules.measured import count_step
from services.safety_rules.study import Decided
from services.store import sealing

_log = log.logger("aegis")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the service listens."""

    mllp: int
    http: int


@dataclass(slots=True)
class Service:
    """One study, served by this process until it is told to stop.

    Args:
        opened: The study and its data.
        ingest: Where sites send to.
        http: Where pages are.
        alerts: How notices leave.
    """

    opened: Opened
    ingest: IngestSettings
    http: HttpSettings
    alerts: AlertSettings
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    _stop: threading.Event = field(default_factory=threading.Event)

    async def serve(self, stop: asyncio.Event, started: Callable[[Ports], None]) -> None:
        """Work until *stop* is set; *started* is told the ports once everything listens.

        Raises:
            CommandError: A port is taken, or a file of the study cannot be trusted.
        """
        parts = {name: Progress() for name in ("ingest", "rules", "alerts")}
        intake = intake_of(self.opened)
        intake.on_outcome = lambda outcome: count_outcome(self.metrics, outcome)
        writer = Writer(intake, parts["ingest"])
        listener = _bound(self.http.http_host, self.http.http_port, "AEGIS_HTTP_PORT")
        port = int(listener.getsockname()[1])
        desk = self._desk(port)
        routes = [
            *pages.routes(self.metrics, parts),
            *ingest_pages.routes(intake, writer),
            *alert_pages.routes(desk),
        ]
        web = _Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off"))
        mllp = MllpServer(writer, now_utc)
        try:
            mllp_port = await mllp.start(
                self.ingest.mllp_host, self.ingest.mllp_port, tls_of(self.ingest)
            )
        except OSError as error:
            listener.close()
            place = f"{self.ingest.mllp_host}:{self.ingest.mllp_port}"
            raise CommandError(
                f"cannot listen on {place} ({error.strerror}): name another AEGIS_MLLP_PORT"
            ) from error
        writer.start()
        threads = self._start_threads(desk, parts)
        serving = asyncio.create_task(web.serve(sockets=[listener]))
        ports = Ports(mllp_port, port)
        _log.info("started", port=ports.mllp, url=f"http://{self.http.http_host}:{ports.http}")
        started(ports)
        await stop.wait()
        await mllp.stop()
        web.should_exit = True
        await serving
        await asyncio.to_thread(self._end, writer, threads)
        _log.info("stopped")

    def _end(self, writer: Writer, threads: list[threading.Thread]) -> None:
        writer.stop()
        self._stop.set()
        for thread in threads:
            thread.join()

    def _desk(self, port: int) -> Desk:
        try:
            recipients = load_recipients(self.opened.settings.study)
        except RecipientsFileError as error:
            raise CommandError(str(error)) from error
        url = self.http.public_url.rstrip("/") or f"http://{self.http.http_host}:{port}"
        return Desk(
            self.opened.db,
            self.opened.keys,
            self.opened.name,
            recipients,
            channels_of(self.alerts),
            now_utc,
            url,
            on_delivered=self._count_delivery,
        )

    def _count_delivery(self, delivered: Delivered) -> None:
        self.metrics.deliveries.labels(delivered.channel, delivered.result).inc()
        if self.opened.settings.clock == "wall":
            latency_s = (delivered.at - delivered.alert.opened_at).total_seconds()
            self.metrics.pipeline_latency.labels("delivered").observe(max(0.0, latency_s))

    def _count_step(self, folded: Folded, decided: Decided) -> None:
        now = now_utc() if self.opened.settings.clock == "wall" else None
        count_step(self.metrics, folded, decided, now)

    def _start_threads(self, desk: Desk, parts: dict[str, Progress]) -> list[threading.Thread]:
        opened, holder = self.opened, f"process {os.getpid()} on {socket.gethostname()}"
        rules = JournalWorker(
            opened.db,
            opened.study.rules,
            holder,
            now_utc,
            by_message=opened.settings.clock == "message",
            on_step=self._count_step,
            progress=parts["rules"],
        )
        delivery = DeliveryWorker(desk, holder, parts["alerts"])
        work: dict[str, Callable[[], None]] = {
            "rules": lambda: rules.run(self._stop),
            "alerts": lambda: delivery.run(self._stop),
            "sealer": lambda: sealing.run(opened.db, opened.keys, holder, now_utc, self._stop),
            "gauges": lambda: Gauges(opened, self.metrics, now_utc).run(self._stop),
        }
        threads = [threading.Thread(target=does, name=name) for name, does in work.items()]
        for thread in threads:
            thread.start()
        return threads


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _bound(host: str, port: int, setting: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise CommandError(
            f"cannot listen on {host}:{port} ({error.strerror}): name another {setting}"
        ) from error


def tls_of(settings: IngestSettings) -> ssl.SSLContext | None:
    """Return how the MLLP port is encrypted, and which client certificates it asks for."""
    if settings.mllp_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.mllp_certificate, settings.mllp_key)
    if settings.mllp_client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(settings.mllp_client_ca)
    return context
