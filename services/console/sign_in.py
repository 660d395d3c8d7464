"""The cookies of a browser, the token of its first form, and where it goes after it."""

import hashlib
import hmac
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

# The prefix has a browser take it from this host alone, encrypted or from the own machine.
SESSION: Final = "__Host-aegis"
SIGNATURE: Final = "__Host-aegis-signature"  # of the provider, for one act
_FIRST_FORM: Final = "__Host-aegis-before"  # of a browser that is not signed in, for the first form
_LONGEST_ADDRESS: Final = 500
_OWN_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


def make_first_token(secret: str) -> str:
    """Return the token for the sign-in form of a browser with the cookie *secret*."""
    return hashlib.sha256(f"aegis sign-in form {secret}".encode()).hexdigest()


def is_first_token(secret: str, text: str) -> bool:
    """Return True if *text* is what the sign-in form of the browser with *secret* repeats."""
    return bool(secret) and hmac.compare_digest(make_first_token(secret).encode(), text.encode())


def is_unencrypted(request: Request) -> bool:
    """Return True if the browser is elsewhere and asks in plain HTTP: it keeps no secret then.

    Behind a proxy every request comes so: a browser says Sec-Fetch-Site only where it trusts the
    way. Nothing but the words of a page depends on it.
    """
    host = request.url.hostname or ""
    is_trusted = (
        request.url.scheme == "https"
        or host in _OWN_MACHINE
        or host.endswith(".localhost")
        or "sec-fetch-site" in request.headers
        or request.headers.get("x-forwarded-proto", "") == "https"
    )
    return not is_trusted


def read_secret(request: Request) -> str:
    """Return the secret of the browser's session; empty: it has none."""
    return request.cookies.get(SESSION, "")


def read_secret_before(request: Request) -> str:
    """Return the secret of a browser that is not signed in yet; empty: it has none."""
    return request.cookies.get(_FIRST_FORM, "")


def keep_secret(response: Response, secret: str) -> None:
    """Have the browser keep the secret of its session until it is closed."""
    set_cookie(response, SESSION, secret)
    forget_cookie(response, _FIRST_FORM)


def keep_secret_before(response: Response, secret: str) -> None:
    """Have the browser keep the secret by which its first form is known."""
    set_cookie(response, _FIRST_FORM, secret)


def forget_secret(response: Response) -> None:
    """Have the browser forget the secret of its session."""
    forget_cookie(response, SESSION)


def make_secret() -> str:
    """Return a new secret of 256 bits."""
    return secrets.token_urlsafe(32)


def choose_target(address: str) -> str:
    r"""Return *address* if it is a page of this console, and the first page otherwise.

    >>> [choose_target(one) for one in ("/records/7?from=mail", "//evil.example", "/\\e")]
    ['/records/7?from=mail', '/', '/']
    """
    is_own = address.startswith("/") and not address.startswith(("//", "/\\"))
    is_plain = address.isprintable() and "\\" not in address and len(address) <= _LONGEST_ADDRESS
    return address if is_own and is_plain else "/"


def set_cookie(response: Response, name: str, secret: str) -> None:
    """Have the browser keep *secret* until it is closed, for this host alone."""
    response.set_cookie(name, secret, secure=True, httponly=True, samesite="lax", path="/")


def forget_cookie(response: Response, name: str) -> None:
    """Have the browser forget what `set_cookie` had it keep."""
    response.delete_cookie(name, secure=True, httponly=True, samesite="lax")
