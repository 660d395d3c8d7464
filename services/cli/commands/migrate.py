"""``aegis migrate``: the tables, the roles and the protocol of a database, brought up to date."""

from argparse import Namespace

from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.open_study import migrate
from services.store.revisions import find_head


def perform(args: Namespace) -> int:
    """Bring the database up to date."""
    context = migrate(read_chosen_settings(args))
    context.db.close()
    protocol = context.study.rules.protocol
    print(f"the database is at revision {find_head()}; {protocol.study} {protocol.version} runs")
    return 0
