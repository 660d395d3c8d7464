"""Notices to a webhook: JSON, signed so that the receiver can tell who sent it, and when."""

import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from services.alerts.adapters.attempt_deadline import shut_connection_after
from services.alerts.adapters.http_attempt import attempt_post
from services.alerts.channel_contract import Acceptance, Failure, Letter, Send, contain_errors
from services.runtime.settings import AlertSettings

_TIMEOUT_S = 20.0


def make_webhook_channel(settings: AlertSettings) -> Send:
    """Return a function that posts a letter to a URL, signed with the secret of *settings*."""
    secret = settings.webhook_secret

    def send(letter: Letter, address: str) -> Acceptance | Failure:
        if secret is None:
            return Failure("no webhook secret: name its file in AEGIS_WEBHOOK_SECRET_FILE")
        body = write_payload(letter)
        timestamp = str(int(letter.dated_at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Aegis-Timestamp": timestamp,
            "Aegis-Signature": f"sha256={sign_payload(secret.get_secret_value(), timestamp, body)}",
            "Idempotency-Key": letter.id,
        }

        def post() -> int:
            with shut_connection_after(settings.delivery_deadline_s) as on_connect:
                return _post(address, body, headers, on_connect)

        return attempt_post("webhook", post)

    return contain_errors(send)


def _post(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    on_connect: Callable[[socket.socket], None],
) -> int:
    """Post *body*, and return the status of the answer, of which nothing more is read."""

    def trace(event: str, details: Mapping[str, Any]) -> None:
        if event.endswith(".connect_tcp.complete"):
            on_connect(details["return_value"].get_extra_info("socket"))

    with (
        httpx.Client(timeout=_TIMEOUT_S) as client,
        client.stream(
            "POST", address, content=body, headers=headers, extensions={"trace": trace}
        ) as answer,
    ):
        return answer.status_code


def write_payload(letter: Letter) -> bytes:
    """Return the body: what the alert is, and its text."""
    alert = letter.alert
    content = {
        "delivery": letter.id,
        "alert": alert.id,
        "version": alert.version,
        "study": alert.study,
        "level": alert.level,
        "kind": alert.kind,
        "about": alert.about,
        "participant": alert.participant,
        "grade": alert.grade,
        "protocol": alert.protocol,
        "retracted": alert.retracted,
        "suspected": alert.suspected,
        "provisional": alert.provisional,
        "reason": letter.reason,
        "subject": letter.text.subject,
        "text": letter.text.body,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def sign_payload(secret: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of timestamp, a dot and the body, in 64 hexadecimal digits.

    A receiver computes the same, compares in constant time, and refuses old timestamps.
    """
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
