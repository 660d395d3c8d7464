"""The edges of a process: a port, or a thread, through which messages of sites come in."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from services.cli.command import CommandError
from services.cli.process.process_server import Work
from services.ingest.mllp import MllpServer, admit
from services.ingest.writer import Writer
from services.runtime.clock import now_utc
from services.runtime.connection_limits import ConnectionLimits
from services.runtime.limit_settings import LimitSettings
from services.runtime.settings import IngestSettings


@dataclass(slots=True)
class MllpEdge:
    """The MLLP port, and the thread that writes what comes through it.

    Args:
        writer: Not begun yet.
        settings: Where it listens.
        limits: What one sender may ask of it.
        on_exclusion: Called for each connection that may not send.
    """

    writer: Writer
    settings: IngestSettings
    limits: LimitSettings
    on_exclusion: Callable[[], None] = lambda: None
    port: int = 0
    _server: MllpServer = field(init=False)

    def __post_init__(self) -> None:
        sites = self.writer.intake.sites
        self._server = MllpServer(
            self.writer,
            now_utc,
            largest=self.limits.message_bytes,
            frame_deadline_s=self.limits.frame_deadline_s,
            limits=ConnectionLimits(self.limits.connections, self.limits.connections_per_address),
            admit=partial(admit, sites=sites, is_open=self.settings.mllp_open),
            on_exclusion=self.on_exclusion,
        )

    async def start(self) -> None:
        """Listen.

        Raises:
            CommandError: The port is taken, or its certificate cannot be used.
        """
        host, port = self.settings.mllp_host, self.settings.mllp_port
        tls = load_tls(self.settings)
        try:
            self.port = await self._server.start(host, port, tls)
        except OSError as error:
            raise CommandError(
                f"cannot listen on {host}:{port} ({error.strerror}): name another AEGIS_MLLP_PORT"
            ) from error
        self.writer.start()

    async def stop(self) -> None:
        """Answer what was taken, and take nothing more."""
        await self._server.stop()


@dataclass(slots=True)
class ThreadEdge:
    """An edge that takes things in by itself, in a thread of its own.

    Args:
        work: Ends when its event is set.
        name: Of the thread.
    """

    work: Work
    name: str
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    async def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self.work, args=(self._stop,), name=self.name)
        self._thread.start()

    async def stop(self) -> None:
        """Take nothing more, and finish what was taken."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)


def load_tls(settings: IngestSettings) -> ssl.SSLContext | None:
    """Return the TLS of the MLLP port, with the client certificates it asks for; None: plain.

    Raises:
        CommandError: A file holds no certificate or key.
    """
    if settings.mllp_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.mllp_certificate, settings.mllp_key)
        if settings.mllp_client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(settings.mllp_client_ca)
    except OSError as error:
        raise CommandError(
            f"AEGIS_MLLP_CERTIFICATE, AEGIS_MLLP_KEY or AEGIS_MLLP_CLIENT_CA: {error}"
        ) from error
    return context
