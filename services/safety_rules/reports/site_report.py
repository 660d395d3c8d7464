"""Each site against the rest under each stopping rule: for the safety officer, never the DSMB."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from services.safety_rules.application.decide_study import load_cut
from services.safety_rules.domain.comparison.site_comparison import (
    FisherResult,
    SiteTable,
    adjust_p_values,
    run_fisher_test,
)
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.cohort import (
    Cohort,
    Outcomes,
    choose_event_kind,
    find_outcomes,
)
from services.safety_rules.domain.stopping.follow_up import compute_weights
from services.safety_rules.domain.stopping.rule_standings import RuleStandings
from services.store import participants
from services.store.session import Connection
from services.vocabulary.protocol import Rule
from services.vocabulary.standing import ObservedStanding

Flags = npt.NDArray[np.bool_]
LEVEL = 0.05  # one-sided, after Holm: what is printed as standing out


@dataclass(frozen=True, slots=True)
class SiteRuleRow:
    """One site under one rule.

    Args:
        rule: Id.
        title: Of the rule.
        watch_only: As the rule.
        site: Id.
        so_far: Events among all who were treated, whatever their follow-up.
        effective: Sum of the weights of the site's participants so far, by the rule's own policy.
        other_effective: The same of the others.
        test: Of *so_far*.
        holm_more: One-sided p, adjusted for every row of its family that can stand out; None: it
            cannot. The rules that alert are one family, those that are watched only another.
        holm_two_sided: The same of the two-sided p.
        window_over: Events among those whose window is over and who were followed through it.
        window_over_test: Of *window_over*.
        says: *more than the rest*, *could not stand out* or *no difference seen*.
    """

    rule: str
    title: str
    watch_only: bool
    site: str
    so_far: SiteTable
    effective: float
    other_effective: float
    test: FisherResult
    holm_more: float | None
    holm_two_sided: float | None
    window_over: SiteTable
    window_over_test: FisherResult
    says: str


@dataclass(frozen=True, slots=True)
class SiteView:
    """Every comparison at the cut *as_of*."""

    study: str
    as_of: datetime
    protocol: str
    rows: tuple[SiteRuleRow, ...]


def compare_sites(conn: Connection, rules: Rules, as_of: datetime | None = None) -> SiteView | None:
    """Return each site against the rest, at the cut *as_of* (None: of all that is known).

    None when nothing was known of anybody by then. A rule without events compares nothing; nor
    does a site without treated participants, or one that has them all.
    """
    protocol = rules.protocol
    cut = load_cut(conn, rules, as_of)
    if cut is None:
        return None
    people = participants.load_participants(conn, protocol.study)
    site_of = {subject: one.site for subject, one in people.items()}
    pairs = [
        pair
        for rule in protocol.rules
        for pair in _compare_under_rule(rule, cut.standings[rule.id], site_of, cut.as_of)
    ]
    rows = [
        row
        for watch_only in (False, True)
        for row in _test_sites([pair for pair in pairs if pair.rule.watch_only is watch_only])
    ]
    return SiteView(protocol.study, cut.as_of, protocol.label, tuple(rows))


@dataclass(frozen=True, slots=True)
class _SiteComparison:
    """A row before the adjustment for the number of rows."""

    rule: Rule
    site: str
    so_far: SiteTable
    window_over: SiteTable
    effective: float
    other_effective: float


def _compare_under_rule(
    rule: Rule,
    observed: Sequence[ObservedStanding],
    sites_by_participant: Mapping[str, str],
    cut_at: datetime,
) -> Iterable[_SiteComparison]:
    cohort = RuleStandings(rule, observed).select_cohort(cut_at)
    outcomes = find_outcomes(cohort, choose_event_kind(rule))
    has_event = np.isfinite(outcomes.event_at)
    if not has_event.any():
        return
    is_followed = _find_followed_through(cohort, outcomes)
    weight = compute_weights(cohort, outcomes, rule.policy, rule.curve, np.array([cohort.as_of]))[0]
    sites = np.array(
        [sites_by_participant.get(member.participant, "") for member in cohort.members]
    )
    for site in sorted(set(sites.tolist())):
        at_site = sites == site
        if at_site.all():
            continue
        yield _SiteComparison(
            rule,
            site,
            _count_events(at_site, has_event),
            _count_events(at_site[is_followed], has_event[is_followed]),
            float(weight[at_site].sum()),
            float(weight[~at_site].sum()),
        )


def _find_followed_through(cohort: Cohort, outcomes: Outcomes) -> Flags:
    """Return the members whose window is over, and who were followed through it."""
    return (cohort.window_ends_at <= cohort.as_of) & (
        (cohort.followed_until >= cohort.window_ends_at) | np.isfinite(outcomes.closed_at)
    )


def _count_events(at_site: Flags, has_event: Flags) -> SiteTable:
    return SiteTable(
        int((at_site & has_event).sum()),
        int(at_site.sum()),
        int((~at_site & has_event).sum()),
        int((~at_site).sum()),
    )


def _test_sites(family: Sequence[_SiteComparison]) -> Iterable[SiteRuleRow]:
    tests = [run_fisher_test(comparison.so_far) for comparison in family]
    one_sided = adjust_p_values(
        [t.one_sided for t in tests], [t.smallest_one_sided for t in tests], LEVEL
    )
    two_sided = adjust_p_values(
        [t.two_sided for t in tests], [t.smallest_two_sided for t in tests], LEVEL
    )
    for comparison, test, p_more, p_both in zip(family, tests, one_sided, two_sided, strict=True):
        yield SiteRuleRow(
            rule=comparison.rule.id,
            title=comparison.rule.title,
            watch_only=comparison.rule.watch_only,
            site=comparison.site,
            so_far=comparison.so_far,
            effective=comparison.effective,
            other_effective=comparison.other_effective,
            test=test,
            holm_more=p_more,
            holm_two_sided=p_both,
            window_over=comparison.window_over,
            window_over_test=run_fisher_test(comparison.window_over),
            says=_describe_difference(p_more),
        )


def _describe_difference(holm_more: float | None) -> str:
    if holm_more is None:
        return "could not stand out"
    return "more than the rest" if holm_more <= LEVEL else "no difference seen"
