"""The current name of the version of the rules by which a row was written."""

from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from services.store.tables import rules_alias


def select_rules_version(table: Table) -> ColumnElement[str]:
    """Return the ``rules_version`` of *table* as an expression, by its current name."""
    alias = rules_alias.c
    stored_version = table.c.rules_version
    query = select(alias.stands_for).where(alias.version == stored_version)
    return func.coalesce(query.correlate(table).scalar_subquery(), stored_version)


def list_columns(table: Table) -> list[ColumnElement[Any]]:
    """Return the columns of *table* to select; ``rules_version`` is by its name of today."""
    version = select_rules_version(table).label("rules_version")
    return [version if column.name == "rules_version" else column for column in table.c]
