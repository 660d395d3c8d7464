"""The page behind the link in a notice: what the alert says, and a button."""

import asyncio
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.alerts import links
from services.alerts.application import Desk, acknowledge, name_of, text_of
from services.store import alerts
from services.vocabulary.alert import Alert

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;"
    "color:#222}pre{white-space:pre-wrap;background:#f4f4f4;padding:1rem;border-radius:6px}"
    "button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:6px;background:#0072b2;"
    "color:#fff}label{display:block;margin:1rem 0 .3rem}input{font:inherit;width:100%;"
    "padding:.4rem;box-sizing:border-box}"
)


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
    text = text_of(alert, "the button below")
    return (
        f"<h2>{escape(text.subject)}</h2><pre>{escape(text.body)}</pre>"
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
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{content}</body></html>"
    )
    headers = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return HTMLResponse(page, status, headers)
