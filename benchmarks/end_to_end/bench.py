"""One installation under load: fed, watched, and its rules started and stopped."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from kafka import KafkaConsumer, TopicPartition

from benchmarks.end_to_end.feed import USUALLY, Shape, infusions, messages, registration
from benchmarks.end_to_end.senders import send_all
from deploy.local.installation import Installation
from deploy.local.places import free_port
from deploy.local.workers import ROLES, Role, Worker
from services.runtime.topic_names import FACTS

SETTLE_S = 900.0
WITHOUT_RULES = tuple(role for role in ROLES if role.name != "rules")
_MADE_BY_RULES = (
    "participant_state",
    "participant_advice",
    "episode",
    "standing",
    "timer",
    "decision",
    "study_state",
    "alert",
)


@dataclass(slots=True)
class Bench:
    """An installation that runs, without its rules.

    Args:
        installation: Running.
        participants: How many take part.
        folder: For files.
    """

    installation: Installation
    participants: int
    folder: Path
    rules: list[Worker] = field(default_factory=list)
    _sent_count: int = 0  # messages with results
    _clock_time: datetime = field(default_factory=lambda: datetime.now(tz=UTC))

    def __post_init__(self) -> None:
        people = self.folder / "participants.csv"
        people.write_text(registration(Shape(self.participants, 1), self._clock_time))
        self.installation.command("participants", "import", str(people))
        send_all(self.mllp, list(infusions(Shape(self.participants, 1), self._clock_time)), 1)

    @property
    def url(self) -> str:
        """The address of the database, for psycopg."""
        return self.installation.postgres.url().replace("+psycopg", "")

    @property
    def mllp(self) -> int:
        """The port that messages are sent to."""
        return self.installation.ports["mllp"]

    def build_messages(
        self, facts: int, results: int, severe: Collection[int] = USUALLY
    ) -> list[bytes]:
        """Return the next messages with *results* each, about *facts* in all: `feed.messages`."""
        numbers = range(self._sent_count, self._sent_count + facts // results)
        self._sent_count = numbers.stop
        return list(messages(Shape(self.participants, results), numbers, self._clock_time, severe))

    def start_rules(self, workers: int = 1) -> None:
        """Let so many workers of the rules run."""
        for number in range(workers):
            name = f"rules-{number + 1}"
            role = Role(name, ("run", "rules"), 0)
            ports = {name: free_port()}
            worker = Worker(role, self.folder / "log", ports, self._find_rules_environment)
            worker.begin()
            self.rules.append(worker)

    def _find_rules_environment(self, _name: str) -> Mapping[str, str]:
        """Return the environment of each worker of the rules: they share one login."""
        return self.installation.environment("rules")

    def stop_rules(self) -> None:
        """Let none run."""
        for worker in self.rules:
            worker.stop()
        self.rules.clear()

    def forget_results(self) -> None:
        """Let the journal be as if nobody had folded it; rules must not run."""
        with psycopg.connect(self.url) as connection:
            connection.execute(f"TRUNCATE {', '.join(_MADE_BY_RULES)}")

    def count_waiting(self) -> int:
        """Return the number of facts that are not folded."""
        return self._number(
            "SELECT coalesce(sum(p.last_seq - coalesce(s.folded_through, 0)), 0)"
            " FROM participant p LEFT JOIN participant_state s USING (subject)"
        )

    def wait_until_folded(self) -> list[tuple[float, int]]:
        """Return once every fact is folded: how many waited, and when (seconds), on the way.

        Raises:
            TimeoutError: That takes too long.
        """
        counts: list[tuple[float, int]] = []
        until_s = time.monotonic() + SETTLE_S
        while not counts or counts[-1][1]:
            if time.monotonic() > until_s:
                raise TimeoutError(f"{counts[-1][1]} facts are still not folded: see the logs")
            counts.append((time.perf_counter(), self.count_waiting()))
            time.sleep(0.05)
        return counts

    def wait_until_notified(self) -> None:
        """Return once no notice of an alert waits to be sent."""
        while self._number("SELECT count(*) FROM delivery WHERE next_attempt_at IS NOT NULL"):
            time.sleep(0.5)

    def wait_until_announced(self) -> None:
        """Return once the relay has carried everything on."""
        while self._number("SELECT count(*) FROM outbox"):
            time.sleep(0.05)

    def last_audited(self) -> int:
        """Return the id of the last row of the audit trail."""
        return self._number("SELECT coalesce(max(id), 0) FROM audit")

    def records_on_topic(self) -> int:
        """Return the number of records on the topic of facts."""
        with closing(KafkaConsumer(bootstrap_servers=self.installation.kafka.servers)) as reader:
            parts = [TopicPartition(FACTS, p) for p in reader.partitions_for_topic(FACTS) or ()]
            return sum(reader.end_offsets(parts).values())

    def time_reader(self, reader: str, records: int) -> float:
        """Return in how many seconds another reader had *records*; see `readers`."""
        command = [sys.executable, "-m", "benchmarks.end_to_end.readers", reader]
        result = subprocess.run(  # noqa: S603 - the program is this one
            [*command, self.installation.kafka.servers, str(records)],
            env={**os.environ, **self.installation.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"{reader}: {result.stderr[-2000:]}")
        return float(result.stdout.splitlines()[-1])

    def processes(self) -> dict[str, int]:
        """Return the process of each server and worker that runs."""
        rules = {f"rules {at}": worker.pid for at, worker in enumerate(self.rules, 1)}
        workers = {name: pid for name, pid, *_ in self.installation.status()}
        return {name: pid for name, pid in (workers | rules).items() if pid is not None}

    def _number(self, query: str) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


def rate(counts: list[tuple[float, int]]) -> float:
    """Return facts per second from the first that was folded to the last.

    Args:
        counts: Of `Bench.wait_until_folded`.

    >>> rate([(0.0, 100), (5.0, 100), (6.0, 50), (7.0, 0)])
    50.0
    """
    first = next(at for at, (_, left) in enumerate(counts) if left < counts[0][1])
    began_s, facts = counts[max(0, first - 1)]
    return facts / (counts[-1][0] - began_s)
