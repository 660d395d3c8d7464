"""Arguments of ``aegis queries``."""

from argparse import ArgumentParser

from services.cli.arguments.common import (
    add_as_of,
    add_data_and_study,
    add_json,
    add_participant,
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add whose, as of when, and in which form."""
    add_data_and_study(parser)
    add_participant(parser)
    add_as_of(parser)
    add_json(parser)
