"""One program in the background: started, found again by its pid file, ended."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PROBE_S = 0.05
_LAST_LINES = 12


class ServerError(Exception):
    """A server does not do what it was told; the message says where to look."""


class UnavailableError(ServerError):
    """A server cannot be had on this machine; the message says what to install."""


@dataclass(slots=True)
class Program:
    """A command that runs on its own, with ``NAME.pid`` and ``NAME.log`` in *folder*.

    Args:
        name: What people call it.
        command: Program and arguments.
        folder: Of its pid file and log; it may be the same as that of other programs.
        environment: On top of that of this process.
        user: Whose rights it has; None: those of this process.
        asks_to_stop: The signal at which it ends in good order.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    asks_to_stop: signal.Signals = signal.SIGTERM
    _child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The file of its output, of every start."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Its process; None when it does not run."""
        if self._child is not None:
            if self._child.poll() is None:
                return self._child.pid
            self._child = None  # somebody else may have started it again
        try:
            pid, started_at = self._pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if _start_time(int(pid)) == started_at else None

    def start(self) -> None:
        """Let it run; nothing happens when it does already.

        Raises:
            UnavailableError: There is no such program.
        """
        if self.pid is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self.log.open("ab") as log:
                self._child = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self.environment},
                    start_new_session=True,  # Ctrl-C in the terminal is not meant for it
                    **rights(self.user),
                )
        except FileNotFoundError as error:
            raise UnavailableError(f"{self.name}: there is no program {self.command[0]}") from error
        self._pid_file.write_text(f"{self._child.pid} {_start_time(self._child.pid)}\n")

    def wait_until(self, is_ready: Callable[[], bool], limit_s: float) -> None:
        """Wait until *is_ready* returns True.

        Raises:
            ServerError: It ended before, or the limit was over.
        """
        deadline = time.monotonic() + limit_s
        while not is_ready():
            if self.pid is None:
                raise ServerError(f"{self.name} ended while starting; {self._last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} not ready in {limit_s:g} s; {self._last_words()}")
            time.sleep(_PROBE_S)

    def stop(self, limit_s: float = 30) -> None:
        """Ask it to end, and return when it has.

        Raises:
            ServerError: It did not within the limit.
        """
        self._end(self.asks_to_stop, limit_s)

    def kill(self) -> None:
        """Kill it where it stands, as ``kill -9`` does, with the processes that it started."""
        pid = self.pid
        children = [] if pid is None else _children(pid)
        self._end(signal.SIGKILL, 30)
        for child in children:  # a server's own: some would otherwise work on for a moment
            _signal(child, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(_start_time(child) for child in children) and time.monotonic() < deadline:
            time.sleep(_PROBE_S)

    def _end(self, number: signal.Signals, limit_s: float) -> None:
        pid = self.pid
        if pid is not None:
            _signal(pid, number)
            deadline = time.monotonic() + limit_s
            while self.pid is not None:
                if time.monotonic() > deadline:
                    raise ServerError(
                        f"{self.name} (process {pid}) still runs {limit_s:g} s after"
                        f" {number.name}; {self._last_words()}"
                    )
                time.sleep(_PROBE_S)
        self._child = None
        self._pid_file.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n  ".join([f"see {self.log}", *lines[-_LAST_LINES:]])


def run_program(command: Sequence[str], **options: Any) -> str:  # noqa: ANN401 (those of subprocess)
    """Run *command* and return its output.

    Raises:
        ServerError: It failed; says what it said.
    """
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if result.returncode:
        raise ServerError(f"{Path(command[0]).name}: {(result.stderr + result.stdout).strip()}")
    return str(result.stdout).strip()


def rights(user: str | None) -> dict[str, Any]:
    """Return the options of `subprocess` that give a program the rights of *user*."""
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _start_time(pid: int) -> str:
    """Return the start time of *pid*, which tells a reused number apart; empty: it has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _start_time_by_ps(pid)
    return "" if state[0] in "ZX" else state[19]


def _start_time_by_ps(pid: int) -> str:
    command = ("ps", "-o", "lstart=", "-p", str(pid))
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    return completed.stdout.strip().replace(" ", "-")


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
