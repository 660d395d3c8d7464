"""``aegis completion``: what a shell evaluates to complete commands and flags."""

from argparse import Namespace

from argcomplete.shell_integration import shellcode


def perform(args: Namespace) -> int:
    """Print the code of the chosen shell."""
    print(shellcode(["aegis"], shell=args.shell))
    return 0
