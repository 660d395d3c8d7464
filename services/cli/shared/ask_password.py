"""A password from a file, from a pipe, or asked for without showing it."""

import getpass
import sys
from argparse import Namespace
from pathlib import Path

from services.cli.command import CommandError

_LONGEST_FILE = 65_536  # bytes


def read_password(args: Namespace, person_id: str, prompt: str = "Password: ") -> str:
    """Return the password of *person_id*, from ``--password-file`` or asked for.

    Raises:
        CommandError: The file cannot be read, or has no password of theirs.
    """
    return read_secret(args.password_file, person_id, prompt)


def read_secret(path: Path | None, person_id: str, prompt: str) -> str:
    """Return a secret of *person_id* from the file at *path*; None: it is asked for, or piped.

    Raises:
        CommandError: The file cannot be read, or has none of theirs.
    """
    if path is not None:
        return _read_file(path, person_id)
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(prompt)


def read_new_password(args: Namespace, person_id: str) -> str:
    """Return a password that is being chosen: asked for twice.

    Raises:
        CommandError: The two differ, or a file cannot be read.
    """
    password = read_password(args, person_id, f"New password of {person_id}: ")
    if args.password_file is None and sys.stdin.isatty():
        repetition = getpass.getpass("Again: ")
        if repetition != password:
            raise CommandError("the two passwords differ")
    return password


def _read_file(path: Path, person_id: str) -> str:
    """Return the one line of *path*; of several lines that of ``ID PASSWORD`` (as of the demo)."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_FILE).decode()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise CommandError(f"{path} is no text") from None
    lines = text.splitlines()
    if len(lines) <= 1:
        return lines[0] if lines else ""
    passwords = [line.partition(" ") for line in lines]
    own_passwords = [password for name, _, password in passwords if name == person_id]
    if len(own_passwords) != 1:
        raise CommandError(f"{path} has several lines, and not one of {person_id} and a password")
    return own_passwords[0]
