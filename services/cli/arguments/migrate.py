"""Arguments of ``aegis migrate``."""

from argparse import ArgumentParser

from services.cli.arguments.common import data_arguments


def add_arguments(parser: ArgumentParser) -> None:
    """Add which data."""
    data_arguments(parser)
