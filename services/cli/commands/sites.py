"""``aegis sites``: who may send."""

import secrets
from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.columns import SITES
from services.cli.shared.enter_facts import intake_of
from services.cli.shared.open_study import open_data
from services.cli.shared.tables import explained_table
from services.runtime.clock import now_utc
from services.store import api_keys


def perform(args: Namespace) -> int:
    """List sites, make a key for one, or revoke its keys."""
    context = open_data(args)
    sites = intake_of(context).sites
    if args.word == "list":
        rows = [(s.id, s.timezone, ", ".join(s.senders)) for s in sites.by_id.values()]
        print(explained_table(SITES, rows))
        return 0
    if args.site not in sites.by_id:
        raise CommandError(f"no site {args.site}: sites.yaml has {', '.join(sites.by_id)}")
    with context.db.write() as conn:
        if args.word == "key":
            key = secrets.token_urlsafe(32)
            api_keys.add_api_key(conn, key, args.site, now_utc(), actor=args.by)
            print(key)
        else:
            count = api_keys.revoke_api_keys(conn, args.site, now_utc(), actor=args.by)
            print(f"{count} keys of {args.site} revoked")
    return 0
