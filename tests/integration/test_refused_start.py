"""A worker that cannot do its work says what is wrong, where, and what to do, and ends with 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.places import free_port
from services.runtime.topic_names import FACTS, SITE_EVENTS
from tests.helpers.installation import STUDY
from tests.helpers.servers import make_topics

ROOT = Path(__file__).parent.parent.parent
WORKERS = ("ingest", "relay", "rules")  # which need Kafka; alerts do not


def run_refused(*words, **settings):
    """Run ``aegis WORDS``, which has to end by itself; return what it said."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AEGIS_")
    }
    process = subprocess.run(
        [sys.executable, "-m", "services.cli.main", *words],
        cwd=ROOT,
        env={
            **environment,
            "AEGIS_STUDY": str(STUDY),
            "AEGIS_MLLP_PORT": "0",
            "AEGIS_HTTP_PORT": "0",
        }
        | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 2, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    return process.stderr


@pytest.fixture
def database(postgres, tmp_path):
    """Settings of a migrated database, whose protocol runs."""
    environment = {"AEGIS_DATABASE_URL": postgres.url, "AEGIS_DATA": str(tmp_path)}
    process = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "migrate"],
        cwd=ROOT,
        env={**os.environ, **environment, "AEGIS_STUDY": str(STUDY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return environment


@pytest.mark.server
@pytest.mark.parametrize("worker", WORKERS)
def test_a_broker_that_does_not_answer(database, worker):
    broker = f"127.0.0.1:{free_port()}"
    output = run_refused("run", worker, **database, AEGIS_KAFKA=broker)
    assert f"no broker answers (AEGIS_KAFKA): {broker}: Connection refused" in output
    assert "start it, or name another" in output


@pytest.mark.server
@pytest.mark.parametrize("worker", ["relay", "rules"])
def test_no_broker_at_all(database, worker):
    output = run_refused("run", worker, **database)
    assert "AEGIS_KAFKA names no broker, like 127.0.0.1:9092" in output


@pytest.mark.parametrize("worker", [*WORKERS, "alerts"])
def test_a_database_that_does_not_answer(tmp_path, worker):
    port = free_port()
    output = run_refused(
        *("run", worker),
        AEGIS_DATA=str(tmp_path),
        AEGIS_DATABASE_URL=f"postgresql+psycopg://aegis:secret@127.0.0.1:{port}/aegis",
        AEGIS_KAFKA="127.0.0.1:9",
    )
    assert (
        f"cannot use the database postgresql+psycopg://aegis:***@127.0.0.1:{port}/aegis" in output
    )
    assert "onnection refused" in output
    assert "start it, or name another in AEGIS_DATABASE_URL" in output
    assert "secret" not in output


@pytest.mark.server
@pytest.mark.parametrize(
    ("worker", "topic"), [("rules", FACTS), ("relay", FACTS), ("ingest", SITE_EVENTS)]
)
def test_a_topic_with_other_partitions_than_declared(database, empty_kafka, worker, topic):
    make_topics(empty_kafka, topic, partitions=3)
    output = run_refused("run", worker, **database, AEGIS_KAFKA=empty_kafka.servers)
    assert f"topic {topic} has 3 partitions, and 12 are declared" in output
    assert "see `aegis topics`" in output


@pytest.mark.server
def test_a_topic_that_is_missing(database, empty_kafka):
    output = run_refused("run", "ingest", **database, AEGIS_KAFKA=empty_kafka.servers)
    assert f"there is no topic {SITE_EVENTS}: `aegis topics --create` makes it" in output


@pytest.mark.server
@pytest.mark.parametrize("worker", WORKERS)
def test_checksums_that_would_be_slow(database, tmp_path, worker):
    empty_folder = tmp_path / "without"
    empty_folder.mkdir()
    (empty_folder / "crc32c.py").write_text("raise ImportError('not for this machine')\n")
    output = run_refused(
        *("run", worker),
        **database,
        AEGIS_KAFKA=f"127.0.0.1:{free_port()}",
        PYTHONPATH=f"{empty_folder}",
    )
    assert "the package crc32c is missing" in output
    assert "pip install crc32c" in output


@pytest.mark.parametrize("worker", [*WORKERS, "alerts"])
def test_a_database_in_a_file(tmp_path, worker):
    output = run_refused("run", worker, AEGIS_DATA=str(tmp_path))
    assert "works beside others, which SQLite cannot have" in output
    assert "AEGIS_DATABASE_URL" in output


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AEGIS_KAFKA", "kafka", "a broker is HOST:PORT"),
        ("AEGIS_KAFKA_CA", "/nowhere/ca.pem", "there is no file /nowhere/ca.pem"),
        ("AEGIS_HTTP_PORT", "99999", "must be at most 65535, not '99999'"),
        ("AEGIS_DATABASE_PASSWORD_FILE", "/nowhere/secret", "there is no file /nowhere/secret"),
    ],
)
def test_a_setting_that_cannot_be(tmp_path, name, value, problem):
    output = run_refused("run", **{"AEGIS_DATA": str(tmp_path), name: value})
    assert name in output
    assert problem in output
