"""Databases as earlier releases wrote them; each key is made from its name.

``releases/0001.ndjson`` is of the first release: a small trial with a merge. ``0003.ndjson`` is of
revision caa800d, the last whose ``rules_version`` was a hash of source text: two participants, with
a correction. ``0010.ndjson`` is of the last that stored numbers and words of sites as they came:
orders, a visit, what was parked and what was refused. All are sealed. One row to a line, bytes in
base64.
"""

import base64
import json
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

RELEASES = Path(__file__).parents[1] / "releases"
FAMILY = ("P-003", "P-004")  # one person, registered twice
_MIGRATIONS = Path(__file__).parents[2] / "migrations"


def keys_in(folder):
    """Write to *folder* the keys that the rows were written with."""
    folder.mkdir(parents=True, mode=0o700)
    for name in ("identity", "seal", "encryption-0001"):
        file = folder / f"{name}.key"
        file.touch(0o600)
        file.write_text(sha256(f"test {name}".encode()).hexdigest() + "\n")


def restore(url, revision="0001"):
    """Fill the empty database at *url* with the rows that code of *revision* wrote."""
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        tables = sa.MetaData()
        tables.reflect(connection)
        rows = {}
        for line in (RELEASES / f"{revision}.ndjson").read_text().splitlines():
            entry = json.loads(line)
            rows.setdefault(entry["table"], []).append(entry["row"])
        for name, table_rows in rows.items():
            table = tables.tables[name]
            connection.execute(sa.insert(table), [_read_row(table, row) for row in table_rows])
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('audit_id_seq', (SELECT max(id) FROM audit))")
    engine.dispose()


def _read_row(table, row):
    return {name: _value(table.c[name].type, value) for name, value in row.items()}


def _value(kind, value):
    match kind:
        case sa.LargeBinary():
            return base64.b64decode(value)
        case sa.Boolean():
            return bool(value)
    return value
