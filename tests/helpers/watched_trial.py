"""A running trial on PostgreSQL for tests of dashboards, views and metrics."""

import json
import re
import time
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from services.acts.intake import make_intake
from services.acts.sae_clocks import ClockStart, start_clocks
from services.cli.demo.mail_sink import MailSink
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.cli.shared.open_study import migrate
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.ingest.mllp_client import send_messages
from services.runtime.clock import now_utc
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings
from services.runtime.store_settings import read_store_settings
from services.runtime.topic_names import FACTS
from services.simulator.trial import list_facts, simulate_trial, write_participants_csv
from services.store import alerts, journal, records
from services.store.roles import name_role
from services.vocabulary.operations import ClockKind
from services.vocabulary.person import Actor, Role
from tests.helpers.installation import STUDY

DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{2}:\d{2}")


@dataclass(frozen=True)
class WatchedTrial:
    """A running service over *context*, its database at *url* and its metrics at *metrics_url*."""

    trial: object
    context: object
    url: str
    metrics_url: str

    @contextmanager
    def acting_as(self, audience):
        """Lend a connection with the rights of *audience*, and with no others."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SET jit = off")  # as deploy/grafana/README.md has it for a login
            connection.execute(f"SET ROLE {name_role(audience)}")
            yield connection

    def read_rows(self, audience, sql):
        """Return the rows that *audience* reads."""
        with self.acting_as(audience) as connection:
            return connection.execute(sql).fetchall()

    def metrics(self):
        """Return the page that Prometheus scrapes."""
        with urllib.request.urlopen(self.metrics_url) as answer:  # noqa: S310 - its own port
            return answer.read().decode()


@pytest.fixture(scope="session")
def watched_trial(postgres_server, tmp_path_factory):
    """A trial fed through the real ports, with its records graded and its notices sent."""
    trial = simulate_trial(10, seed=7, days=16)  # so that some are still pending
    folder = tmp_path_factory.mktemp("watched")
    url = postgres_server.url(_new_database(postgres_server))
    settings = read_store_settings(data=folder, study=STUDY, clock="message", database_url=url)
    context = migrate(settings)
    with MailSink(folder / "mails") as sink:
        mails = AlertSettings(smtp_host="127.0.0.1", smtp_port=sink.port)
        service = Service(
            context, ProcessSettings(IngestSettings(mllp_port=0), HttpSettings(http_port=0), mails)
        )
        background = Background(service)
        ports = background.start()
        try:
            _feed(trial, context, ports.mllp)
            _start_clock(context)
            # what the clock of messages, and a service without Kafka, have nothing to say of
            service.metrics.pipeline_latency.labels("graded").observe(1)
            service.metrics.consumer_lag.labels(FACTS, "0").set(0)
            yield WatchedTrial(trial, context, url, f"http://127.0.0.1:{ports.http}/metrics")
        finally:
            background.stop()
    context.db.close()


def _new_database(server):
    name = f"watched_{uuid.uuid4().hex}"
    admin = server.url("postgres").replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    return name


def _feed(trial, context, port):
    intake = make_intake(context)
    import_participants(intake, write_participants_csv(trial).encode(), "test")
    assert all(answer.code == "AA" for answer in send_messages("127.0.0.1", port, trial.messages))
    lines = [
        Submission(json.dumps(one).encode(), "file", form="facts") for one in list_facts(trial)
    ]
    intake.accept(lines)
    _wait_until_told(context)


def _start_clock(context):
    """Let the clock of the worst record run, as the safety officer."""
    with context.db.read() as conn:
        record = max(records.load_latest_episodes(conn), key=lambda one: one.content.worst.at_least)
    start = ClockStart(record, [ClockKind.ONE_DAY], record.recorded_at, "in intensive care")
    officer = Actor("safety", "Sam Ito, MD", Role.SAFETY_OFFICER)
    start_clocks(context.db, officer, start, now_utc())
    _wait_until_told(context)


def _wait_until_told(context):
    deadline = time.monotonic() + 240
    quiet = 0
    while quiet < 3:
        assert time.monotonic() < deadline, "not graded and told in time"
        time.sleep(0.3)
        with context.db.read() as conn:
            busy = journal.count_unhandled(conn) or alerts.count_undelivered(conn)
        quiet = 0 if busy else quiet + 1


def identifiers(body):
    """Yield the identifiers and names of people in a message."""
    for line in re.split(r"[\r\n]+", body):
        fields = [*line.split("|"), "", "", "", "", "", ""]
        if fields[0] in ("PID", "MRG"):
            numbers, name = fields[3] if fields[0] == "PID" else fields[1], fields[5]
            yield from (one.split("^")[0] for one in numbers.split("~"))
            yield from (word for word in name.split("^") if len(word) > 1)
