"""``aegis sites``: who may send."""

from argparse import Namespace
from collections.abc import Iterable

from services.cli.command import CommandError
from services.cli.shared.active_folder import find_active_folder
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.columns import SITES
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.tables import make_explained_table
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import SiteMap, load_sites


def perform(args: Namespace) -> int:
    """List sites or their keys; make a key for one, rotate one, or revoke its keys.

    Raises:
        CommandError: There is no such site, or a key cannot be made or found.
    """
    sites = load_sites(find_active_folder(read_chosen_settings(args)), load_code_tables()).by_id
    if args.word == "list":
        _list_sites(sites.values(), as_json=args.json)
        return 0
    is_known = args.site is None or args.site in sites
    unknown_site = CommandError(f"no site {args.site}: sites.yaml has {', '.join(sites)}")
    if not is_known and args.word in ("key", "rotate"):
        raise unknown_site
    from services.cli.shared import site_keys  # noqa: PLC0415 (it loads the rules)

    if not is_known and not site_keys.has_keys(args):  # nor had it any before it was removed
        raise unknown_site
    if args.word == "keys":
        site_keys.list_keys(args)
    else:
        site_keys.change_keys(args)
    return 0


def _list_sites(sites: Iterable[SiteMap], *, as_json: bool) -> None:
    if as_json:
        print_json_lines(
            {
                "site": site.id,
                "timezone": site.timezone,
                "senders": site.senders,
                "addresses": [str(one) for one in site.addresses],
                "certificates": site.certificates,
            }
            for site in sites
        )
        return
    rows = [
        (
            site.id,
            site.timezone,
            ", ".join(site.senders),
            "; ".join((*map(str, site.addresses), *site.certificates)) or "-",
        )
        for site in sites
    ]
    print(make_explained_table(SITES, rows))
