"""A real service in a process of its own, fed through its port, killed and started again."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

from services.ingest.mllp_client import send_messages

ROOT = Path(__file__).parents[2]
_AEGIS = (sys.executable, "-m", "services.cli.main")
_LISTENING_LINE = re.compile(r"MLLP on port (\d+), HTTP on port (\d+)")


@contextmanager
def enrolled_service(folder, participants):
    """A running service on new data below *folder*, with *participants* (CSV)."""
    file = folder / "participants.csv"
    file.write_bytes(participants)
    service = EmbeddedService(folder / "data")
    service.command("participants", "import", str(file))
    assert service.start()
    try:
        yield service
    finally:
        if service.is_alive():
            service.kill()


class EmbeddedService:
    """``aegis run`` on the data in *folder*; restarted whenever it is dead and needed."""

    def __init__(self, folder, smtp_port=1, study=ROOT / "studies" / "blina-hsct"):
        self.folder = folder
        self.process = None
        self.mllp = self.http = 0
        self.starts = 0
        self._environment = {
            **os.environ,
            "AEGIS_DATA": str(folder),
            "AEGIS_STUDY": str(study),
            "AEGIS_CLOCK": "message",
            "AEGIS_SMTP_HOST": "127.0.0.1",
            "AEGIS_SMTP_PORT": str(smtp_port),
        }

    def command(self, *words, check=True):
        """Run ``aegis WORDS`` on the same data and return what it printed."""
        process = subprocess.run(
            [*_AEGIS, *words],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check:
            assert process.returncode == 0, (
                f"aegis {' '.join(words)}:\n{process.stdout}{process.stderr}"
            )
        return process.stdout if check else process

    def start(self, failpoint=""):
        """Start it; it dies at *failpoint* (``NAME:N``) when there is one."""
        if self.process is not None and not self.process.stdout.closed:
            self._reap()
        environment = self._environment | ({"AEGIS_FAILPOINT": failpoint} if failpoint else {})
        with (self.folder.parent / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_AEGIS, "run", "--mllp-port=0", "--http-port=0"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.starts += 1
        line = self.process.stdout.readline()
        match = _LISTENING_LINE.search(line)
        if match:
            self.mllp, self.http = int(match[1]), int(match[2])
        return bool(match)

    def kill(self):
        """Kill it at once, as ``kill -9`` does."""
        self.process.send_signal(signal.SIGKILL)
        self._reap()

    def stop(self):
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        self._reap()
        return self.process.returncode

    def is_alive(self):
        """Return True while it runs."""
        return self.process is not None and self.process.poll() is None

    def feed(self, messages, from_number):
        """Send *messages* from a number on; return how many are acknowledged in all."""
        acknowledged_count = from_number
        with suppress(OSError):
            for answer in send_messages(
                "127.0.0.1", self.mllp, messages[from_number:], timeout_s=20
            ):
                assert answer.code == "AA", answer.ack
                acknowledged_count += 1
        return acknowledged_count

    def _reap(self):
        self.process.wait(30)
        self.process.stdout.close()
