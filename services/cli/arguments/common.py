"""Arguments that several commands have, spelt once."""

import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from pathlib import Path

from services.cli.arguments.numbers import parse_number
from services.cli.shared.columns import Columns, describe_columns
from services.vocabulary.reason import trim_reason


def add_study(parser: ArgumentParser) -> None:
    """Let a command be told which study."""
    parser.add_argument(
        "--study",
        type=Path,
        metavar="DIR",
        help="folder of the study (AEGIS_STUDY; default: that of the data, or studies/blina-hsct)",
    )


def add_data_and_study(parser: ArgumentParser) -> None:
    """Let a command be told which study, and where the data are."""
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the data (AEGIS_DATA; default var)"
    )
    add_study(parser)


def add_participant(parser: ArgumentParser) -> None:
    """Let a command be told of one participant only."""
    parser.add_argument("--participant", metavar="P", help="only this one's")


def add_as_of(parser: ArgumentParser) -> None:
    """Let a command be told an instant of knowledge."""
    parser.add_argument(
        "--as-of", type=parse_instant, metavar="T", help="of what was known then, 2026-06-01T00:00Z"
    )


def add_password_file(parser: ArgumentParser) -> None:
    """Let a command be told a password without showing it, and the code of a second factor."""
    parser.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="holds the password (default: it is asked)",
    )
    parser.add_argument(
        "--code", default="", metavar="N", help="of your authenticator, if you have one"
    )


def add_reason(parser: ArgumentParser, *, is_required: bool = True) -> None:
    """Let a command be told why somebody decides so."""
    parser.add_argument(
        "--reason", required=is_required, type=parse_reason, metavar="TEXT", help="why: it is kept"
    )


def add_seen_hash(parser: ArgumentParser, source: str) -> None:
    """Let a signature be bound to what was seen, by the hash that *source* shows."""
    parser.add_argument(
        "--seen",
        type=parse_hash_start,
        metavar="HASH",
        help=f"`hash` of what you saw, or how it begins, from {source}: what has changed since is"
        " shown again, and not signed",
    )


def parse_hash_start(text: str) -> str:
    """Return the first digits of a sha256, or all, in small letters.

    >>> parse_hash_start("0A4C9E11")
    '0a4c9e11'
    >>> parse_hash_start("0a4c")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: not 8 to 64 hexadecimal digits: '0a4c'

    Raises:
        ArgumentTypeError: It is none, or too short to tell two contents apart.
    """
    if not re.fullmatch("[0-9a-fA-F]{8,64}", text):
        raise ArgumentTypeError(f"not 8 to 64 hexadecimal digits: {text!r}")
    return text.lower()


def parse_reason(text: str) -> str:
    """Return *text* without blanks around it, once it says something.

    >>> parse_reason(" hemolyzed ")
    'hemolyzed'
    >>> parse_reason("  ")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: say why: it is kept

    Raises:
        ArgumentTypeError: It has neither a letter nor a digit.
    """
    if reason := trim_reason(text):
        return reason
    raise ArgumentTypeError("say why: it is kept")


def add_json(parser: ArgumentParser, meaning: str = "everything, as JSON lines") -> None:
    """Let a command print for programs."""
    parser.add_argument("--json", action="store_true", help=meaning)


def add_follow_up(
    parser: ArgumentParser, window_days: float | None = 100.0, default: str = "100"
) -> None:
    """Let a command be told over which time a trial enrols, and follows each participant.

    Without it each is followed for *window_days*, which the help calls *default*.
    """
    parser.add_argument(
        "--accrual-days", type=parse_number, default=365.0, metavar="D",
        help="days over which the n enter, uniformly (default 365)",
    )  # fmt: skip
    parser.add_argument(
        "--window-days", type=parse_number, default=window_days, metavar="D",
        help=f"days that each is followed (default {default})",
    )  # fmt: skip


def explain_columns(parser: ArgumentParser, *tables: Columns) -> None:
    """Let the help of a command explain each column of the tables that it prints."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = "\n\n".join(map(describe_columns, tables))


def parse_instant(text: str) -> datetime:
    """Return the instant in *text*, in UTC; it must say its offset.

    >>> parse_instant("2026-06-01T00:00Z").isoformat()
    '2026-06-01T00:00:00+00:00'
    >>> parse_instant("2026-06-01")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '2026-06-01' says no offset: write 2026-06-01T00:00Z

    Raises:
        ArgumentTypeError: It is none, or does not say its offset.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no instant like 2026-06-01T00:00Z") from None
    if local.tzinfo is None:
        example = local.isoformat(timespec="minutes")
        raise ArgumentTypeError(f"{text!r} says no offset: write {example}Z")
    try:
        return local.astimezone(UTC)
    except OverflowError:
        raise ArgumentTypeError(f"{text!r} is no instant of the years 1 to 9999 in UTC") from None
