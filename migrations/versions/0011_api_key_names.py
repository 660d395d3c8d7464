"""API keys of sites have names, an end, and the time of their last use."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("api_key", sa.Column("expires_at", sa.String(27), nullable=True))
    op.create_table(
        "api_key_use",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("used_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_api_key_use"),
    )
