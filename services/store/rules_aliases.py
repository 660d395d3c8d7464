"""The version of the rules that stands today for the one that a row was written with."""

from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from services.store.tables import rules_alias


def version_of(table: Table) -> ColumnElement[str]:
    """Return the ``rules_version`` of *table*, by the name that it has today."""
    alias = rules_alias.c
    stored = table.c.rules_version
    query = select(alias.stands_for).where(alias.version == stored)
    return func.coalesce(query.correlate(table).scalar_subquery(), stored)


def columns_of(table: Table) -> list[ColumnElement[Any]]:
    """Return the columns of *table* to select, with `version_of` it as ``rules_version``."""
    version = version_of(table).label("rules_version")
    return [version if column.name == "rules_version" else column for column in table.c]
