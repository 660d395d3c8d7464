"""Servers and workers of one installation: all started in order, all ended in the reverse."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from deploy.local.kafka import Kafka
from deploy.local.places import free_port, is_free
from deploy.local.postgres import OWNER, Postgres
from deploy.local.program import ServerError, run_program
from deploy.local.workers import AEGIS, ROLES, Role, Worker

_ROOT = Path(__file__).parent.parent.parent
_SERVERS = {"postgres": 15432, "kafka": 19092}


class Process(Protocol):
    """A part of an installation that is started and ended."""

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""

    @property
    def log(self) -> Path:
        """The file of its output."""

    def begin(self) -> None:
        """Let it start."""

    def start(self) -> object:
        """Start it and wait until it is ready."""

    def stop(self) -> None:
        """Stop it and wait until it has ended."""


class Installation:
    """PostgreSQL, Kafka and the workers of Aegis on this machine, everything in one folder."""

    def __init__(self, folder: Path, roles: Sequence[Role] = ROLES) -> None:
        """Prepare an installation in *folder*, on the ports that it had before.

        Raises:
            UnavailableError: A server is not installed.
        """
        self.folder = folder.absolute()
        self._roles = roles
        self.ports = self._choose_ports()
        self.postgres = Postgres(self.folder / "postgres", self.ports["postgres"])
        self.kafka = Kafka(self.folder / "kafka", self.ports["kafka"])
        self._servers: dict[str, Process] = {"postgres": self.postgres, "kafka": self.kafka}
        self._workers: dict[str, Process] = {
            role.name: Worker(role, self.folder / "log", self.ports, self.environment)
            for role in roles
        }

    def environment(self, login: str = OWNER) -> dict[str, str]:
        """Return the settings with which a command of Aegis finds this installation.

        *login* is a service's, or that of the owner of the tables, for the commands of people.
        What the environment of this process says otherwise stands, except where things are.
        """
        board = {"AEGIS_BOARD_DATABASE_URL": self.postgres.login_url("board")}
        return (board if login == "console" else {}) | {
            "AEGIS_DATABASE_URL": self.postgres.login_url(login),
            "AEGIS_KAFKA": self.kafka.servers,
            "AEGIS_DATA": str(self.folder / "data"),
            "AEGIS_STUDY": os.environ.get("AEGIS_STUDY", str(_ROOT / "studies" / "blina-hsct")),
            "AEGIS_PUBLIC_URL": os.environ.get(
                "AEGIS_PUBLIC_URL", f"http://127.0.0.1:{self.ports.get('alerts', 8083)}"
            ),
        }

    def start(self) -> Iterator[tuple[str, str]]:
        """Start what does not run; yield each name, and where it listens, when it is ready.

        Raises:
            ServerError: One cannot start. What was started here before it runs on.
        """
        self._keep_ports()
        yield from self._start_each(self._servers)
        self.postgres.make_logins()
        self._write_environment()
        self.command("migrate")
        self.command("topics", "--create")
        yield from self._start_each(self._workers)

    def _start_each(self, processes: Mapping[str, Process]) -> Iterator[tuple[str, str]]:
        for process in processes.values():  # beside each other
            process.begin()
        for name, process in processes.items():
            process.start()
            yield name, self._place(name)

    def stop(self) -> Iterator[tuple[str, str]]:
        """End what runs, the last first; yield each name, and what there is to say."""
        for name, process in reversed(self._processes()):
            if process.pid is None:
                continue
            try:
                process.stop()
            except ServerError as error:
                yield name, str(error)
            else:
                yield name, "stopped"

    def status(self) -> Iterator[tuple[str, int | None, str, Path]]:
        """Yield the name, the process (None: it does not run), the place and the log of each."""
        for name, process in self._processes():
            yield name, process.pid, self._place(name), process.log

    def command(self, *words: str) -> str:
        """Run ``aegis WORDS`` on this installation and return what it printed.

        Raises:
            ServerError: It failed; says what it said.
        """
        try:
            return run_program(
                [*AEGIS, *words], cwd=_ROOT, env={**os.environ, **self.environment()}
            )
        except ServerError as error:
            raise ServerError(f"aegis {' '.join(words)}: {error}") from error

    def _processes(self) -> list[tuple[str, Process]]:
        if not self._ports_file.exists():  # nothing was ever started
            return []
        return [*self._servers.items(), *self._workers.items()]

    def _place(self, name: str) -> str:
        place = f"127.0.0.1:{self.ports[name]}"
        for role in self._roles:
            if role.name == name:
                mllp = f", MLLP on 127.0.0.1:{self.ports['mllp']}" if role.mllp_port else ""
                return f"http://{place}{mllp}"
        return place

    @property
    def _ports_file(self) -> Path:
        return self.folder / "ports.json"

    def _choose_ports(self) -> dict[str, int]:
        preferred_ports = _SERVERS | {role.name: role.http_port for role in self._roles}
        if takes := [role.mllp_port for role in self._roles if role.mllp_port]:
            preferred_ports["mllp"] = takes[0]
        ports = json.loads(self._ports_file.read_text()) if self._ports_file.exists() else {}
        return {
            name: ports.get(name) or (port if is_free(port) else free_port())
            for name, port in preferred_ports.items()
        }

    def _keep_ports(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports_file.write_text(json.dumps(self.ports, indent=1) + "\n")

    def _write_environment(self) -> None:
        """Let a shell have the same settings; the URL holds a password."""
        file = self.folder / "environment"
        file.touch(mode=0o600)
        lines = (f"export {name}='{value}'\n" for name, value in self.environment().items())
        file.write_text("".join(lines))
