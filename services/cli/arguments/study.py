"""Arguments of ``aegis study``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    add_password_file,
    add_reason,
    explain_columns,
)
from services.cli.shared.columns import ACTIVATIONS


def add_arguments(parser: ArgumentParser) -> None:
    """Add activate, diff, sign and list."""
    words = parser.add_subparsers(dest="word", required=True, metavar="activate|diff|sign|list")
    for name, meaning in (
        ("activate", "let the study run by the files of a folder, in every process at once"),
        ("diff", "compare the files of a folder with those that run; changes nothing"),
        ("sign", "sign the protocol that runs"),
        ("list", "what ran from when on, and who let it run"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        add_data_and_study(word)
        if name in ("activate", "diff"):
            word.add_argument("folder", type=Path, metavar="DIR", help="folder of the study")
        if name in ("activate", "sign"):
            add_reason(word)
        if name == "sign":
            add_password_file(word)
        if name == "list":
            add_json(word)
            explain_columns(word, ACTIVATIONS)
