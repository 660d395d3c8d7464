"""A database of the first release, with what it wrote: a small trial with a merge, sealed.

``releases/0001.ndjson`` has one row to a line, bytes in base64. Its keys are made of their names.
"""

import base64
import json
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

ROWS = Path(__file__).parent / "releases" / "0001.ndjson"
FAMILY = ("P-003", "P-004")  # one person, registered twice
_MIGRATIONS = Path(__file__).parent.parent / "migrations"


def keys_in(folder):
    """Let *folder* hold the keys that the rows were written with."""
    folder.mkdir(parents=True, mode=0o700)
    for name in ("identity", "seal", "encryption-0001"):
        file = folder / f"{name}.key"
        file.touch(0o600)
        file.write_text(sha256(f"test {name}".encode()).hexdigest() + "\n")


def restore(url):
    """Let the empty database at *url* be what the first release left."""
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        found = sa.MetaData()
        found.reflect(connection)
        rows = {}
        for line in ROWS.read_text().splitlines():
            one = json.loads(line)
            rows.setdefault(one["table"], []).append(one["row"])
        for name, written in rows.items():
            table = found.tables[name]
            connection.execute(sa.insert(table), [_read(table, row) for row in written])
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('audit_id_seq', (SELECT max(id) FROM audit))")
    engine.dispose()


def _read(table, row):
    return {name: _value(table.c[name].type, value) for name, value in row.items()}


def _value(kind, value):
    match kind:
        case sa.LargeBinary():
            return base64.b64decode(value)
        case sa.Boolean():
            return bool(value)
    return value
