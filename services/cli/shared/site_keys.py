"""API keys of sites, made and revoked by a person."""

import secrets
from argparse import Namespace

from services.cli.shared.open_study import open_data
from services.runtime.clock import now_utc
from services.store import api_keys


def change_keys(args: Namespace) -> None:
    """Make a key for a site and print it, once; or revoke all of its keys."""
    with open_data(args).db.write() as conn:
        if args.word == "key":
            key = secrets.token_urlsafe(32)
            api_keys.add_api_key(conn, key, args.site, now_utc(), actor=args.by)
            print(key)
        else:
            count = api_keys.revoke_api_keys(conn, args.site, now_utc(), actor=args.by)
            print(f"{count} keys of {args.site} revoked")
