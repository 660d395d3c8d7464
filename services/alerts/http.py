"""The page behind the link in a notice: what the alert says, and a button."""

import asyncio
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.alerts import links
from services.alerts.acknowledgement import acknowledge, name_of, text_of
from services.alerts.delivery_context import Desk
from services.alerts.markup import lines_of, page
from services.store import alerts
from services.vocabulary.alert import Alert

_LONGEST_COMMENT = 500
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}


def routes(desk: Desk) -> list[Route]:
    """Return ``/alerts/TOKEN``: GET shows, and never acknowledges; POST does, of what was shown."""

    async def show(request: Request) -> Response:
        return await _shown(desk, request)

    async def confirm(request: Request) -> Response:
        found = await asyncio.to_thread(_find, desk, request.path_params["token"])
        if found is None:
            return _refused()
        link, alert = found
        given = parse_qs((await request.body()).decode("utf-8", "replace"))
        comment = given.get("comment", [""])[0][:_LONGEST_COMMENT]
        shown = _number(given.get("version", [""])[0])
        about = desk.db, alert.id, link.recipient, comment, desk.clock()
        seen = await asyncio.to_thread(acknowledge, *about, version=shown)
        if seen is None:
            return await _shown(desk, request, has_changed=True)
        said = f"<p>{escape(link.recipient)}, you have acknowledged this alert.</p>"
        rest = "<p>That says you have seen it. The answer of the DSMB is given apart.</p>"
        return _page(f"Alert {name_of(alert)} acknowledged", said + rest)

    return [
        Route("/alerts/{token}", show, methods=["GET"]),
        Route("/alerts/{token}", confirm, methods=["POST"]),
    ]


async def _shown(desk: Desk, request: Request, *, has_changed: bool = False) -> Response:
    found = await asyncio.to_thread(_find, desk, request.path_params["token"])
    if found is None:
        return _refused()
    _, alert = found
    if not has_changed:
        return _page(f"Alert {name_of(alert)}", _form(alert))
    said = "<p>The alert is not what it was when this page was opened. Read it again.</p>"
    return _page(f"Alert {name_of(alert)} has changed", said + _form(alert), 409)


def _find(desk: Desk, token: str) -> tuple[links.Link, Alert] | None:
    link = links.opened(desk.keys, token, desk.clock())
    if link is None:
        return None
    with desk.db.read() as conn:
        alert = alerts.load_alert(conn, link.alert)
    return None if alert is None else (link, alert)


def _form(alert: Alert) -> str:
    text = text_of(alert, "with the button below")
    shown = f"<h2>{escape(text.subject)}</h2>{lines_of(text)}"
    if alert.retracted:
        return shown
    return (
        f"{shown}"
        f'<form method="post"><input type="hidden" name="version" value="{alert.version}">'
        '<label for="comment">Comment (optional)</label>'
        f'<input id="comment" name="comment" maxlength="{_LONGEST_COMMENT}">'
        "<p><button>I have seen this alert</button></p></form>"
    )


def _number(text: str) -> int:
    """Return the version that a form names; one that no alert has when it names none."""
    return int(text) if text.isascii() and text.isdecimal() else -1


def _refused() -> Response:
    said = "<p>This link is not valid, or no longer. Use the one in the last notice, or</p>"
    return _page("Not acknowledged", f"{said}<pre>aegis alerts ack ALERT</pre>", 403)


def _page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(page(title, f"<h1>{escape(title)}</h1>{content}"), status, _HEADERS)
