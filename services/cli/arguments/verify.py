"""Arguments of ``aegis verify``."""

from argparse import ArgumentParser

from services.cli.arguments.common import data_arguments, json_argument


def add_arguments(parser: ArgumentParser) -> None:
    """Add which data."""
    data_arguments(parser)
    json_argument(parser, "each finding, then how much there is, as JSON lines")
