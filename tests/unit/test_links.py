"""A link is good for one alert and one person, for a while, and only as it was made."""

import base64
from datetime import timedelta

import pytest

from services.alerts import links
from services.store.vault import Keys
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
