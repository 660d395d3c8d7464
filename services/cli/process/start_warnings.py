"""Warnings of a process that starts: its protocol is a draft, its database login too strong."""

from services.cli.process.roles.parts import Parts
from services.store.roles import find_login, name_role


def warn_of_study(parts: Parts) -> None:
    """Warn of a protocol that nobody has signed."""
    protocol = parts.context.study.rules.protocol
    if not protocol.signed_by:
        parts.warnings.begin(
            "protocol_unsigned",
            f"{protocol.study}: {protocol.label}: `aegis study sign`",
        )


def warn_of_login(parts: Parts, service: str) -> None:
    """Warn when the login of the database may do more than *service* has to."""
    if parts.context.db.is_sqlite:
        return
    with parts.context.db.read() as conn:
        login = find_login(conn)
    if login != (needed_login := name_role(service)):
        parts.warnings.begin(
            "login_too_strong",
            f"the database login {login} may do more than {service} does: let it log in as"
            f" {needed_login} (deploy/postgres/logins.sql)",
        )
