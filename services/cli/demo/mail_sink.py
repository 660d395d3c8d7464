"""A mail server for one machine: keeps what it is given as files, sends nothing on."""

import socket
from pathlib import Path
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_STARTED_WITHIN_S = 60.0  # a busy machine may be slow


class MailSink:
    """Listens on a free port of this machine; each mail becomes ``NNNNN.eml`` in *folder*."""

    def __init__(self, folder: Path) -> None:
        """Keep mails in *folder*, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = _find_free_port()
        self._controller = Controller(
            _MailKeeper(folder),
            hostname="127.0.0.1",
            port=self.port,
            ready_timeout=_STARTED_WITHIN_S,
        )

    @property
    def mails(self) -> list[Path]:
        """The mails that came, in order."""
        return sorted(self.folder.glob("*.eml"))

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Listen no more."""
        self._controller.stop()


def _find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class _MailKeeper:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self._count += 1
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        (self._folder / f"{self._count:05d}.eml").write_bytes(content)
        return "250 kept"
