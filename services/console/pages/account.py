"""One's own account: password, second factor, and tokens for the command line."""

import re
from typing import Final

from markupsafe import Markup
from segno import make
from starlette.responses import Response

from services.acts import people_changes
from services.console.respond import redirect, render
from services.console.signing import UnsignedError, perform_act, prove
from services.console.visit import NotFoundError, Visit
from services.people.second_factor import make_totp_address
from services.people.second_factor_change import begin_second_factor
from services.store import credentials, sign_ins
from services.store.sign_ins import Use
from services.vocabulary.person import Actor

_SECRET: Final = re.compile("[A-Z2-7]{32}")  # as `begin_second_factor` makes it


def show(visit: Visit) -> Response:
    """Show the visitor to themselves: roles, ways to sign in, and tokens."""
    with visit.context.db.read() as conn:
        credential = credentials.load_credential(conn, visit.person.id)
        tokens = sign_ins.load_open_sign_ins(conn, visit.person.id, Use.COMMAND_LINE, visit.instant)
    return render(
        visit,
        "account.html",
        has_password=credential is not None and bool(credential.password_hash),
        has_second_factor=credential is not None and credential.hidden_totp is not None,
        tokens=tokens,
    )


def end_token(visit: Visit) -> Response:
    """End the token of the form, if it is the visitor's."""
    db, token_hash = visit.context.db, visit.read_field("token")
    if people_changes.end_token(db, _make_actor(visit), token_hash) is None:
        raise NotFoundError
    return redirect("/me")


def show_password(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show the form for a new password."""
    _require_password(visit)
    return render(visit, "own-password.html", status, fault=fault)


def change_password(visit: Visit) -> Response:
    """Give the visitor the password that they chose; they sign in with it again."""
    _require_password(visit)
    password = visit.read_field("new")
    try:
        if password != visit.read_field("again"):
            raise UnsignedError("Nothing is changed: the two new passwords differ.", 400)  # noqa: TRY301
        actor = prove(visit, _make_actor(visit))
        perform_act(lambda: people_changes.change_own_password(visit.context.db, actor, password))
    except UnsignedError as error:
        return show_password(visit, error.status, str(error))
    return redirect("/sign-in?changed=1")


def show_second_factor(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show a secret for an authenticator, as QR code and as text; it is not kept yet."""
    _require_password(visit)
    secret = visit.read_field("secret")
    if not _SECRET.fullmatch(secret):
        secret = begin_second_factor()
    address = make_totp_address(secret, visit.person.id, visit.context.study_id)
    drawing = make(address).svg_inline(scale=4, svgclass=None, lineclass=None, light="#fff")
    return render(
        visit,
        "second-factor.html",
        status,
        fault=fault,
        secret=secret,
        drawing=Markup(drawing),  # noqa: S704 - a path of numbers
    )


def keep_second_factor(visit: Visit) -> Response:
    """Let the visitor need codes of the secret that was shown, once they have given one."""
    _require_password(visit)
    context, secret = visit.context, visit.read_field("secret")
    code = visit.read_field("new_code").strip()
    try:
        if not _SECRET.fullmatch(secret):
            raise UnsignedError("Nothing is kept: look at the code first.", 409)  # noqa: TRY301
        actor = prove(visit, _make_actor(visit))
        perform_act(
            lambda: people_changes.keep_second_factor(
                context.db, context.sessions.keys, actor, secret, code
            )
        )
    except UnsignedError as error:
        return show_second_factor(visit, error.status, str(error))
    return redirect("/me")


def show_token(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show the form for a token."""
    return render(visit, "token.html", status, fault=fault, token=None)


def make_token(visit: Visit) -> Response:
    """Make a token for the command line, and show it this once."""
    context = visit.context
    try:
        actor = prove(visit, _make_actor(visit))
        life_s = context.sessions.settings.token_s
        token = perform_act(
            lambda: people_changes.make_token(context.db, actor, visit.person, life_s)
        )
    except UnsignedError as error:
        return show_token(visit, error.status, str(error))
    return render(visit, "token.html", fault="", token=token)


def _require_password(visit: Visit) -> None:
    """Require that the visitor has a password.

    Raises:
        NotFoundError: They sign in at their institution only, which asks for what it wants.
    """
    with visit.context.db.read() as conn:
        credential = credentials.load_credential(conn, visit.person.id)
    if credential is None or not credential.password_hash:
        raise NotFoundError


def _make_actor(visit: Visit) -> Actor:
    person = visit.person
    return Actor(person.id, person.name, min(person.roles))
