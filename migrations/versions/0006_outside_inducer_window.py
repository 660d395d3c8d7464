"""The view of records says which lie outside the inducer window.

Its columns stay as they are, so what is built upon it and who may read it do, too.
"""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql((_VIEWS / revision / "05_record.sql").read_text())


def downgrade() -> None:
    """Leave the view: earlier versions read it as well."""
