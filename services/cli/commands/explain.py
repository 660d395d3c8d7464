"""``aegis explain``: why a record says what it says."""

from argparse import Namespace

from services.cli.shared.kept_answer import print_answer


def perform(args: Namespace) -> int:
    """Print one record with its evidence."""
    print_answer(args, "explain_record")
    return 0
