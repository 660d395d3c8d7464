"""Arguments of ``aegis version``."""

from argparse import ArgumentParser

from services.cli.arguments.common import json_argument, study_argument


def add_arguments(parser: ArgumentParser) -> None:
    """Add the study, whose rules have a version."""
    study_argument(parser)
    json_argument(parser, "as one JSON object")
