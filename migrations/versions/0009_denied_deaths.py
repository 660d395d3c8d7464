"""The view of the standing facts knows deaths that were denied, and what no result is about."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_FILE = "03_standing_fact.sql"
_VIEWS = Path(__file__).parent.parent / "views"


def upgrade() -> None:
    _replace_view((_VIEWS / revision / _FILE).read_text())


def downgrade() -> None:
    _replace_view((_VIEWS / "0007" / _FILE).read_text())


def _replace_view(definition: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(definition)
