"""Arguments of ``aegis version``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_json, add_study


def add_arguments(parser: ArgumentParser) -> None:
    """Add the study, whose rules have a version."""
    add_study(parser)
    add_json(parser, "as one JSON object")
