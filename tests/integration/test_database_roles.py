"""Each service may write its own tables and no other; what names people only ingest may read."""

import psycopg
import pytest
from psycopg.errors import DatabaseError, InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from services.store.roles import GRANTS, SERVICES, name_role
from services.store.tables import metadata

TABLES = {table.name: [column.name for column in table.c] for table in metadata.sorted_tables}
TABLES["alembic_version"] = ["version_num"]
PRIVATE = ("raw_message", "identity", "api_key", "api_key_use", "refused_message")

pytestmark = pytest.mark.server


@pytest.fixture
def connection(postgres):
    """A connection of the owner, which may act as any service."""
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as created:
        yield created


def statements(table, columns):
    """Yield each verb with a statement that needs its right and changes no row."""
    yield "SELECT", subject("SELECT count(*) FROM {}", table)
    yield "INSERT", subject("INSERT INTO {} ({}) SELECT NULL WHERE false", table, columns[0])
    yield "DELETE", subject("DELETE FROM {} WHERE false", table)
    for column in columns:
        yield f"UPDATE {column}", subject("UPDATE {} SET {} = NULL WHERE false", table, column)


def subject(text, *names):
    """The statement *text* with *names* in it."""
    return SQL(text).format(*map(Identifier, names))


def is_allowed(connection, statement):
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except InsufficientPrivilege:
        return False
    except DatabaseError:  # allowed, and no row
        return True
    return True


def declared_rights(service):
    """The rights that `GRANTS` gives *service*: (table, verb), an update by its column."""
    results = set()
    for verbs, tables in GRANTS[service].items():
        for table in tables:
            if verbs.startswith("UPDATE ("):
                results.add((table.name, f"UPDATE {verbs.removeprefix('UPDATE (').rstrip(')')}"))
                continue
            for verb in verbs.split(", "):
                columns = TABLES[table.name] if verb == "UPDATE" else [""]
                results |= {(table.name, f"{verb} {column}".strip()) for column in columns}
    return results


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_do_what_is_declared_and_nothing_else(connection, service):
    connection.execute(f'SET ROLE "{name_role(service)}"')
    allowed_rights = {
        (table, verb)
        for table, columns in TABLES.items()
        for verb, statement in statements(table, columns)
        if is_allowed(connection, statement)
    }
    assert allowed_rights == declared_rights(service)


@pytest.mark.parametrize("service", SERVICES)
def test_only_ingest_reads_what_names_people(connection, service):
    connection.execute(f'SET ROLE "{name_role(service)}"')
    may = {table for table in PRIVATE if is_allowed(connection, subject("SELECT 1 FROM {}", table))}
    assert may == (set(PRIVATE) if service == "ingest" else set())


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (a int)",
        "DROP TABLE lease",
        "TRUNCATE outbox",
        "ALTER TABLE fact ADD COLUMN a int",
        "CREATE ROLE somebody",
    ],
)
def test_no_service_changes_the_tables_themselves(connection, service, statement):
    connection.execute(f'SET ROLE "{name_role(service)}"')
    with pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


def test_every_table_has_a_service_that_writes_it():
    written_rows = {
        table
        for service in SERVICES
        for table, verb in declared_rights(service)
        if verb.split()[0] in ("INSERT", "UPDATE", "DELETE")
    }
    # of whoever owns the tables
    by_commands = {
        "alembic_version",
        "api_key",
        "installation_key",
        "protocol_version",
        "rules_alias",
    }
    assert set(TABLES) - written_rows == by_commands
