"""``aegis migrate``: the tables, the roles and the protocol of a database, brought up to date."""

from argparse import ArgumentParser, Namespace

from services.cli.command import Command
from services.cli.shared.open_study import data_arguments, migrate, settings_of
from services.store import schema


def _arguments(parser: ArgumentParser) -> None:
    data_arguments(parser)


def _migrate(args: Namespace) -> int:
    opened = migrate(settings_of(args))
    opened.db.close()
    protocol = opened.study.rules.protocol
    print(f"the database is at revision {schema.head()}; {protocol.study} {protocol.version} runs")
    return 0


COMMAND = Command("migrate", "bring the database up to date, online", _arguments, _migrate)
