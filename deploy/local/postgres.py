"""A PostgreSQL cluster of its own, on the loopback address."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self

from deploy.local.places import enterable, program
from deploy.local.program import Program, rights, run_program
from deploy.make_secrets import list_secrets, write_secret

ROLE = "aegis"
OWNER = "owner"  # of the tables: it migrates, and runs the commands of people
_LOGINS_SQL = Path(__file__).parent.parent / "postgres" / "logins.sql"
_BINARIES, _PACKAGE = "/usr/lib/postgresql/*/bin", "postgresql"


class Postgres:
    """A cluster in a folder, with the database ``aegis`` and the superuser ``aegis``.

    PostgreSQL refuses to run as root: then it runs as ``postgres``, or ``nobody``.
    """

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        """Prepare a cluster in *folder* that listens on *port*; nothing is touched yet.

        Args:
            folder: Of the data, the password and the log.
            port: Of the loopback address.
            durable: False: a commit is not forced to the disk (for tests: it survives a killed
                server, not a lost machine).

        Raises:
            UnavailableError: PostgreSQL is not installed.
        """
        self.port = port
        self.folder = folder.absolute()
        self._user = _as_unprivileged()
        self.data = (enterable(folder) if self._user else self.folder) / "data"
        self._program = Program(
            "postgres",
            [
                program("postgres", _PACKAGE, _BINARIES),
                *("-D", str(self.data), "-p", str(port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *("-c", "max_connections=200", "-c", f"fsync={'on' if durable else 'off'}"),
            ],
            self.folder,
            user=self._user,
            asks_to_stop=signal.SIGINT,  # SIGTERM would wait for every client to leave
        )

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        return self._program.pid

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self._program.log

    def url(self, database: str = ROLE) -> str:
        """Return the URL of *database*, for ``AEGIS_DATABASE_URL``."""
        return f"postgresql+psycopg://{ROLE}:{self._password}@127.0.0.1:{self.port}/{database}"

    def make_logins(self, database: str = ROLE) -> None:
        """Let there be the logins of ``deploy/postgres/logins.sql``, each with its password.

        Raises:
            ServerError: They cannot be made.
        """
        self._secrets.mkdir(mode=0o700, exist_ok=True)
        for name in list_secrets(_LOGINS_SQL.read_text()):
            if not (self._secrets / name).exists():
                write_secret(self._secrets / name)
        self._run_psql("-d", database, "-q", "-f", str(_LOGINS_SQL))

    def login_url(self, login: str, database: str = ROLE) -> str:
        """Return the URL of *database* for ``aegis_LOGIN``, which `make_logins` has made."""
        password = (self._secrets / f"database_{login}_password").read_text().strip()
        return f"postgresql+psycopg://{ROLE}_{login}:{password}@127.0.0.1:{self.port}/{database}"

    def begin(self) -> None:
        """Let it start; a folder without a cluster gets one. See `start`."""
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._program.start()

    def start(self) -> Self:
        """Let it accept connections, and return when it does.

        Raises:
            ServerError: It cannot; says where to look.
        """
        self.begin()
        self._program.wait_until(self.is_ready, 120)
        if not self._says("SELECT 1 FROM pg_database WHERE datname = 'aegis'"):
            self._says(f"CREATE DATABASE {ROLE}")
        return self

    def is_ready(self) -> bool:
        """Return True when it accepts connections."""
        answer = ("-q", "-h", "127.0.0.1", "-p", str(self.port))
        return subprocess.run([_binary("pg_isready"), *answer], check=False).returncode == 0

    def stop(self) -> None:
        """End it: clients are sent away, everything is written."""
        self._program.stop()

    def kill(self) -> None:
        """Kill it where it stands."""
        self._program.kill()

    def erase(self) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self.data.parent, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _password(self) -> str:
        return (self.folder / "password").read_text().strip()

    def _create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        home = self.data.parent
        home.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)  # half of a cluster
        options = home / "initdb-password"
        for path in (self.folder / "password", options):
            path.unlink(missing_ok=True)
        write_secret(self.folder / "password")
        write_secret(options, self._password)
        self.data.mkdir(mode=0o700)
        if self._user:
            home.chmod(0o755)
            for path in (self.data, options):
                shutil.chown(path, self._user)
        command = [
            _binary("initdb"),
            *("-D", str(self.data), "--username", ROLE, "--pwfile", str(options)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
        ]
        run_program(command, cwd="/", **rights(self._user))  # its user may not be in ours
        options.unlink()

    @property
    def _secrets(self) -> Path:
        return self.folder / "secrets"

    def _says(self, sql: str) -> str:
        return self._run_psql("-d", "postgres", "-Atq", "-c", sql)

    def _run_psql(self, *words: str) -> str:
        """Run psql as the superuser, and return what it printed."""
        place = ("-h", "127.0.0.1", "-p", str(self.port), "-U", ROLE)
        environment = {
            **os.environ,
            "PGPASSWORD": self._password,
            "SECRETS": str(self._secrets),
        }
        return run_program([_binary("psql"), "-X", *place, *words], env=environment)


def _binary(name: str) -> str:
    return program(name, _PACKAGE, _BINARIES)


def _as_unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
