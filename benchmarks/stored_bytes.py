"""The bytes that PostgreSQL holds for each fact of a trial, all tables and indexes, graded.

The floor: the bytes of the messages as the sites sent them, which hold the same facts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from shutil import rmtree

import psycopg

from benchmarks.material import STUDY, Material
from benchmarks.measuring import Measure
from deploy.local.places import free_port
from deploy.local.postgres import Postgres
from services.acts.intake import make_intake
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import migrate
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.ingest.writer import BATCH_SIZE
from services.runtime.store_settings import read_store_settings

_BYTES = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def measures(material: Material) -> list[Measure]:
    """Return the bytes of a fact."""

    @cache
    def count_facts_and_bytes() -> tuple[int, int]:
        with _lend_server(material.folder) as server:
            return _store_trial(material, server)

    def bytes_per_fact() -> float:
        facts, size = count_facts_and_bytes()
        return size / facts

    def bytes_of_messages() -> float:
        return sum(map(len, material.trial.messages)) / count_facts_and_bytes()[0]

    return [Measure("bytes-a-fact", "bytes", bytes_per_fact, {"floor: as sent": bytes_of_messages})]


@contextmanager
def _lend_server(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "postgres", free_port(), durable=False)
    try:
        yield server.start()
    finally:
        server.erase()


def _store_trial(material: Material, server: Postgres) -> tuple[int, int]:
    """Return the number of facts, and the bytes of the database when they are graded."""
    data = material.folder / "bytes"
    context = migrate(
        read_store_settings(
            data=data, database_url=server.url(), keys=None, study=STUDY, clock="message"
        )
    )
    intake = make_intake(context)
    import_participants(intake, material.people, "benchmark")
    messages = material.trial.messages
    for start in range(0, len(messages), BATCH_SIZE):
        intake.accept([Submission(one, "mllp") for one in messages[start : start + BATCH_SIZE]])
    grade_entered_facts(context)
    context.db.close()
    rmtree(data)
    url = server.url().replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL")
        read = partial(_read_number, connection)
        return read("SELECT count(*) FROM fact"), read(_BYTES)


def _read_number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
