"""Arguments of ``aegis verify``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study, add_json


def add_arguments(parser: ArgumentParser) -> None:
    """Add which data."""
    add_data_and_study(parser)
    add_json(parser, "each finding, then how much there is, as JSON lines")
