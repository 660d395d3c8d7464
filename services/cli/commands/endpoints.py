"""``aegis endpoints``: survival, incidence and adverse events of the trial at a data cut."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.kept_answer import print_answer


def perform(args: Namespace) -> int:
    """Print the endpoints, and draw them."""
    _require_fitting_options(args)
    if args.groups is not None:
        from services.cli.commands.endpoints_groups import (  # noqa: PLC0415 (slow)
            print_group_comparison,
        )

        return print_group_comparison(args)
    if args.plot is None:
        print_answer(args, "endpoints_report")
        return 0
    from services.cli.commands.endpoints_report import print_with_pictures  # noqa: PLC0415 (slow)

    print_with_pictures(args)
    return 0


def _require_fitting_options(args: Namespace) -> None:
    """Do nothing when every option has a part in the answer.

    Raises:
        CommandError: One has none.
    """
    if args.groups is not None and (args.plot or args.clock or args.engraftment):
        raise CommandError("--groups goes without --plot, --clock and --engraftment")
    if args.engraftment and (args.plot or args.endpoint or args.clock):
        raise CommandError("--engraftment goes without --plot, --endpoint and --clock")
