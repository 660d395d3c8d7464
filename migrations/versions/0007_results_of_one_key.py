"""The view of the standing facts knows two results of one key, codes and verified results."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FILE = "03_standing_fact.sql"
_VIEWS = Path(__file__).parent.parent / "views"


def upgrade() -> None:
    _replace_view((_VIEWS / revision / _FILE).read_text())


def downgrade() -> None:
    definition = (_VIEWS / "0003" / _FILE).read_text()
    _replace_view(definition.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))


def _replace_view(definition: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(definition)
