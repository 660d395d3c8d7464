"""HTTP connections with limits: how many there are, and how long a request may take to arrive."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.cli.process.client_certificates import add_client_certificate
from services.runtime import log
from services.runtime.connection_limits import ConnectionLimits
from services.runtime.limit_settings import LimitSettings

_ANSWER = "HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TIMEOUT, _TOO_MANY = "408 Request Timeout", "503 Service Unavailable"

_log = log.make_logger("aegis")


class BoundedProtocol(H11Protocol):
    """One connection: its header, then its body have to be complete in time.

    The time of a header begins with the connection, or with the first byte of a further request;
    that of a body begins with the end of its header.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - of the library
        connections: ConnectionLimits,
        limits: LimitSettings,
        **named_arguments: Any,  # noqa: ANN401
    ) -> None:
        """Pass the other arguments on to the library's protocol."""
        super().__init__(*arguments, **named_arguments)
        self._connections = connections
        self._deadlines_s: dict[object, float] = {
            h11.IDLE: limits.header_deadline_s,
            h11.SEND_BODY: limits.body_deadline_s,
        }
        self._awaited_part: object = None
        self._timer: asyncio.TimerHandle | None = None
        self._address = ""
        self._is_counted = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or answer that there are too many connections."""
        super().connection_made(transport)
        self.app = add_client_certificate(self.app, transport)
        self._address = self.client[0] if self.client else ""
        self._is_counted = self._connections.open(self._address)
        if self._is_counted:
            self._await_part(h11.IDLE)
        else:
            self._hang_up(_TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; another connection may take the place."""
        self._await_part(None)
        if self._is_counted:
            self._connections.close(self._address)
            self._is_counted = False
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read *data*; nothing of a connection that is being closed."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._await_part(self.conn.their_state)

    def _await_part(self, part: object) -> None:
        """Give *part* of a request its time, unless its time runs already; others take any time."""
        if part is self._awaited_part:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._awaited_part = part
        deadline_s = self._deadlines_s.get(part)
        self._timer = self.loop.call_later(deadline_s, self._time_out) if deadline_s else None

    def _time_out(self) -> None:
        if not self.transport.is_closing():
            _log.warning("request_not_finished", host=self._address)
            self._hang_up(_TIMEOUT)

    def _hang_up(self, status: str) -> None:
        """Close, with *status* as the answer if there was none yet."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_ANSWER.format(status).encode())
        self.transport.close()
