"""Acknowledgements that the receiver of a webhook sends back, signed as the webhook itself is.

A reply names the delivery that it answers and the version that was seen. Sent again it changes
nothing, and its signature is good for five minutes: who repeats one that they overheard learns and
changes nothing.
"""

import asyncio
import hmac
from collections.abc import Mapping
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.alerts.acknowledgement import acknowledge
from services.alerts.adapters.webhook import sign_payload
from services.alerts.delivery_context import DeliveryContext
from services.alerts.domain.routes import Channel
from services.store import alerts
from services.vocabulary.alert import Alert
from services.vocabulary.number_text import parse_whole_number
from services.vocabulary.person import Actor

_LONGEST_AGE_S = 300
_LONGEST_COMMENT = 500


class Reply(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of a reply: *delivery* and *version* as the webhook named them."""

    delivery: str
    version: int
    comment: str = ""


def build_reply_route(context: DeliveryContext, secret: str) -> Route:
    """Return ``POST /alerts/reply``, by which the receiver of a webhook acknowledges."""

    async def take(request: Request) -> Response:
        body = await request.body()
        if not is_signed(request.headers, body, secret, context.clock()):
            return _refuse(401, "no good signature, or not of the last five minutes")
        try:
            reply = msgspec.json.decode(body, type=Reply)
        except msgspec.MsgspecError:
            return _refuse(400, "expected {delivery, version, comment}")
        return await asyncio.to_thread(_acknowledge, context, reply)

    return Route("/alerts/reply", take, methods=["POST"])


def is_signed(headers: Mapping[str, str], body: bytes, secret: str, instant: datetime) -> bool:
    """Return True when the headers sign *body* with *secret*, at most five minutes ago or ahead."""
    timestamp = headers.get("Aegis-Timestamp", "")
    signed_s = parse_whole_number(timestamp)
    if signed_s is None or abs(int(instant.timestamp()) - signed_s) > _LONGEST_AGE_S:
        return False
    expected = f"sha256={sign_payload(secret, timestamp, body)}"
    return hmac.compare_digest(expected.encode(), headers.get("Aegis-Signature", "").encode())


def _acknowledge(context: DeliveryContext, reply: Reply) -> Response:
    with context.db.read() as conn:
        row = alerts.load_delivery(conn, reply.delivery)
    if row is None or row.channel != Channel.WEBHOOK:
        return _refuse(404, "no webhook has this delivery")
    if context.recipients.find(row.role, row.recipient, row.channel) is None:
        return _refuse(403, "its recipient is no longer one")
    acknowledgement = context.db, row.alert, Actor(row.recipient, row.recipient)
    comment = reply.comment[:_LONGEST_COMMENT]
    alert = acknowledge(*acknowledgement, comment, context.clock(), version=reply.version)
    if alert is None:
        return _refuse(409, "the alert is not at this version: a newer webhook says what it is")
    return _confirm(alert)


def _confirm(alert: Alert) -> Response:
    return JSONResponse({"acknowledged": True, "alert": alert.id, "version": alert.version})


def _refuse(status: int, problem: str) -> Response:
    return JSONResponse({"acknowledged": False, "problem": problem}, status)
