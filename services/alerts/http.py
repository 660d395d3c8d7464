"""The page behind the link in a notice: what the alert says, and a button."""

import asyncio
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.alerts import links
from services.alerts.application import acknowledge, name_of, text_of
from services.alerts.desk import Desk
from services.alerts.markup import lines_of, page
from services.store import alerts
from services.vocabulary.alert import Alert

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}


def routes(desk: Desk) -> list[Route]:
    """Return ``/alerts/TOKEN``: GET shows, and never acknowledges; POST does."""

    async def show(request: Request) -> Response:
        found = await asyncio.to_thread(_find, desk, request.path_params["token"])
        if found is None:
            return _refused()
        _, alert = found
        return _page(f"Alert {name_of(alert)}", _form(alert))

    async def confirm(request: Request) -> Response:
        found = await asyncio.to_thread(_find, desk, request.path_params["token"])
        if found is None:
            return _refused()
        link, alert = found
        body = (await request.body()).decode("utf-8", "replace")
        comment = _comment(body)
        await asyncio.to_thread(
            acknowledge, desk.db, alert.id, link.recipient, comment, desk.clock()
        )
        said = f"<p>{escape(link.recipient)}, you have acknowledged this alert.</p>"
        rest = "<p>That says you have seen it. The answer of the DSMB is given apart.</p>"
        return _page(f"Alert {name_of(alert)} acknowledged", said + rest)

    return [
        Route("/alerts/{token}", show, methods=["GET"]),
        Route("/alerts/{token}", confirm, methods=["POST"]),
    ]


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
        '<form method="post"><label for="comment">Comment (optional)</label>'
        '<input id="comment" name="comment" maxlength="500">'
        "<p><button>I have seen this alert</button></p></form>"
    )


def _comment(body: str) -> str:
    return parse_qs(body).get("comment", [""])[0][:500]


def _refused() -> Response:
    said = "<p>This link is not valid, or no longer. Use the one in the last notice, or</p>"
    return _page("Not acknowledged", f"{said}<pre>aegis alerts ack ALERT</pre>", 403)


def _page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(page(title, f"<h1>{escape(title)}</h1>{content}"), status, _HEADERS)
