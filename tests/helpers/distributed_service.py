"""The distributed service: one process to each worker, killed, stopped, paused and started again.

A worker is a child of a process that has imported everything already: it starts in a fraction of
the time, and is a process like any other. Leases are short, so that a dead holder is replaced soon.
"""

import os
import re
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from multiprocessing import get_context, parent_process
from pathlib import Path

from services.ingest.mllp_client import send_messages

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "blina-hsct"
KILL_EXIT_CODES = (137, -signal.SIGKILL)  # at a failpoint, and by kill -9
AND = "&&"
ROLES = ("ingest", "relay", "rules", "alerts")
_LISTENING_LINE = re.compile(r"listening: (?:MLLP on port (\d+), )?HTTP on port (\d+)")
_STARTED_S, _ENDED_S = 180, 180
_LEASE_S = 1.5
_IDLE_S = 5  # in a transaction: who is paused there holds rows for so long

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "faust",
        "faust.transport.drivers.aiokafka",
        "faust.transport.drivers.memory",
        "psycopg",
        "services.cli.main",
        "services.cli.process.service",
        "services.runtime.clock",
        "tests.helpers.shared_study",
        "tests.helpers.distributed_service",
    ]
)


def wait_until(holds, limit_s, problem):
    """Return the first true result of *holds*; fail with *problem* after *limit_s* seconds."""
    deadline = time.monotonic() + limit_s
    while not (result := holds()):
        assert time.monotonic() < deadline, problem() if callable(problem) else problem
        time.sleep(0.05)
    return result


class Worker:
    """One process that runs ``aegis WORDS`` and writes its output to the file *log*."""

    def __init__(self, words, environment, log):
        self.words, self.log = words, log
        self._log_start = log.stat().st_size if log.exists() else 0
        self.process = _CONTEXT.Process(target=_run_command, args=(words, environment, str(log)))
        self.process.start()

    def read_log(self):
        """Return the output of this process so far."""
        return self.log.read_bytes()[self._log_start :].decode() if self.log.exists() else ""

    def wait_for(self, words, limit_s=_STARTED_S):
        """Wait until its output has *words*."""
        wait_until(
            lambda: words in self.read_log(),
            limit_s,
            lambda: f"not said: {words}\n{self.read_log()}",
        )

    def ports(self):
        """Return its MLLP and HTTP ports; None when it ended before it listened."""

        def has_started():
            return _LISTENING_LINE.search(self.read_log()) or not self.is_alive()

        wait_until(
            has_started, _STARTED_S, lambda: f"{self.words} does not start:\n{self.read_log()}"
        )
        match = _LISTENING_LINE.search(self.read_log())
        return (int(match[1] or 0), int(match[2])) if match else None

    def is_alive(self):
        """Return True while it runs."""
        return self.process.is_alive()

    def wait_for_log(self):
        """Wait for its end, well or not, and return its output."""
        self.wait_for_exit()
        return self.read_log()

    def signal(self, number):
        """Send it a signal, unless it has just ended."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def wait_for_exit(self, limit_s=_ENDED_S):
        """Wait for its end and return its exit code: negative when a signal ended it."""
        self.process.join(limit_s)
        assert not self.is_alive(), f"{self.words} does not end:\n{self.read_log()[-3000:]}"
        return self.process.exitcode


class Workers:
    """The workers of one study on a database and a Kafka, by name: ``rules``, ``rules-2``, ..."""

    def __init__(self, folder, database, kafka, smtp_port, **settings):
        self.folder = folder
        self.database = database
        self.kafka = kafka
        self.mllp = 0
        self.counts = Counter()  # starts, kills and stops
        self.planned_failpoints = {}  # failpoints of the next lives of a worker, by its name
        self.exit_codes = defaultdict(list)  # exit codes of those that were found dead, by name
        self._alive = {}
        self._commands = 0
        self.environment = {
            "AEGIS_DATA": str(folder / "data"),
            "AEGIS_KEYS": str(folder / "keys"),
            "AEGIS_DATABASE_URL": database.login_url("owner"),
            "AEGIS_KAFKA": kafka,
            "AEGIS_KAFKA_SESSION_S": "2",
            "AEGIS_STUDY": str(STUDY),
            "AEGIS_CLOCK": "message",
            "AEGIS_SMTP_PORT": str(smtp_port),
            "AEGIS_MLLP_PORT": "0",
            "AEGIS_HTTP_PORT": "0",
            "AEGIS_SWEEP_EVERY_S": "0.5",
            "AEGIS_LEFT_BEHIND_S": "1.5",
            "OPENBLAS_NUM_THREADS": "1",
            **settings,
        }

    def __getitem__(self, name):
        return self._alive[name]

    def __contains__(self, name):
        return name in self._alive and self._alive[name].is_alive()

    def begin(self, name, failpoints="", **settings):
        """Start the worker *name* without waiting for it."""
        if not failpoints and self.planned_failpoints.get(name):
            failpoints = self.planned_failpoints[name].pop(0)
        role = name.partition("-")[0]
        walls = {"AEGIS_DATABASE_URL": self.database.login_url(role)}
        if role == "relay":
            walls["AEGIS_KEYS"] = str(self.folder / "no-keys")
        environment = {**self.environment, **walls, **settings, "AEGIS_FAILPOINT": failpoints}
        self.counts["starts"] += 1
        worker = Worker(["run", role], environment, self.folder / f"{name}.log")
        self._alive[name] = worker
        return worker

    def start(self, *names, failpoints=None, **settings):
        """Start the workers *names* (default: one of each role) and wait until they listen.

        *failpoints* is by worker name; a worker that dies while it starts is not waited for.
        """
        workers = [self.begin(n, (failpoints or {}).get(n, ""), **settings) for n in names or ROLES]
        for worker in workers:
            ports = worker.ports()
            if ports and ports[0]:
                self.mllp = ports[0]
        return workers

    def revive(self):
        """Restart every dead worker, with the next of its failpoints."""
        dead = self.dead()
        for name in dead:
            self.exit_codes[name].append(self[name].wait_for_exit())
            self.counts["kills"] += self.exit_codes[name][-1] in KILL_EXIT_CODES
        if dead:
            self.start(*dead)

    def dead(self):
        """The names of those that have ended."""
        return [name for name in self._alive if name not in self]

    def kill(self, name):
        """Kill it where it stands, if it is alive; `revive` counts it."""
        worker = self._alive.get(name)  # which another thread may replace
        if worker is not None and worker.is_alive():
            worker.signal(signal.SIGKILL)
            worker.wait_for_exit()

    def stop(self, *names):
        """Ask each to end, and return the exit codes once they have."""
        names = names or list(self._alive)
        for name in names:
            if name in self:
                self.counts["stops"] += 1
                self[name].signal(signal.SIGTERM)
        codes = {name: self[name].wait_for_exit() for name in names}
        for name in names:
            del self._alive[name]
        return codes

    def forget(self, name):
        """Remove *name*, which has ended, from the workers."""
        self._alive.pop(name).wait_for_exit()

    def end(self):
        """Kill every worker that still runs, paused ones too."""
        for worker in self._alive.values():
            if worker.is_alive():
                worker.signal(signal.SIGKILL)
                worker.wait_for_exit()
        self._alive.clear()

    def ask(self, *words, **settings):
        """Start ``aegis WORDS`` on the same data; `Worker.wait_for_exit` waits for its end."""
        self._commands += 1
        log = self.folder / f"command-{self._commands}.log"
        return Worker(list(words), {**self.environment, **settings}, log)

    def command(self, *words, **settings):
        """Run ``aegis WORDS``, which must succeed, and return its output."""
        command = self.ask(*words, **settings)
        assert command.wait_for_exit(120) == 0, f"aegis {' '.join(words)}:\n{command.read_log()}"
        return command.read_log()

    def feed(self, messages):
        """Send *messages*, and yield each that is acknowledged with AA, until the port is gone."""
        try:
            for answer in send_messages("127.0.0.1", self.mllp, messages, timeout_s=30):
                if answer.code != "AA":
                    return
                yield answer.message
        except OSError:
            return


def _run_command(words, environment, log):
    """Run ``aegis WORDS`` in the child, log to *log*, and end when the parent ends."""
    threading.Thread(target=_end_with, args=(parent_process(),), daemon=True).start()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(descriptor, number)
    for name in [name for name in os.environ if name.startswith("AEGIS_")]:
        del os.environ[name]
    os.environ.update({name: value for name, value in environment.items() if value})
    os.chdir(ROOT)
    _be_impatient()
    _set_clock_ahead(environment.get("CLOCK_AHEAD", ""))
    from services.cli import main  # noqa: PLC0415 (in the child, where it is there)
    from services.cli.shared import open_study  # noqa: PLC0415
    from tests.helpers.shared_study import load  # noqa: PLC0415

    open_study.load_rules = load
    code = 0
    for command in _commands(words):
        code = main.main(command) or code
    sys.exit(code)


def _end_with(parent):
    parent.join()
    os._exit(1)


def _commands(words):
    """``["verify", AND, "replay"]`` as a list of commands."""
    commands = [[]]
    for word in words:
        if word == AND:
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _be_impatient():
    from services.store import held_lease, session  # noqa: PLC0415

    held_lease.FOR_S, held_lease.RENEW_S = _LEASE_S, _LEASE_S / 3
    session._LIMITS["idle_in_transaction_session_timeout"] = f"{_IDLE_S}s"  # noqa: SLF001


def _set_clock_ahead(file):
    """Set this process' clock ahead by the seconds in *file*, read anew each time."""
    if not file:
        return
    from datetime import datetime, timedelta  # noqa: PLC0415

    from services.runtime import clock  # noqa: PLC0415

    class FastClock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=float(Path(file).read_text()))

    clock.datetime = FastClock
