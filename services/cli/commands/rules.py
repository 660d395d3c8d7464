"""``aegis rules``: every stopping rule now or then, or each site beside the rest."""

from argparse import Namespace

from services.cli.shared.kept_answer import print_answer


def perform(args: Namespace) -> int:
    """Print the answer of `rules_status` or of `rules_sites`."""
    print_answer(args, f"rules_{args.word}")
    return 0
