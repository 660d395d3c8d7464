"""The processes of one installation, each in one role, for as long as a command needs them."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from services.cli.command import CommandError

_MLLP = re.compile(r"MLLP on port (\d+)")
_END_S = 60


class Processes:
    """``aegis run ROLE`` for each role, on free ports; ended together.

    Attributes:
        mllp_port: Of the one that takes messages.
    """

    def __init__(self, roles: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Prepare a process of each of *roles*.

        Args:
            roles: In the order in which they start; ended in the reverse.
            environment: Beside that of this process.
            folder: Of their logs.
        """
        self._roles = roles
        self._environment = {**os.environ, **environment}
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self.mllp_port = 0

    def __enter__(self) -> Self:
        """Start them, one after the other.

        Raises:
            CommandError: One does not listen; says where it says why.
        """
        try:
            for role in self._roles:
                self._start(role)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        """Ask each to end, and wait until it has."""
        self._end()

    def require_running(self) -> None:
        """Check that all of them run.

        Raises:
            CommandError: One has ended.
        """
        for role, process in self._processes.items():
            if process.poll() is not None:
                raise CommandError(f"`aegis run {role}` has ended: see {self._make_log_path(role)}")

    def _start(self, role: str) -> None:
        command = [
            *(sys.executable, "-m", "services.cli.main", "run", role),
            *("--mllp-port=0", "--http-port=0"),
        ]
        with self._make_log_path(role).open("w") as log:
            process = subprocess.Popen(  # noqa: S603 - this program, with words of its own
                command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self._processes[role] = process
        first_line = process.stdout.readline() if process.stdout else ""
        if not first_line:
            raise CommandError(f"`aegis run {role}` did not start: see {self._make_log_path(role)}")
        if match := _MLLP.search(first_line):
            self.mllp_port = int(match[1])

    def _end(self) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()

    def _make_log_path(self, role: str) -> Path:
        return self._folder / f"{role}.log"
