"""Prometheus and Alertmanager of one's own, on the loopback address."""

from pathlib import Path
from typing import Self

from deploy.local.places import program, says_ok
from deploy.local.program import Program


class Watcher:
    """A server that watches, and says on a page of its own when it is ready."""

    def __init__(self, name: str, folder: Path, port: int, options: tuple[str, ...]) -> None:
        """Prepare the program *name*, of the package of that name, with its files in *folder*.

        Raises:
            UnavailableError: It is not installed.
        """
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        command = [program(name, name), *options, f"--web.listen-address=127.0.0.1:{port}"]
        self._program = Program(name, command, folder.absolute())

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        return self._program.pid

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self._program.log

    def start(self) -> Self:
        """Let it work, and return when it does.

        Raises:
            ServerError: It cannot, e.g. for a rule that is none; says where to look.
        """
        self._program.start()
        self._program.wait_until(self.is_ready, 90)
        return self

    def is_ready(self) -> bool:
        """Return True when it answers."""
        return says_ok(self.port, "/-/ready")

    def stop(self) -> None:
        """End it in good order."""
        self._program.stop()


def prometheus(folder: Path, port: int, configuration: Path) -> Watcher:
    """Return a Prometheus with *configuration*; see `services.runtime.metrics`."""
    options = (
        f"--config.file={configuration.absolute()}",
        f"--storage.tsdb.path={folder.absolute() / 'data'}",
        "--web.enable-lifecycle",
    )
    return Watcher("prometheus", folder, port, options)


def alertmanager(folder: Path, port: int, configuration: Path) -> Watcher:
    """Return an Alertmanager with *configuration*."""
    options = (
        f"--config.file={configuration.absolute()}",
        f"--storage.path={folder.absolute() / 'data'}",
        "--cluster.listen-address=",  # alone
    )
    return Watcher("prometheus-alertmanager", folder, port, options)
