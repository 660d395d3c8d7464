"""The servers of `make up` and of the tests keep their data, and give back their port."""

import re

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer

from deploy.local.places import free_port, is_free
from deploy.local.postgres import Postgres
from services.runtime.topic_names import ALERTS, FACTS
from tests.helpers.servers import open_admin_client, skip_without_server

pytestmark = pytest.mark.server


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_postgres_started_again_has_its_rows_on_the_same_port(postgres, end):
    with psycopg.connect(postgres.url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    getattr(postgres.server, end)()
    assert is_free(postgres.server.port)
    postgres.server.start()
    assert postgres.query("SELECT number FROM kept") == [(7,)]


def test_postgres_starts_below_a_home_that_keeps_others_out(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    with skip_without_server():
        server = Postgres(tmp_path / "home" / "postgres", free_port(), durable=False)
    try:
        assert server.start().is_ready()
        with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("aegis",)
    finally:
        server.erase()
    assert not server.data.exists()


def test_nobody_enters_postgres_without_its_password(postgres):
    url = postgres.url.replace("+psycopg", "")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(re.sub(r":[^:@/]+@", ":guessed@", url))


def test_each_test_has_a_migrated_database_without_rows(postgres):
    assert postgres.query("SELECT count(*) FROM fact") == [(0,)]
    assert postgres.query("SELECT version_num FROM alembic_version")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_kafka_started_again_has_its_records_on_the_same_port(kafka, end):
    with KafkaProducer(bootstrap_servers=kafka.servers) as producer:
        producer.send(FACTS, b"kept").get(60)
    getattr(kafka, end)()
    assert is_free(kafka.port)
    kafka.start()
    consumer = KafkaConsumer(
        FACTS,
        bootstrap_servers=kafka.servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=60_000,
    )
    try:
        assert next(consumer).value == b"kept"
    finally:
        consumer.close()


def test_each_test_finds_the_topics_of_aegis_empty(kafka):
    with open_admin_client(kafka) as admin:
        partitions = {t["name"]: len(t["partitions"]) for t in admin.describe_topics()}
    assert partitions[FACTS] == 12
    assert partitions[ALERTS] == 4
    consumer = KafkaConsumer(bootstrap_servers=kafka.servers)
    try:
        parts = consumer.partitions_for_topic(FACTS)
        assert len(parts) == 12
    finally:
        consumer.close()
