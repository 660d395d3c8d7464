"""Refused messages: a row for each message that was answered AR."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refused_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.String(27), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("control_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refused_message"),
    )
    op.create_index("ix_refused_message_refused_at", "refused_message", ["refused_at"])
