"""A Prometheus server of its own, on the loopback address."""

from pathlib import Path
from typing import Self

from deploy.local.places import program, says_ok
from deploy.local.program import Program


class Prometheus:
    """It scrapes and judges what a configuration says, and keeps what it saw in a folder."""

    def __init__(self, folder: Path, port: int, configuration: Path) -> None:
        """Prepare a server in *folder* that listens on *port*; see `services.runtime.metrics`.

        Raises:
            UnavailableError: Prometheus is not installed.
        """
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._program = Program(
            "prometheus",
            [
                program("prometheus", "prometheus"),
                f"--config.file={configuration.absolute()}",
                f"--storage.tsdb.path={folder.absolute() / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-lifecycle",
            ],
            folder.absolute(),
        )

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        return self._program.pid

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self._program.log

    def start(self) -> Self:
        """Let it answer queries.

        Raises:
            ServerError: It cannot, e.g. for a rule that is none; says where to look.
        """
        self._program.start()
        self._program.wait_until(self.is_ready, 30)
        return self

    def is_ready(self) -> bool:
        """Say whether it answers queries."""
        return says_ok(self.port, "/-/ready")

    def stop(self) -> None:
        """End it in good order."""
        self._program.stop()

    def kill(self) -> None:
        """Kill it where it stands."""
        self._program.kill()
