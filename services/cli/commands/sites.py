"""``aegis sites``: who may send."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.chosen_settings import read_store_settings
from services.cli.shared.columns import SITES
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.study_of_data import choose_study
from services.cli.shared.tables import make_explained_table
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites


def perform(args: Namespace) -> int:
    """List sites, make a key for one, or revoke its keys."""
    sites = load_sites(choose_study(read_store_settings(args)).study, load_code_tables()).by_id
    if args.word == "list":
        if args.json:
            print_json_lines(
                {"site": site.id, "timezone": site.timezone, "senders": site.senders}
                for site in sites.values()
            )
            return 0
        rows = [(site.id, site.timezone, ", ".join(site.senders)) for site in sites.values()]
        print(make_explained_table(SITES, rows))
        return 0
    if args.site not in sites:
        raise CommandError(f"no site {args.site}: sites.yaml has {', '.join(sites)}")
    from services.cli.shared.site_keys import change_keys  # noqa: PLC0415 (it loads the rules)

    change_keys(args)
    return 0
