"""A link is good for one alert and one person, for a while, and only as it was made."""

import base64
import hmac
from dataclasses import replace
from datetime import timedelta

import pytest

from services.alerts import links
from services.store.vault import Keys, Purpose
from tests.helpers.fact_notes import HOUR_ZERO


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys.load_or_create(tmp_path_factory.mktemp("keys"))


def test_a_link_says_which_alert_and_who(keys):
    link = links.open_link(keys, links.make_token(keys, "a1", "Zoë | chair", HOUR_ZERO), HOUR_ZERO)
    assert (link.alert, link.recipient, link.expires_at) == (
        "a1",
        "Zoë | chair",
        HOUR_ZERO + links.LIFETIME,
    )


@pytest.mark.parametrize(
    ("age", "is_good"),
    [
        (timedelta(0), True),
        (links.LIFETIME, True),
        (links.LIFETIME + timedelta(seconds=1), False),
    ],
)
def test_a_link_lasts_fourteen_days(keys, age, is_good):
    token = links.make_token(keys, "a1", "chair", HOUR_ZERO)
    assert (links.open_link(keys, token, HOUR_ZERO + age) is not None) is is_good


def decode_token(token):
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def encode_token(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_no_bit_of_a_link_can_be_changed(keys):
    raw = decode_token(links.make_token(keys, "a1", "chair", HOUR_ZERO))
    for place in range(len(raw)):
        changed_bytes = bytearray(raw)
        changed_bytes[place] ^= 1
        assert links.open_link(keys, encode_token(bytes(changed_bytes)), HOUR_ZERO) is None, place


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "nonsense",
        "ünïcode",
        encode_token(b"\x00" * 32 + b"a1|99999999999999999999|chair"),
        encode_token(b"\x00" * 32 + b"\xff\xfe"),
        encode_token(b"short"),
    ],
)
def test_what_is_no_link_is_refused(keys, token):
    assert links.open_link(keys, token, HOUR_ZERO) is None


def test_a_link_of_another_installation_is_refused(keys, tmp_path):
    other_keys = Keys.load_or_create(tmp_path / "keys")
    assert (
        links.open_link(keys, links.make_token(other_keys, "a1", "chair", HOUR_ZERO), HOUR_ZERO)
        is None
    )


def make_earlier_token(keys, instant):
    """A link as the first releases made it: signed by the key of the audit trail."""
    expiry_s = int((instant + links.LIFETIME).timestamp())
    content = f"a1|{expiry_s}|chair".encode()
    seal = keys.single[Purpose.SEAL]
    signed = hmac.new(seal, b"acknowledgement link\n" + content, "sha256").digest()
    return encode_token(signed + content)


@pytest.mark.parametrize(
    ("since_upgrade", "is_good"),
    [
        (timedelta(0), True),
        (links.LIFETIME - timedelta(seconds=1), True),
        (links.LIFETIME, True),
        (links.LIFETIME + timedelta(seconds=1), False),
    ],
)
def test_an_earlier_link_is_good_until_the_last_of_them_has_expired(keys, since_upgrade, is_good):
    made_at = HOUR_ZERO + timedelta(
        hours=1
    )  # by a process of the earlier release, after the upgrade
    token = make_earlier_token(keys, made_at)
    earlier_until = HOUR_ZERO + links.LIFETIME
    opened_at = HOUR_ZERO + since_upgrade
    link = links.open_link(keys, token, opened_at, earlier_until=earlier_until)
    assert (link is not None) is is_good


def test_an_earlier_link_expires_as_it_said(keys):
    token = make_earlier_token(keys, HOUR_ZERO - timedelta(days=1))
    expires_at = HOUR_ZERO + links.LIFETIME
    (good_at, expired_at) = expires_at - timedelta(days=1), expires_at - timedelta(hours=23)
    assert links.open_link(keys, token, good_at, earlier_until=expires_at)
    assert not links.open_link(keys, token, expired_at, earlier_until=expires_at)


def test_who_has_the_key_of_the_audit_trail_alone_can_make_no_link(keys):
    assert links.open_link(keys, make_earlier_token(keys, HOUR_ZERO), HOUR_ZERO) is None


def test_a_process_without_the_key_of_the_audit_trail_opens_no_earlier_link(keys):
    expires_at, token = HOUR_ZERO + links.LIFETIME, make_earlier_token(keys, HOUR_ZERO)
    of_alerts = replace(keys, single={Purpose.LINKS: keys.single[Purpose.LINKS]})
    assert links.open_link(of_alerts, token, HOUR_ZERO, earlier_until=expires_at) is None
    new_token = links.make_token(of_alerts, "a1", "chair", HOUR_ZERO)
    assert links.open_link(of_alerts, new_token, HOUR_ZERO, earlier_until=expires_at)
