"""Arguments of ``aegis logout``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study


def add_arguments(parser: ArgumentParser) -> None:
    """Add the data at which somebody is signed in."""
    add_data_and_study(parser)
