"""Many workers: an outbox for the relay, and the families whose rows the journal locks."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.add_column("participant", sa.Column("family", sa.Text(), nullable=True))
    op.add_column("participant", sa.Column("told_until", sa.String(27), nullable=True))
    op.create_index("ix_participant_family", "participant", ["family"])
    _name_families()


def _name_families() -> None:
    """Give participants that merges name together the least of their names as family."""
    conn = op.get_bind()
    fact = sa.table("fact", sa.column("kind"), sa.column("payload"))
    participant = sa.table("participant", sa.column("subject"), sa.column("family"))
    group_of: dict[str, set[str]] = {}
    for payload in conn.scalars(sa.select(fact.c.payload).where(fact.c.kind == "merge")):
        body = json.loads(payload)["body"]
        ends = (body["gone"], body["survivor"])
        family = set().union(*(group_of.get(end, {end}) for end in ends))
        group_of.update(dict.fromkeys(family, family))
    for subject, group in sorted(group_of.items()):
        conn.execute(
            sa.update(participant).where(participant.c.subject == subject).values(family=min(group))
        )
