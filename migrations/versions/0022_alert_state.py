"""The state of each alert, as the alerts service finds it, and the view that shows it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views"


def upgrade() -> None:
    op.create_table(
        "alert_state",
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("missing_people", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("alert", name="pk_alert_state"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql((_VIEWS / revision / "01_alert.sql").read_text())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        earlier_view = (_VIEWS / "0003" / "06_alert.sql").read_text()
        replacement = earlier_view.replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
        op.get_bind().exec_driver_sql(replacement)
    op.drop_table("alert_state")
