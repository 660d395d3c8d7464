"""Whatever is done to the database by hand is found, table by table and column by column."""

import json
from contextlib import suppress

import pytest
from sqlalchemy import text

from services.store import audit, tables
from services.store.integrity import find_faults
from services.store.seal_chain import seal_audit_rows
from services.store.vault import Keys
from tests.helpers.fact_notes import hours
from tests.helpers.store import fill, new_database

UNSEALED_TABLES = {
    "outbox",  # says nothing that the journal does not say, and is soon deleted
    "api_key_use",  # of the hour, for operators
    "provider_visit",  # of some minutes, and nothing follows from it that is not audited
    "heartbeat",  # of the minute
}
TABLES = sorted(tables.metadata.tables.keys() - UNSEALED_TABLES)
UNSEALED_COLUMNS = {
    ("participant", "told_until"),  # only orders what comes later
    ("sign_in", "used_at"),  # of the minute
}
COLUMNS = [
    (table, column.name)
    for table in TABLES
    for column in tables.metadata.tables[table].c
    if (table, column.name) not in UNSEALED_COLUMNS
]


@pytest.fixture(scope="module")
def example_database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    db, keys = new_database(folder)
    with db.write() as conn:
        fill(conn, keys)
    yield db, keys
    db.close()


class ChangeUndone(Exception):  # noqa: N818  not an error: takes a change back
    """Ends a transaction whose changes are not wanted."""


@pytest.fixture
def by_hand(example_database):
    """A function that finds the faults left by SQL statements, and then undoes the statements."""
    db, keys = example_database

    def found_after(*statements):
        findings = []
        with suppress(ChangeUndone), db.write() as conn:
            row_counts = [conn.execute(text(statement)).rowcount for statement in statements]
            assert all(row_counts), "the statement changed nothing"
            findings += find_faults(lambda: conn, keys)
            raise ChangeUndone
        return findings

    return found_after


def one_row(table, newest):
    key = tables.metadata.tables[table].primary_key.columns.keys()[0]
    return f"rowid = (SELECT rowid FROM {table} ORDER BY {key} {newest} LIMIT 1)"  # noqa: S608


def test_an_untouched_database_is_in_order(by_hand):
    assert by_hand("UPDATE participant SET site = site") == []


def test_the_example_fills_every_table(example_database):
    with example_database[0].read() as conn:
        counts = {t: conn.scalar(text(f"SELECT count(*) FROM {t}")) for t in TABLES}  # noqa: S608
    assert {table for table, count in counts.items() if count < 2} == set()


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_value_is_found(by_hand, table, column):
    kind = tables.metadata.tables[table].c[column].type.python_type
    other_value = {
        int: f"coalesce({column}, 0) + 7777",
        bool: f"1 - {column}",
        bytes: "x'00'",
    }.get(kind, f"replace(coalesce({column}, '') || 'x', '2026', '2025')")
    update = f"UPDATE {table} SET {column} = {other_value} WHERE {one_row(table, 'ASC')}"  # noqa: S608
    assert by_hand(update)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("row_order", ["ASC", "DESC"])
def test_a_deleted_row_is_found(by_hand, table, row_order):
    if (table, row_order) == ("audit", "DESC"):
        row_order = "ASC"  # the newest one is about a seal and not sealed itself: see below
    assert by_hand(f"DELETE FROM {table} WHERE {one_row(table, row_order)}")  # noqa: S608


KEYS = {  # what a copy of a row must differ in to be another row
    "audit": {"id": "99999"},
    "audit_seal": {"upto": "99999", "since": "99000"},
    "sign_in_attempt": {"id": "99999"},
    "fact": {"seq": "seq + 100", "id": "'other'"},
    "decision": {"id": "'other'", "version": "99"},
    "episode": {"version": "99"},
    "standing": {"version": "99"},
}


@pytest.mark.parametrize("table", TABLES)
def test_an_added_row_is_found(by_hand, table):
    columns = tables.metadata.tables[table].c
    (first, *_) = tables.metadata.tables[table].primary_key.columns.keys()
    differs = KEYS.get(table, {first: "'other'"})
    values = ", ".join(differs.get(column.name, f'"{column.name}"') for column in columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    insertion = f"INSERT INTO {table} ({names}) SELECT {values} FROM {table}"  # noqa: S608
    assert by_hand(f"{insertion} WHERE {one_row(table, 'ASC')}")


HIDDEN_DELETIONS = [  # a row removed together with what was recorded about it
    ("acknowledgement", "id = 'k2'", "k2"),
    ("episode", "id = 'e1' AND version = 2", '["e1",2]'),
    ("raw_message", "id = 'm2'", "m2"),
    ("participant", "subject = 'P-004'", "P-004"),
]


@pytest.mark.parametrize(("table", "row_order", "key"), HIDDEN_DELETIONS)
def test_a_row_deleted_with_its_audit_is_found(by_hand, table, row_order, key):
    assert by_hand(
        f"DELETE FROM {table} WHERE {row_order}",  # noqa: S608
        f"DELETE FROM audit WHERE place = '{table}' AND key = '{key}'",  # noqa: S608
    )


def test_newest_rows_deleted_with_audit_and_seal_leave_the_audit_of_the_seal(by_hand):
    assert by_hand(
        "DELETE FROM participant WHERE subject = 'P-004'",
        "DELETE FROM audit WHERE place = 'participant' AND key = 'P-004'",
        "DELETE FROM audit_seal WHERE upto = (SELECT max(upto) FROM audit_seal)",
    )


def test_a_seal_made_again_without_the_key_is_found(example_database, tmp_path):
    db, keys = example_database
    with suppress(ChangeUndone), db.write() as conn:
        conn.execute(text("DELETE FROM audit WHERE place = 'audit_seal'"))
        conn.execute(text("DELETE FROM audit_seal"))
        seal_audit_rows(conn, Keys.load_or_create(tmp_path / "other-keys"), hours(9))
        assert {finding.place for finding in find_faults(lambda: conn, keys)} == {"audit"}
        raise ChangeUndone


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM alembic_version",
        "UPDATE alembic_version SET version_num = '9999'",
        "INSERT INTO alembic_version VALUES ('9999')",
        "UPDATE lease SET name = 'reign' WHERE name = 'rules'",
        "UPDATE lease SET until = '2036-01-01T00:00:00.000000Z'",
        "UPDATE lease SET until = 'tomorrow'",
        "UPDATE fact SET received_at = 'yesterday' WHERE seq = 1",
        "UPDATE participant SET last_received_at = NULL",
        "UPDATE episode SET retracted = 'perhaps'",
        "UPDATE raw_message SET body = 'text'",
        "UPDATE audit SET key = '[' WHERE place = 'episode'",
    ],
)
def test_impossible_content_is_found_and_not_stumbled_over(by_hand, statement):
    assert by_hand(statement)


def test_nothing_is_sealed_twice(example_database):
    db, keys = example_database
    with db.write() as conn:
        assert seal_audit_rows(conn, keys, hours(9)) is None


def test_the_text_of_a_row_in_the_trail_is_that_of_the_first_release():
    how = audit.find_policy(tables.fact)
    row = {
        "subject": "P-\u2028\x7f\x00\x1f é😀",
        "seq": 2**62,
        "payload": '{"a":"\\u0001\\"/\b\f\n\r\t"}',
        "kind": None,
    }
    filled_columns = {name: value for name, value in row.items() if value is not None}
    text = json.dumps(filled_columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert audit.write_row_text(how, row) == text
