"""The reply of a webhook's receiver acknowledges what it saw, once, and only as it was signed."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from services.alerts.adapters.webhook import sign_payload
from services.alerts.delivery_context import DeliveryContext
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.alerts.reply_webhook import build_reply_route
from services.store.alerts import add_deliveries, load_acknowledgements, upsert_alerts
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.store import ALERT, DELIVERY, new_database

SECRET = "shared"  # noqa: S105
DESK = Recipient("safety-officer", "desk", Channel.WEBHOOK, "https://desk.example.org")
BY_WEBHOOK = replace(DELIVERY, id="w1", recipient="desk", channel="webhook")


class Receiver:
    def __init__(self, folder):
        self.db, keys = new_database(folder)
        self.instant = HOUR_ZERO
        self.recipients = Recipients({"safety-officer": (DESK,)})
        self.keys = keys
        with self.db.write() as conn:
            upsert_alerts(conn, [ALERT])
            add_deliveries(conn, [BY_WEBHOOK, DELIVERY])

    def reply(self, body, *, secret=SECRET, signed_at=HOUR_ZERO, headers=None):
        """Return the status of the answer to *body*, a value or bytes."""
        context = DeliveryContext(
            self.db, self.keys, "T", self.recipients, {}, lambda: self.instant, "http://x"
        )
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        timestamp = str(int(signed_at.timestamp()))
        signature = f"sha256={sign_payload(secret, timestamp, content)}"
        signed_headers = {"Aegis-Timestamp": timestamp, "Aegis-Signature": signature}
        app = Starlette(routes=[build_reply_route(context, SECRET)])

        async def send():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                url = "/alerts/reply"
                return await client.post(
                    url, content=content, headers=signed_headers | (headers or {})
                )

        return asyncio.run(send()).status_code

    @property
    def acknowledgements(self):
        with self.db.read() as conn:
            return [(row.by, row.comment) for row in load_acknowledgements(conn)]


@pytest.fixture
def receiver(tmp_path):
    made_receiver = Receiver(tmp_path)
    yield made_receiver
    made_receiver.db.close()


REPLY = {"delivery": "w1", "version": 1, "comment": "on call"}


def test_a_reply_acknowledges_for_its_recipient(receiver):
    assert receiver.reply(REPLY) == 200
    assert receiver.acknowledgements == [("desk", "on call")]


def test_a_reply_that_is_replayed_changes_nothing(receiver):
    assert [receiver.reply(REPLY), receiver.reply(REPLY)] == [200, 200]
    receiver.instant += timedelta(minutes=5, seconds=1)
    assert receiver.reply(REPLY) == 401
    assert receiver.acknowledgements == [("desk", "on call")]


@pytest.mark.parametrize(
    ("seconds", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)]
)
def test_a_signature_is_good_for_five_minutes(receiver, seconds, status):
    receiver.instant += timedelta(seconds=seconds)
    assert receiver.reply(REPLY) == status
    assert len(receiver.acknowledgements) == (status == 200)


@pytest.mark.parametrize(
    "headers",
    [
        {"Aegis-Signature": ""},
        {"Aegis-Signature": "sha256=" + "0" * 64},
        {"Aegis-Timestamp": ""},
        {"Aegis-Timestamp": "now"},
        {"Aegis-Timestamp": "9" * 5000},
        {"Aegis-Timestamp": str(int(HOUR_ZERO.timestamp()) + 1)},
    ],
)
def test_what_is_not_signed_is_refused(receiver, headers):
    assert receiver.reply(REPLY, headers=headers) == 401
    assert receiver.acknowledgements == []


def test_what_another_secret_signed_is_refused(receiver):
    assert receiver.reply(REPLY, secret="other") == 401  # noqa: S106
    assert receiver.acknowledgements == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"delivery": "w1"}', 400),
        (b'{"delivery": "w1", "version": %s}' % (b"9" * 5000), 400),
        ({"delivery": "w1", "version": "1"}, 400),
        ({"delivery": "w1", "version": 1, "by": "chair"}, 400),
        ({"delivery": "none", "version": 1}, 404),
        ({"delivery": "d1", "version": 1}, 404),  # which went by mail, to a person
        ({"delivery": "w1", "version": 2}, 409),
        ({"delivery": "w1", "version": 0}, 409),
    ],
)
def test_a_reply_that_cannot_be_is_refused(receiver, body, status):
    assert receiver.reply(body) == status
    assert receiver.acknowledgements == []


def test_the_reply_of_somebody_no_longer_a_recipient_is_refused(receiver):
    receiver.recipients = Recipients({})
    assert receiver.reply(REPLY) == 403
    assert receiver.acknowledgements == []
