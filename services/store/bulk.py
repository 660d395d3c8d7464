"""Many rows at once: COPY on PostgreSQL, one INSERT otherwise; many keys in parts of a query."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    any_,
    insert,
    literal,
)
from sqlalchemy.exc import DBAPIError

_KEYS_AT_ONCE = 500  # a query of more has too many parameters
COPY_FROM = 20  # rows; INSERT is faster for fewer

Row = Mapping[str, object]
T = TypeVar("T")
OrderedT = TypeVar("OrderedT", str, int)
_ValueWriter = Callable[[Any], Any]


def insert_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert *rows*, which all have the same columns, into *table*.

    Raises:
        sqlalchemy.exc.IntegrityError: One of them exists already.
    """
    if conn.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        _copy(conn, table, rows)
    elif rows:
        conn.execute(
            insert(table).inline(), [dict(row) for row in rows]
        )  # no generated id is fetched


def insert_if_new(conn: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert those of *rows* whose key does not exist; return their number."""
    if not rows:
        return 0
    dialect = import_module(f"sqlalchemy.dialects.{conn.dialect.name}")  # the other costs time
    statement = dialect.insert(table).on_conflict_do_nothing()
    counting_statement = statement.execution_options(
        preserve_rowcount=True
    )  # SQLAlchemy drops it for INSERT otherwise
    return int(conn.execute(counting_statement, [dict(row) for row in rows]).rowcount)


def _copy(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    names = tuple(rows[0])
    writers = _find_value_writers(table, names, conn.dialect)
    columns = ", ".join(f'"{name}"' for name in names)
    driver = cast("Any", conn.connection.driver_connection)
    dbapi = cast("Any", conn.dialect.dbapi)  # psycopg: not imported, for SQLite goes without it
    statement = f'COPY "{table.name}" ({columns}) FROM STDIN'
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as sink:
            for row in rows:
                sink.write_row(
                    [
                        row[name] if to_text is None else to_text(row[name])
                        for name, to_text in zip(names, writers, strict=True)
                    ]
                )
    except dbapi.Error as error:
        raise DBAPIError.instance(statement, None, error, dbapi.Error) from error


@lru_cache(maxsize=64)
def _find_value_writers(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[_ValueWriter | None, ...]:
    """Return for each column the function that converts its values for the driver."""

    def find_writer(column: Column[Any]) -> _ValueWriter | None:
        writer = column.type.dialect_impl(dialect).bind_processor(dialect)
        return cast("_ValueWriter | None", writer)

    return tuple(find_writer(table.c[name]) for name in names)


def match_any(
    conn: Connection, column: ColumnElement[OrderedT], values: Iterable[OrderedT]
) -> list[ColumnElement[bool]]:
    """Return conditions that *column* is one of *values*, each for a query of its own.

    On PostgreSQL it is one, with an array: a list would be as many parameters, each to be parsed,
    and for each length another statement.
    """
    in_order = sorted(values)
    if conn.dialect.name != "postgresql":
        return [column.in_(part) for part in split_into_parts(in_order)]
    return [column == any_(literal(in_order, ARRAY(column.type)))] if in_order else []


def split_into_parts(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """Return *values* in parts short enough for one query."""
    return (values[at : at + _KEYS_AT_ONCE] for at in range(0, len(values), _KEYS_AT_ONCE))
