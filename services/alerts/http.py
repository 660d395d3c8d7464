"""The page behind the link in a notice: what the alert says, and a button.

Where the protocol asks for sign-in the way to the console stands in the place of the button, and
the link by itself acknowledges nothing.
"""

import asyncio
from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.alerts import links
from services.alerts.acknowledgement import acknowledge, find_short_name, write_alert_text
from services.alerts.delivery_context import DeliveryContext
from services.alerts.load_evidence import load_evidence
from services.alerts.markup import render_page, render_text
from services.alerts.recipient_people import find_recipient_actor, resolve_people
from services.people.rights import BOARD_ROLES
from services.store import alert_acts, alerts
from services.store.alert_acts import LinkRevocationRow
from services.vocabulary.alert import Alert
from services.vocabulary.number_text import parse_whole_number
from services.vocabulary.person import Actor

_LONGEST_COMMENT = 500
_OUTCOMES = {
    200: ("", ""),
    403: (
        " is not acknowledged",
        "<p>The protocol asks for sign-in: the link alone is not enough.</p>",
    ),
    409: (
        " has changed",
        "<p>The alert is not what it was when this page was opened. Read it again.</p>",
    ),
}  # of the page: what follows the name of the alert, and what stands above it
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}


def build_routes(context: DeliveryContext) -> list[Route]:
    """Return ``/alerts/TOKEN``: GET shows, and never acknowledges; POST does, of what was shown."""

    async def show(request: Request) -> Response:
        return await _show_alert(context, request)

    async def confirm(request: Request) -> Response:
        linked_alert = await asyncio.to_thread(_find, context, request.path_params["token"])
        if linked_alert is None:
            return _refuse()
        if context.links_ask_sign_in:
            return await _show_alert(context, request, status=403)
        link, alert = linked_alert
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        comment = form.get("comment", [""])[0][:_LONGEST_COMMENT]
        version = _read_version(form.get("version", [""])[0])
        actor = await asyncio.to_thread(_load_actor, context, link)
        acknowledgement = context.db, alert.id, actor, comment, context.clock()
        if await asyncio.to_thread(acknowledge, *acknowledgement, version=version) is None:
            return await _show_alert(context, request, status=409)
        paragraph = f"<p>{escape(actor.name)}, you have acknowledged this alert.</p>"
        rest = "<p>That says you have seen it. The answer of the DSMB is given apart.</p>"
        return _respond(f"Alert {find_short_name(alert)} acknowledged", paragraph + rest)

    return [
        Route("/alerts/{token}", show, methods=["GET"]),
        Route("/alerts/{token}", confirm, methods=["POST"]),
    ]


async def _show_alert(context: DeliveryContext, request: Request, *, status: int = 200) -> Response:
    linked_alert = await asyncio.to_thread(_find, context, request.path_params["token"])
    if linked_alert is None:
        return _refuse()
    link, alert = linked_alert
    name_suffix, paragraph = _OUTCOMES[status]
    content = await asyncio.to_thread(_render_alert, context, alert)
    if not alert.retracted:
        content += (
            _render_sign_in(alert, await asyncio.to_thread(_load_actor, context, link))
            if context.links_ask_sign_in
            else _render_form(alert)
        )
    return _respond(f"Alert {find_short_name(alert)}{name_suffix}", paragraph + content, status)


def _find(context: DeliveryContext, token: str) -> tuple[links.Link, Alert] | None:
    """Return the link and its alert; None unless it is good, of a recipient, and not revoked."""
    link = links.open_link(
        context.keys, token, context.clock(), earlier_until=context.earlier_links_until
    )
    if link is None:
        return None
    with context.db.read() as conn:
        recipients = resolve_people(conn, context.recipients, context.clock())
        if not recipients.names(link.recipient):
            return None
        if _is_revoked(alert_acts.load_link_revocations(conn, link.recipient), link):
            return None
        alert = alerts.load_alert(conn, link.alert)
    return None if alert is None else (link, alert)


def _load_actor(context: DeliveryContext, link: links.Link) -> Actor:
    with context.db.read() as conn:
        return find_recipient_actor(conn, link.recipient)


def _is_revoked(revocations: Sequence[LinkRevocationRow], link: links.Link) -> bool:
    return any(
        one.alert in ("", link.alert) and link.issued_at <= one.revoked_at for one in revocations
    )


def _render_alert(context: DeliveryContext, alert: Alert) -> str:
    """Return the alert in the words of its notices."""
    with context.db.read() as conn:
        text = write_alert_text(alert, "below", load_evidence(conn, alert))
    return f"<h2>{escape(text.subject)}</h2>{render_text(text)}"


def _render_sign_in(alert: Alert, actor: Actor) -> str:
    """Return the way to the page of the console on which *actor* acknowledges."""
    page = f"/{'board/alerts' if actor.role in BOARD_ROLES else 'alerts/by-id'}/{alert.id}"
    return (
        f'<p><a href="/sign-in?next={quote(page)}">Sign in to acknowledge it</a>, or use</p>'
        f"<pre>aegis alerts ack {find_short_name(alert)}</pre>"
    )


def _render_form(alert: Alert) -> str:
    return (
        f'<form method="post"><input type="hidden" name="version" value="{alert.version}">'
        '<label for="comment">Comment (optional)</label>'
        f'<input id="comment" name="comment" maxlength="{_LONGEST_COMMENT}">'
        "<p><button>I have seen this alert</button></p></form>"
    )


def _read_version(text: str) -> int:
    """Return the version that a form names; one that no alert has when it names none."""
    version = parse_whole_number(text)
    return -1 if version is None else version


def _refuse() -> Response:
    paragraph = "<p>This link is not valid, or no longer. Use the one in the last notice, or</p>"
    return _respond("Not acknowledged", f"{paragraph}<pre>aegis alerts ack ALERT</pre>", 403)


def _respond(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(render_page(title, f"<h1>{escape(title)}</h1>{content}"), status, _HEADERS)
