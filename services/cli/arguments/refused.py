"""Arguments of ``aegis refused``."""

from argparse import ArgumentParser

from services.cli.arguments.common import add_data_and_study, add_json, explain_columns
from services.cli.shared.columns import REFUSED_MESSAGES


def add_arguments(parser: ArgumentParser) -> None:
    """Add list and show."""
    words = parser.add_subparsers(dest="word", required=True, metavar="list|show")
    meaning = "messages that were answered AR, and why; their senders only for who may see them"
    word = words.add_parser("list", help=meaning, description=meaning)
    add_data_and_study(word)
    word.add_argument("--site", metavar="SITE", help="of this site only")
    add_json(word)
    explain_columns(word, REFUSED_MESSAGES)
    meaning = "when, where and why one was refused; identifiers only for who may see them"
    word = words.add_parser("show", help=meaning, description=meaning)
    word.add_argument("message", metavar="ID", help="how its id begins")
    add_data_and_study(word)
