"""Aliases of the rules' versions from before they followed meaning.

Up to revision caa800d a ``rules_version`` was a hash of source text, criteria and protocol files.
Records keep it, for what was written stays as it was written: ``rules_alias`` names the version
that stands for it since, and whoever reads a version reads that one. So no row changes, none is
recorded twice in the audit trail, and a service of before that still runs beside this migration
may go on writing the old name.

The names that caa800d gave are computed, one for each protocol that this database holds; the rules
of that code are edition 1. What still older code wrote has no alias, and stays of other rules:
its hash cannot be computed from what is stored, and *Rule changes* of 0.1.0 lists what such code
graded otherwise. ``aegis refold`` shows whether that changes anything, and grades it anew.
"""

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sa
import yaml
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CODE = "4e0a89ad03bfaed8b195830e4aee94dcb034a60d1f0fce0da17218022b0fd998"
# table of criteria: sha256 of its files at caa800d, and of their meaning
_CRITERIA = {
    "ctcae-5.0": (
        "f324fe96dd9ba1de42f3fc5d3eb1ed13398aa95839e0cfb60220f90293ca2a0c",
        "c5b34099c0e859e8a91df066b629ea5ca9eaa12efe36b52b0efdb1a6a737a52a",
    ),
    "ctcae-6.0": (
        "814fca135532264dfc4ff6cebcc0cd9d9a7eb38a159f92bcc9bc5c9c10125442",
        "d456bb51a19b3a7a4471667ea5fdc8532c7e396f23777e8dfc68cf1a2cd4c721",
    ),
}


def upgrade() -> None:
    op.create_table(
        "rules_alias",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("stands_for", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_rules_alias"),
    )
    protocol = sa.table("protocol_version", sa.column("sha256"), sa.column("content"))
    query = sa.select(protocol.c.sha256, protocol.c.content).order_by(protocol.c.sha256)
    for sha256, content in op.get_bind().execute(query).all():
        document = yaml.safe_load(content)
        if document["criteria"] in _CRITERIA:
            _name(sha256, document)


def _name(sha256: str, document: dict[str, object]) -> None:
    """Let what caa800d graded by this protocol be of edition 1."""
    files, meaning = _CRITERIA[str(document["criteria"])]
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    row = {
        "version": _version(_CODE, files, sha256),
        "stands_for": _version("edition 1", meaning, hashlib.sha256(text.encode()).hexdigest()),
    }
    alias = sa.table("rules_alias", sa.column("version"), sa.column("stands_for"))
    op.get_bind().execute(sa.insert(alias).values(row))
    _record(row)


def _version(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _record(row: dict[str, str]) -> None:
    """Let the audit trail say that *row* was added."""
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    columns = ("at", "actor", "action", "place", "key", "sha256", "detail")
    audit = sa.table("audit", *map(sa.column, columns))
    entry = {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": "service",
        "action": "inserted",
        "place": "rules_alias",
        "key": row["version"],
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "detail": f"migration {revision}",
    }
    op.get_bind().execute(sa.insert(audit).values(entry))
