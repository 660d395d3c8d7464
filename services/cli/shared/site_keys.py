"""API keys of sites, as a person lists, makes, rotates and revokes them."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.acts.key_changes import append_key_act
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.columns import SITE_KEYS
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_study import open_data
from services.cli.shared.stored_data import open_stored_data
from services.cli.shared.tables import format_utc, make_explained_table
from services.ingest.site_keys import SiteKeyError, make_key, revoke_keys, rotate_key
from services.runtime.clock import now_utc
from services.store import api_keys
from services.store.api_keys import ApiKey
from services.store.session import Connection
from services.vocabulary.act import ActKind
from services.vocabulary.count_text import name_count
from services.vocabulary.person import Actor

_OLD_STAYS = timedelta(days=7)
_Answer = tuple[Sequence[str], str]  # lines, and a note beside them


def list_keys(args: Namespace) -> None:
    """Print the keys of every site, or of one."""
    keys = _load_keys(args)
    instant = now_utc()
    if args.json:
        print_json_lines(_describe_key(key, instant) for key in keys)
    elif keys:
        print(make_explained_table(SITE_KEYS, [_make_row(key, instant) for key in keys]))
    else:
        print("no API key was made yet: `aegis sites key SITE` makes one")


def has_keys(args: Namespace) -> bool:
    """Return True when a key was ever made for the site, which may be in ``sites.yaml`` no more."""
    return bool(_load_keys(args))


def change_keys(args: Namespace) -> None:
    """Make a key for a site and print it, once; rotate one; or revoke one or all of its keys.

    Raises:
        CommandError: It cannot be done.
    """
    try:
        context = open_data(args)
        change, kind = _CHANGES[args.word]
        actor = find_actor(context, kind)
        with context.db.write() as conn:
            lines, note = change(conn, args, actor, now_utc())
            words = f"{args.word} {args.name or ''}".strip()
            append_key_act(conn, actor, kind, args.site, words)
    except SiteKeyError as error:
        raise CommandError(str(error)) from error
    print("\n".join(lines))
    if note:
        print(note, file=sys.stderr)


def _load_keys(args: Namespace) -> list[ApiKey]:
    with open_stored_data(args).db.read() as conn:
        return api_keys.load_api_keys(conn, args.site)


def _make(
    conn: Connection, args: Namespace, actor: Actor, instant: datetime
) -> tuple[Sequence[str], str]:
    key = make_key(
        conn, args.site, instant, actor=actor.id, name=args.name, expires_at=args.expires
    )
    return [key.secret], ""


def _rotate(
    conn: Connection, args: Namespace, actor: Actor, instant: datetime
) -> tuple[Sequence[str], str]:
    new_key, old_key = rotate_key(
        conn,
        args.site,
        instant,
        actor=actor.id,
        name=args.name,
        old_until=args.old_until or instant + _OLD_STAYS,
        expires_at=args.expires,
    )
    end = format_utc(old_key.expires_at)
    note = f"{new_key.name} is valid now, {old_key.name} until {end} UTC"
    return [new_key.secret], note


def _revoke(
    conn: Connection, args: Namespace, actor: Actor, instant: datetime
) -> tuple[Sequence[str], str]:
    count = revoke_keys(conn, args.site, instant, actor=actor.id, name=args.name)
    return [f"{name_count(count, 'key')} of {args.site} revoked"], ""


_CHANGES = {
    "key": (_make, ActKind.ADD_KEY),
    "rotate": (_rotate, ActKind.ADD_KEY),
    "revoke": (_revoke, ActKind.REVOKE_KEY),
}


def _make_row(key: ApiKey, instant: datetime) -> tuple[str, ...]:
    times = (key.created_at, key.revoked_at or key.expires_at, key.used_at)
    return (
        key.site,
        key.name,
        key.assess(instant),
        *("-" if time is None else format_utc(time) for time in times),
    )


def _describe_key(key: ApiKey, instant: datetime) -> Mapping[str, object]:
    times = {
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "used_at": key.used_at,
    }
    return {
        "site": key.site,
        "name": key.name,
        "state": key.assess(instant),
        **{name: time.isoformat() if time else None for name, time in times.items()},
    }
