"""Tables of the facts that do not stand, or not where they came, and of milestones, for the views.

On PostgreSQL, where the views are, the tables begin with what the views of before say; each step
corrects what it finds otherwise. Facts of rare kinds have an index of their own.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views" / revision
_AT_ONCE = 5_000
_RARE = sa.text("kind <> 'observation'")
_AUDIT_COLUMNS = ("at", "actor", "action", "place", "key", "sha256", "detail")

# a fact that counts as the journal has it needs no row
_PLACES = """
SELECT fact.subject, fact.id AS fact, standing.participant,
       coalesce(standing.is_final AND status IN ('I', 'P', 'R', 'S', 'U'), false) AS is_promoted
  FROM fact
 CROSS JOIN LATERAL (SELECT fact.payload::jsonb ->> 'status' AS status) AS reported
  LEFT JOIN watch.standing_fact AS standing ON standing.id = fact.id
 WHERE fact.kind <> 'movement'
   AND (standing.participant IS DISTINCT FROM fact.subject
        OR standing.is_final AND status IN ('I', 'P', 'R', 'S', 'U'))
 ORDER BY fact.subject, fact.id
"""
_MILESTONES = """
SELECT survivor.subject, survivor.participant AS survivor,
       to_char(person.graft_at AT TIME ZONE 'UTC', {instant}) AS graft_at,
       to_char(person.first_infusion_at AT TIME ZONE 'UTC', {instant}) AS first_infusion_at,
       to_char(person.relapsed_at AT TIME ZONE 'UTC', {instant}) AS relapsed_at,
       to_char(person.died_at AT TIME ZONE 'UTC', {instant}) AS died_at
  FROM watch.survivor
  JOIN participant_state ON participant_state.subject = survivor.subject
  JOIN participant
    ON participant.subject = survivor.subject AND participant.study <> survivor.subject
  LEFT JOIN watch.person ON person.participant = survivor.subject
 ORDER BY survivor.subject
""".replace("{instant}", """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")


def upgrade() -> None:
    op.create_index(
        "ix_fact_rare_kind",
        "fact",
        ["kind", "subject"],
        postgresql_where=_RARE,
        sqlite_where=_RARE,
    )
    op.create_table(
        "fact_place",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=True),
        sa.Column("is_promoted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "fact", name="pk_fact_place"),
    )
    op.create_index("ix_fact_place_participant", "fact_place", ["participant"])
    instants = ("graft_at", "first_infusion_at", "relapsed_at", "died_at")
    op.create_table(
        "participant_milestones",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("survivor", sa.Text(), nullable=False),
        *(sa.Column(name, sa.String(27), nullable=True) for name in instants),
        sa.PrimaryKeyConstraint("subject", name="pk_participant_milestones"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL statement_timeout = 0")  # each fact is read once more
        _fill("fact_place", ("subject", "fact"), _PLACES)
        _fill("participant_milestones", ("subject",), _MILESTONES)
        for file in sorted(_VIEWS.glob("*.sql")):
            op.get_bind().exec_driver_sql(file.read_text())
        op.execute("DROP VIEW watch.moved_fact, watch.move")


def _fill(name: str, key: tuple[str, ...], query: str) -> None:
    """Insert what *query* finds into the table *name*, and into the audit trail."""
    rows = [dict(row) for row in op.get_bind().exec_driver_sql(query).mappings()]
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        table = sa.table(name, *map(sa.column, part[0]))
        op.get_bind().execute(sa.insert(table), part)
        audit = sa.table("audit", *map(sa.column, _AUDIT_COLUMNS))
        op.get_bind().execute(sa.insert(audit), [_make_audit_row(name, key, row) for row in part])


def _make_audit_row(place: str, key: tuple[str, ...], row: dict[str, object]) -> dict[str, str]:
    values = [row[name] for name in key]
    content = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in row.items()
        if value is not None
    }
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": "service",
        "action": "inserted",
        "place": place,
        "key": _write(values) if len(key) > 1 else str(values[0]),
        "sha256": hashlib.sha256(_write(content).encode()).hexdigest(),
        "detail": f"migration {revision}",
    }


def _write(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
