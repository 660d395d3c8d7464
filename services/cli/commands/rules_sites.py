"""``aegis rules sites``: each site beside the rest, exactly; for the safety officer."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.shared.columns import RULES_SITES
from services.cli.shared.open_study import open_data
from services.cli.shared.tables import explained_table, utc
from services.runtime import wire
from services.safety_rules.inquiries.site_report import LEVEL, SiteRow, SiteView, compare

_LEGEND = (
    "Fisher's exact test, site against rest, of events among all treated so far.",
    "p more: one-sided, that many or more at the site; two-sided: every table as improbable.",
    "Holm: adjusted for the comparisons that can stand out (Tarone), the watched rules apart.",
    f"A site stands out when Holm's one-sided p is {LEVEL:g} or less; least p: the smallest that",
    "the margins allow. Sites differ in follow-up: effective sizes stand beside the counts;",
    "window over (site : rest): only those who were followed through the whole window.",
)


def compare_sites(args: Namespace) -> int:
    """Print the comparison of every site under every rule that has events."""
    context = open_data(args, create=False)
    with context.db.read() as conn:
        found = compare(conn, context.study.rules, args.as_of)
    if found is None:
        print("Nothing was known of anybody.")
    elif args.json:
        print(wire.write_canonical(found))
    else:
        print("\n".join(_lines(found)))
    return 0


def _lines(of: SiteView) -> Iterator[str]:
    yield "FOR THE SAFETY OFFICER: names sites. Not for the DSMB."
    if not of.rows:
        yield "Nothing to compare: no rule has events, or one site has treated everybody."
    else:
        yield explained_table(RULES_SITES, [_row(row) for row in of.rows])
    yield f"{of.protocol}; known at {utc(of.as_of)} UTC."
    yield from _LEGEND
    yield "Trial safety oversight, not a bedside alarm."


def _row(row: SiteRow) -> tuple[object, ...]:
    here, over = row.so_far, row.window_over
    return (
        f"{row.rule} (watch only)" if row.watch_only else row.rule,
        row.site,
        f"{here.events}/{here.participants}",
        f"{row.effective:.1f}",
        f"{here.other_events}/{here.other_participants}",
        f"{row.other_effective:.1f}",
        f"{row.test.one_sided:.3f}",
        _p(row.holm_more),
        f"{row.test.two_sided:.3f}",
        _p(row.holm_two_sided),
        f"{row.test.smallest_one_sided:.4f}",
        f"{over.events}/{over.participants} : {over.other_events}/{over.other_participants}",
        f"{row.window_over_test.one_sided:.3f}",
        row.says,
    )


def _p(chance: float | None) -> str:
    return "-" if chance is None else f"{chance:.3f}"
