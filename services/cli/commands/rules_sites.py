"""``aegis rules sites``: each site beside the rest, exactly; for the safety officer."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.shared.columns import RULES_SITES
from services.cli.shared.open_study import open_to_read
from services.cli.shared.tables import format_utc, make_explained_table
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.site_report import LEVEL, SiteRuleRow, SiteView, compare_sites

_LEGEND = (
    "Fisher's exact test, site against rest, of events among all treated so far.",
    "p more: one-sided, that many or more at the site; two-sided: every table as improbable.",
    "Holm: adjusted for the comparisons that can stand out (Tarone), the watched rules apart.",
    f"A site stands out when Holm's one-sided p is {LEVEL:g} or less; least p: the smallest that",
    "the margins allow. Sites differ in follow-up: effective sizes stand beside the counts;",
    "window over (site : rest): only those who were followed through the whole window.",
)


def compute_answer(args: Namespace) -> str:
    """Return the comparison of every site under every rule that has events, or its JSON.

    Raises:
        CommandError: There are no data.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    context = open_to_read(args)
    with context.db.read() as conn:
        comparison = compare_sites(conn, context.study.rules, args.as_of)
    if comparison is None:
        return "Nothing was known of anybody."
    return write_canonical(comparison) if args.json else "\n".join(_describe_comparison(comparison))


def _describe_comparison(comparison: SiteView) -> Iterator[str]:
    yield "FOR THE SAFETY OFFICER: names sites. Not for the DSMB."
    if not comparison.rows:
        yield "Nothing to compare: no rule has events, or one site has treated everybody."
    else:
        yield make_explained_table(RULES_SITES, [_site_cells(row) for row in comparison.rows])
    yield f"{comparison.protocol}; known at {format_utc(comparison.as_of)} UTC."
    yield from _LEGEND
    yield "Trial safety oversight, not a bedside alarm."


def _site_cells(row: SiteRuleRow) -> tuple[object, ...]:
    so_far, full_window = row.so_far, row.window_over
    followed_site = f"{full_window.events}/{full_window.participants}"
    followed_rest = f"{full_window.other_events}/{full_window.other_participants}"
    return (
        f"{row.rule} (watch only)" if row.watch_only else row.rule,
        row.site,
        f"{so_far.events}/{so_far.participants}",
        f"{row.effective:.1f}",
        f"{so_far.other_events}/{so_far.other_participants}",
        f"{row.other_effective:.1f}",
        f"{row.test.one_sided:.3f}",
        _describe_p(row.holm_more),
        f"{row.test.two_sided:.3f}",
        _describe_p(row.holm_two_sided),
        f"{row.test.smallest_one_sided:.4f}",
        f"{followed_site} : {followed_rest}",
        f"{row.window_over_test.one_sided:.3f}",
        row.says,
    )


def _describe_p(chance: float | None) -> str:
    return "-" if chance is None else f"{chance:.3f}"
