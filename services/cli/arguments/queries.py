"""Arguments of ``aegis queries``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    as_of_argument,
    data_arguments,
    json_argument,
    participant_argument,
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add whose, as of when, and in which form."""
    data_arguments(parser)
    participant_argument(parser)
    as_of_argument(parser)
    json_argument(parser)
