"""Arguments of ``aegis protocol``."""

from argparse import ArgumentParser
from pathlib import Path

from services.cli.arguments.common import add_follow_up, add_json, explain_columns
from services.cli.arguments.plan_documents import add_plan_documents
from services.cli.shared.columns import CHARACTERISTICS, PERSON_TIME, PROTOCOL_CHECK, PROTOCOL_RULES


def add_arguments(parser: ArgumentParser) -> None:
    """Add check and explain."""
    words = parser.add_subparsers(dest="word", required=True, metavar="check|explain")
    meaning = "what is wrong, or that every table was recomputed"
    check = words.add_parser("check", help=meaning, description=meaning)
    meaning = "the rules as a statistician and a clinician read"
    explain = words.add_parser("explain", help=meaning, description=meaning)
    for word in (check, explain):
        word.add_argument("path", type=Path, metavar="FILE-or-DIR", help="of the study")
        add_json(word, "everything, as one JSON object")
    explain.add_argument("--pdf", type=Path, metavar="FILE", help="write a document too")
    add_plan_documents(explain)
    add_follow_up(explain, None, "the window of each rule")
    explain_columns(check, PROTOCOL_CHECK)
    explain_columns(explain, PROTOCOL_RULES, CHARACTERISTICS, PERSON_TIME)
