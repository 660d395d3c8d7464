"""``aegis protocol``: whether a protocol can be trusted, and how people read it."""

from argparse import Namespace
from importlib import import_module

from services.cli.shared.read_study import read_study
from services.cli.shared.spared_modules import spare_modules


def perform(args: Namespace) -> int:
    """Check a protocol, or print it in words."""
    with spare_modules():
        command = import_module(f"services.cli.commands.protocol_{args.word}")
    command.print_study(args, read_study(args.path))
    return 0
