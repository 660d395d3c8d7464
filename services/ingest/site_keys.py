"""API keys of a site: at most two are valid at once, so that one can follow the other."""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.store import api_keys
from services.store.api_keys import ApiKey, KeyState
from services.store.session import Connection

WARNED_BEFORE = timedelta(days=14)  # the last key of a site ends
MOST_KEYS = 2  # valid at once: the old one, and the new one until every sender has it
_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")


class SiteKeyError(Exception):
    """A key that cannot be made, changed or found; the message says what to do."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: its name, and what nobody can ask for again."""

    name: str
    secret: str


def make_key(
    conn: Connection,
    site: str,
    instant: datetime,
    *,
    actor: str,
    name: str | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a further key of *site*.

    Args:
        conn: A transaction that writes.
        site: Id of the site.
        instant: Now.
        actor: Who makes it.
        name: Of the key; None: the id of the site with a number.
        expires_at: From when it is not valid; None: never.

    Raises:
        SiteKeyError: It has two valid keys, or one of that name, or the expiry has passed.
    """
    keys = api_keys.load_api_keys(conn, site)
    if len(valid_keys := _select_valid(keys, instant)) >= MOST_KEYS:
        names = " and ".join(key.name for key in valid_keys)
        raise SiteKeyError(f"{site} has {MOST_KEYS} valid keys, {names}: revoke one of them first")
    new_name = f"{site}-{len(keys) + 1}" if name is None else name
    if not _NAME.fullmatch(new_name):
        raise SiteKeyError(f"{new_name!r} is no name of a key: letters, digits and . _ - (1 to 40)")
    if new_name in {key.name for key in keys}:
        raise SiteKeyError(f"{site} has or had a key {new_name}: give each a name of its own")
    _require_future(expires_at, instant)
    secret = secrets.token_urlsafe(32)
    api_keys.add_api_key(
        conn, secret, site, instant, actor=actor, name=new_name, expires_at=expires_at
    )
    return NewKey(new_name, secret)


def rotate_key(
    conn: Connection,
    site: str,
    instant: datetime,
    *,
    actor: str,
    old_until: datetime,
    name: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[NewKey, ApiKey]:
    """Make a key that takes the place of another, and let that one be valid until *old_until*.

    Args:
        conn: A transaction that writes.
        site: Id of the site.
        instant: Now.
        actor: Who rotates it.
        old_until: From when the old key is not valid, unless it expires before.
        name: Of the old key; None: the only one that is valid.
        expires_at: From when the new one is not valid; None: never.

    Returns:
        The new key, and the old one as it is from now on.

    Raises:
        SiteKeyError: It has no valid key, or two, or none of that name, or a time has passed.
    """
    _require_future(old_until, instant)
    valid_keys = _select_valid(api_keys.load_api_keys(conn, site), instant)
    if not valid_keys:
        raise SiteKeyError(f"{site} has no valid key: `aegis sites key {site}` makes one")
    old_key = valid_keys[0] if name is None else _find_key(valid_keys, name, site)
    new_key = make_key(conn, site, instant, actor=actor, expires_at=expires_at)
    api_keys.let_api_key_expire(conn, old_key.hash, old_until, actor=actor)
    (changed_key,) = [key for key in api_keys.load_api_keys(conn, site) if key.hash == old_key.hash]
    return new_key, changed_key


def revoke_keys(
    conn: Connection, site: str, instant: datetime, *, actor: str, name: str | None = None
) -> int:
    """Revoke the key *name* of *site*, or all of them; return the number of keys revoked.

    Raises:
        SiteKeyError: It has no key of that name.
    """
    key_hash = None
    if name is not None:
        key_hash = _find_key(api_keys.load_api_keys(conn, site), name, site).hash
    return api_keys.revoke_api_keys(conn, site, instant, actor=actor, key_hash=key_hash)


def list_key_warnings(keys: Sequence[ApiKey], instant: datetime) -> Iterator[str]:
    """Yield a warning for each site whose last key ends within `WARNED_BEFORE`, or has expired.

    A site all of whose keys were revoked is none of them.
    """
    for site in sorted({key.site for key in keys}):
        lasting_keys = [key for key in keys if key.site == site and key.revoked_at is None]
        last_key = max(lasting_keys, key=_read_end, default=None)
        if last_key is None or last_key.expires_at is None:
            continue
        if instant >= last_key.expires_at - WARNED_BEFORE:
            yield (
                f"the last API key of {site}, {last_key.name}, ends or ended on"
                f" {last_key.expires_at:%Y-%m-%dT%H:%MZ}: `aegis sites rotate {site}`, or `key`"
            )


def _read_end(key: ApiKey) -> datetime:
    return key.expires_at or datetime.max.replace(tzinfo=UTC)


def _select_valid(keys: Sequence[ApiKey], instant: datetime) -> list[ApiKey]:
    return [key for key in keys if key.assess(instant) is KeyState.VALID]


def _find_key(keys: list[ApiKey], name: str, site: str) -> ApiKey:
    for key in keys:
        if key.name == name:
            return key
    names = ", ".join(key.name for key in keys) or "none"
    raise SiteKeyError(f"{site} has no such key {name}: it has {names}")


def _require_future(end: datetime | None, instant: datetime) -> None:
    if end is not None and end <= instant:
        raise SiteKeyError(f"{end:%Y-%m-%dT%H:%MZ} has passed: name a later time")
