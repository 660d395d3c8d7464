"""Real servers for tests: PostgreSQL and Kafka, started once, empty for each test.

A server that this machine cannot have fails the test where ``CI`` is set, else skips it.
"""

import os
import shutil
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaAdminClient
from kafka.errors import RetriableError

from deploy.local.kafka import Kafka
from deploy.local.places import free_port, program
from deploy.local.postgres import OWNER, Postgres
from deploy.local.program import UnavailableError
from services.runtime.kafka import create_topics
from services.runtime.settings import KafkaSettings
from services.runtime.topics import load_topics
from services.store import schema
from services.store.session import Database

_TEMPLATE = "migrated"


@contextmanager
def skip_without_server():
    """Skip the test, or fail it in CI, when this machine lacks the server that the block needs."""
    try:
        yield
    except UnavailableError as error:
        if os.environ.get("CI"):
            pytest.fail(f"needed where CI is set: {error}", pytrace=False)
        pytest.skip(f"NOT TESTED: {error}")


class FreshDatabase:
    """A migrated database without rows on *server*, at *url*."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.url = server.url(name)

    def login_url(self, login):
        """The URL with which ``aegis_LOGIN`` (a service, an audience, the owner) connects."""
        return self.server.login_url(login, self.name)

    def query(self, sql, *values):
        """Return the rows of *sql*, in a connection of its own."""
        with _connect(self.server, self.name) as connection:
            result = connection.execute(sql, values)
            return result.fetchall() if result.description else []


@pytest.fixture(scope="session")
def servers_folder():
    """A folder of the servers of this run that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="aegis-servers-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(servers_folder):
    """A cluster with a migrated database to copy from."""
    with skip_without_server():
        server = Postgres(servers_folder / "postgres", free_port(), durable=False)
    try:
        server.start()
        with _connect(server) as connection:
            connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        server.make_logins(_TEMPLATE)
        db = Database.open(server.login_url(OWNER, _TEMPLATE))
        schema.upgrade(db)
        db.close()  # nobody may be connected to what is copied
        yield server
    finally:
        server.erase()


@pytest.fixture
def postgres(postgres_server):
    """A migrated database of this test's own; ``.server`` may be stopped and killed."""
    postgres_server.start()
    with make_database(postgres_server) as database:
        yield database


@contextmanager
def make_database(server):
    """Lend a migrated database without rows, and remove it."""
    name = f"test_{uuid.uuid4().hex}"
    with _connect(server) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield FreshDatabase(server, name)
    server.start()
    with _connect(server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def kafka_server(servers_folder):
    """A broker of this run."""
    with skip_without_server():
        server = Kafka(servers_folder / "kafka", free_port(), short_lived=True)
    try:
        yield server.start()
    finally:
        server.erase()


@pytest.fixture
def empty_kafka(kafka_server):
    """The broker without any topic or consumer group; it may be stopped and killed."""
    kafka_server.start()
    with open_admin_client(kafka_server) as admin:
        deadline = time.monotonic() + 120  # members that died are missed first
        while not _delete_everything(admin):
            assert time.monotonic() < deadline, admin.list_topics()
            time.sleep(0.05)
    return kafka_server


def _delete_everything(admin):
    """Remove all topics and groups; return True when there were none (removals spread slowly)."""
    try:
        topics = [name for name in admin.list_topics() if not name.startswith("__")]
        groups = [group["group_id"] for group in admin.list_groups()]
        if topics:
            admin.delete_topics(topics, raise_errors=False)
        if groups:
            admin.delete_groups(groups)
    except RetriableError:  # a broker that has just begun reads its groups first
        return False
    return not topics and not groups


@pytest.fixture
def kafka(empty_kafka):
    """The broker with the topics of Aegis, all empty; it may be stopped and killed."""
    make_topics(empty_kafka)
    return empty_kafka


def make_topics(server, name="", *, study="", sites=(), **overrides):
    """Create the topics of Aegis on *server*, with one of its own for each of *sites*.

    *overrides* change the declaration of *name*.
    """
    topics_file = load_topics().add_site_topics(study, sites)
    topics = tuple(
        topic.model_copy(update=overrides) if topic.name == name else topic
        for topic in topics_file.topics
    )
    settings = KafkaSettings(kafka=server.servers)
    create_topics(settings, topics_file.model_copy(update={"topics": topics}))


@contextmanager
def open_admin_client(server):
    """Lend an admin client of Kafka."""
    with KafkaAdminClient(bootstrap_servers=server.servers, bootstrap_timeout_ms=60_000) as admin:
        yield admin


@pytest.fixture(scope="session")
def promtool():
    """The path of Prometheus' checker of rules and configurations."""
    with skip_without_server():
        return program("promtool", "prometheus")


@pytest.fixture(scope="session")
def rscript():
    """The program that runs a script in R."""
    with skip_without_server():
        return program("Rscript", "r-base-core")


def _connect(server, database="postgres"):
    url = server.url(database).replace("+psycopg", "")
    return psycopg.connect(url, autocommit=True)
