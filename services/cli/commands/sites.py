"""``aegis sites``: who may send."""

import secrets
from argparse import ArgumentParser, Namespace

from services.cli.command import Command, CommandError
from services.cli.shared.enter_facts import by_argument, intake_of
from services.cli.shared.open_study import data_arguments, open_data
from services.cli.shared.tables import table
from services.runtime.clock import now_utc
from services.store import api_keys


def _arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="list|key|revoke")
    for name, meaning in (
        ("list", "every site of the study"),
        ("key", "make an API key for a site; it is shown once"),
        ("revoke", "refuse every API key of a site from now on"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        data_arguments(word)
        if name != "list":
            word.add_argument("site", metavar="SITE")
            by_argument(word)


def _sites(args: Namespace) -> int:
    opened = open_data(args)
    sites = intake_of(opened).sites
    if args.word == "list":
        rows = [(s.id, s.timezone, ", ".join(s.senders)) for s in sites.by_id.values()]
        print(table(("site", "time zone", "sends as"), rows))
        return 0
    if args.site not in sites.by_id:
        raise CommandError(f"no site {args.site}: sites.yaml has {', '.join(sites.by_id)}")
    with opened.db.write() as conn:
        if args.word == "key":
            key = secrets.token_urlsafe(32)
            api_keys.add_api_key(conn, key, args.site, now_utc(), actor=args.by)
            print(key)
        else:
            count = api_keys.revoke_api_keys(conn, args.site, now_utc(), actor=args.by)
            print(f"{count} keys of {args.site} revoked")
    return 0


COMMAND = Command("sites", "who may send", _arguments, _sites)
