"""Arguments of ``aegis people``."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from services.cli.arguments.common import (
    add_data_and_study,
    add_json,
    add_password_file,
    add_reason,
    explain_columns,
    parse_instant,
)
from services.cli.shared.columns import PEOPLE, ROLES
from services.vocabulary.person import Role

_WORDS = {
    "init": "make the first person, an administrator, when there is nobody",
    "add": "make a person",
    "end": "let a person do nothing any more; their id and their acts stay",
    "list": "everybody, also those who ended",
    "reset": "give a person a new password and no second factor, and sign them out everywhere",
    "password": "choose a new password of your own",
    "second-factor": "set up codes of an authenticator, which you give when you sign in",
    "roles": "what each role does and sees; or give a person other roles",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add init, add, end, list, reset, password, second-factor and roles."""
    words = parser.add_subparsers(dest="word", required=True, metavar="|".join(_WORDS))
    for name, meaning in _WORDS.items():
        word = words.add_parser(name, help=meaning, description=meaning)
        add_data_and_study(word)
        if name == "list":
            add_json(word)
            explain_columns(word, PEOPLE)
            continue
        if name == "roles":
            _add_roles_arguments(word)
            continue
        if name in ("password", "second-factor"):
            _add_own_arguments(word, chooses_password=name == "password")
            continue
        word.add_argument("person", metavar="ID", help="small letters; never used again")
        if name in ("init", "add"):
            _add_new_person(word, is_first=name == "init")
        if name != "end":
            add_password_file(word)
        add_reason(word)


def _add_own_arguments(word: ArgumentParser, *, chooses_password: bool) -> None:
    add_password_file(word)
    if chooses_password:
        word.add_argument(
            "--new-password-file", type=Path, metavar="FILE",
            help="holds the new one (default: it is asked)",
        )  # fmt: skip


def _add_new_person(word: ArgumentParser, *, is_first: bool) -> None:
    word.add_argument("--name", required=True, metavar="NAME", help="as it stands on signatures")
    word.add_argument("--email", required=True, metavar="ADDRESS", help="where notices go")
    default = ("administrator",) if is_first else None
    meaning = f"of {', '.join(Role)}" if not is_first else "administrator, and others"
    word.add_argument(
        "--roles", type=parse_roles, required=not is_first, default=default,
        metavar="ROLE,ROLE", help=meaning,
    )  # fmt: skip
    word.add_argument("--site", default="", metavar="S", help="of site staff: theirs alone")
    for option, meaning in (("--from", "acts from then on"), ("--until", "acts until then")):
        word.add_argument(
            option, dest=f"active_{option[2:]}", type=parse_instant, metavar="T",
            help=f"{meaning}, 2026-06-01T00:00Z",
        )  # fmt: skip
    word.add_argument(
        "--no-password", action="store_true", help="signs in at the provider of the institution"
    )


def _add_roles_arguments(word: ArgumentParser) -> None:
    word.add_argument("person", metavar="ID", nargs="?", help="whose roles change")
    word.add_argument("--roles", type=parse_roles, metavar="ROLE,ROLE", help="all that they have")
    add_reason(word, is_required=False)
    add_json(word)
    explain_columns(word, ROLES)


def parse_roles(text: str) -> tuple[str, ...]:
    """Return the roles in *text*, each once.

    >>> parse_roles("dsmb_chair, dsmb_member")
    ('dsmb_chair', 'dsmb_member')
    >>> parse_roles("chair")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: there is no role 'chair': `aegis people roles`

    Raises:
        ArgumentTypeError: One is no role, or there is none.
    """
    roles = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    known_roles = {role.value for role in Role}
    for role in roles:
        if role not in known_roles:
            raise ArgumentTypeError(f"there is no role {role!r}: `aegis people roles`")
    return roles
