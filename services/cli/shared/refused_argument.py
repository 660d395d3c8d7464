"""The refusal of an argument by what computes with it, under the flag that a person typed."""

import re
from argparse import Namespace

from services.cli.command import CommandError

_NAMES = re.compile(r"([a-z][a-z0-9_-]*)(?: and ([a-z][a-z0-9_-]*)(?= must))?")


def refuse_argument(args: Namespace, error: ValueError) -> CommandError:
    """Return the error of a command; a message that begins with options of *args* has their flags.

    Any other message stays as it is.

    >>> refuse_argument(Namespace(min_events=0), ValueError("min_events must be from 1, not 0"))
    CommandError('--min-events must be from 1, not 0')
    >>> refuse_argument(Namespace(n=3), ValueError("no boundary can be reached"))
    CommandError('no boundary can be reached')
    """
    message = str(error)
    match = _NAMES.match(message)
    names = [name for name in match.groups() if name] if match else []
    if match is None or not all(hasattr(args, name.replace("-", "_")) for name in names):
        return CommandError(message)
    flags = " and ".join(f"--{name.replace('_', '-')}" for name in names)
    return CommandError(flags + message[match.end() :])
