"""One HTTP port of a process, plain or encrypted."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from services.cli.command import CommandError
from services.cli.process.bounded_http import BoundedProtocol
from services.runtime.connection_limits import ConnectionLimits
from services.runtime.limit_settings import LimitSettings

_GOODBYE_S = 5  # for requests that are not finished when the process is asked to end


class WebPort:
    """A port that listens from the start, and answers between `start` and `stop`.

    Attributes:
        port: Its number.
    """

    def __init__(
        self,
        host: str,
        port: int,
        name: str,
        limits: LimitSettings,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        client_ca: Path | None = None,
    ) -> None:
        """Listen; nothing is answered yet.

        Args:
            host: Where to listen.
            port: 0 takes a free one.
            name: Begin of its settings' names: ``AEGIS_HTTP`` of ``AEGIS_HTTP_PORT``.
            limits: Of its connections and requests.
            certificate: PEM file that encrypts the port; None: it is plain.
            key: PEM file of its key; None: that of the certificate holds it.
            client_ca: PEM file of the authority whose certificates clients may show; None: none.

        Raises:
            CommandError: The port is taken, or the certificate cannot be used; names the setting.
        """
        if certificate is not None:
            _require_usable(certificate, key, client_ca, name)
        self._tls = {
            "ssl_certfile": certificate,
            "ssl_keyfile": key,
            "ssl_ca_certs": client_ca,
            "ssl_cert_reqs": ssl.CERT_NONE if client_ca is None else ssl.CERT_OPTIONAL,
        }
        self._limits = limits
        self._listener = listen_on(host, port, f"{name}_PORT")
        self.port = int(self._listener.getsockname()[1])

    def start(self, routes: Sequence[Route]) -> None:
        """Answer *routes*; others are not found."""
        connections = ConnectionLimits(
            self._limits.connections, self._limits.connections_per_address
        )
        protocol = partial(BoundedProtocol, connections=connections, limits=self._limits)
        # no proxy_headers: anybody can write a header that names another client
        self._server = _WebServer(
            uvicorn.Config(
                Starlette(routes=routes),
                log_config=None,
                lifespan="off",
                proxy_headers=False,
                http=protocol,  # type: ignore[arg-type]  # it makes one
                timeout_graceful_shutdown=_GOODBYE_S,
                **self._tls,  # type: ignore[arg-type]  # of four of its parameters
            )
        )
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]))

    async def stop(self) -> None:
        """Answer what was asked, and nothing more."""
        self._server.should_exit = True
        await self._task

    def close(self) -> None:
        """Stop listening on a port that was never started."""
        self._listener.close()


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


def _require_usable(certificate: Path, key: Path | None, client_ca: Path | None, name: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
    except OSError as error:
        settings = f"{name}_CERTIFICATE, {name}_KEY or {name}_CLIENT_CA"
        raise CommandError(f"{settings}: {error}") from error


class _WebServer(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
