"""Arguments of ``aegis determine``."""

from argparse import ArgumentParser

from services.cli.arguments.common import by_argument, data_arguments, reason_argument
from services.vocabulary.fact import Answer


def add_arguments(parser: ArgumentParser) -> None:
    """Add the rule, the answer and its reason."""
    parser.add_argument("rule", metavar="RULE", help="e.g. BLINA-HSCT.S1")
    parser.add_argument("answer", choices=[str(answer) for answer in Answer])
    reason_argument(parser)
    by_argument(parser)
    data_arguments(parser)
