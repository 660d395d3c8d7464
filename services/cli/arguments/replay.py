"""Arguments of ``aegis replay``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study


def add_arguments(parser: ArgumentParser) -> None:
    """Add which data."""
    add_data_and_study(parser)
