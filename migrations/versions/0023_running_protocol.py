"""The view of the study shows the protocol that runs, also when an earlier one runs again."""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql((_VIEWS / revision / "01_study.sql").read_text())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        earlier_view = (_VIEWS / "0003" / "01_study.sql").read_text()
        replacement = earlier_view.replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
        op.get_bind().exec_driver_sql(replacement)
