"""Arguments of ``aegis adjudicate``."""

from argparse import ArgumentParser

from services.cli.arguments.common import by_argument, data_arguments, reason_argument
from services.vocabulary.fact import Verdict


def add_arguments(parser: ArgumentParser) -> None:
    """Add the record, the verdict and its reason."""
    parser.add_argument("record", metavar="RECORD", help="its id, or how it begins")
    parser.add_argument("verdict", choices=[str(verdict) for verdict in Verdict])
    reason_argument(parser)
    parser.add_argument("--grade", type=int, choices=range(1, 6), help="with regrade")
    parser.add_argument("--cause", default="", help="with attribute")
    by_argument(parser)
    data_arguments(parser)
