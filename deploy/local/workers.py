"""The processes of Aegis that run beside each other: one table."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.places import says_ok
from deploy.local.program import Program

Settings = Mapping[str, str]  # environment variables

AEGIS = (sys.executable, "-m", "services.cli.main")


@dataclass(frozen=True, slots=True)
class Role:
    """A process to run: ``aegis WORDS``.

    Args:
        name: What its log and pid file are called.
        words: After ``aegis``.
        http_port: Of its health, metrics and pages, unless something else is there already.
        mllp_port: Where sites send to; None: it takes no messages.
    """

    name: str
    words: tuple[str, ...]
    http_port: int
    mllp_port: int | None = None


# In the order in which they start: what was taken finds somebody to work on it.
ROLES = (
    Role("console", ("run", "console"), 8084),
    Role("alerts", ("run", "alerts"), 8083),
    Role("rules", ("run", "rules"), 8082),
    Role("relay", ("run", "relay"), 8081),
    Role("ingest", ("run", "ingest"), 8080, mllp_port=2575),
)


class Worker:
    """A process of Aegis, which is ready when its own health page says so."""

    def __init__(
        self,
        role: Role,
        folder: Path,
        ports: Mapping[str, int],
        environment: Callable[[str], Settings],
    ) -> None:
        """Prepare the process of *role*, with its log in *folder*.

        Args:
            role: From `ROLES`.
            folder: Of its log and pid file.
            ports: By name: that of the role, and ``mllp``.
            environment: From its name to its environment, asked for when it starts.
        """
        self.port = ports[role.name]
        self._name = role.name
        self._environment = environment
        self._listens = {"AEGIS_HTTP_PORT": str(self.port)}
        if role.mllp_port is not None:
            self._listens["AEGIS_MLLP_PORT"] = str(ports["mllp"])
        self._program = Program(role.name, [*AEGIS, *role.words], folder)

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        return self._program.pid

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self._program.log

    def begin(self) -> None:
        """Let it start; see `start`."""
        self._program.environment = {**self._environment(self._name), **self._listens}
        self._program.start()

    def start(self) -> Self:
        """Let it work, and return when it is ready.

        Raises:
            ServerError: It cannot; says where to look.
        """
        self.begin()
        self._program.wait_until(self.is_ready, 90)
        return self

    def is_ready(self) -> bool:
        """Return True when it works, or has nothing to do."""
        return says_ok(self.port, "/readyz")

    def stop(self) -> None:
        """Ask it to end, and return when what it began is done."""
        self._program.stop(60)

    def kill(self) -> None:
        """Kill it where it stands."""
        self._program.kill()
