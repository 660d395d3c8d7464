"""Each site beside the rest under each stopping rule: for the safety officer, never the DSMB."""

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
    compute_weights,
    find_outcomes,
    select_cohort,
)
from services.safety_rules.domain.stopping.monitor import choose_operative_event
from services.store import participants
from services.store.session import Connection
from services.vocabulary.protocol import Rule
from services.vocabulary.standing import ObservedStanding

Flags = npt.NDArray[np.bool_]
LEVEL = 0.05  # one-sided, after Holm: what is printed as standing out


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site under one rule.

    Args:
        rule: Id.
        title: Of the rule.
        watch_only: As the rule.
        site: Id.
        so_far: Events among all who were treated, whatever their follow-up.
        effective: What the site's participants count for so far, by the rule's own policy.
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
    rows: tuple[SiteRow, ...]


def compare(conn: Connection, rules: Rules, as_of: datetime | None = None) -> SiteView | None:
    """Return each site beside the rest, of what was known at *as_of* (None: of all that is known).

    None when nothing was known of anybody by then. A rule without events compares nothing; nor
    does a site without treated participants, or one that has them all.
    """
    protocol = rules.protocol
    known = load_cut(conn, rules, as_of)
    if known is None:
        return None
    people = participants.load_participants(conn, protocol.study)
    site_of = {subject: one.site for subject, one in people.items()}
    pairs = [
        pair
        for rule in protocol.rules
        for pair in _of_rule(rule, known.standings[rule.id], site_of, known.as_of)
    ]
    rows = [
        row
        for watch_only in (False, True)
        for row in _rows([pair for pair in pairs if pair.rule.watch_only is watch_only])
    ]
    return SiteView(protocol.study, known.as_of, protocol.label, tuple(rows))


@dataclass(frozen=True, slots=True)
class _Compared:
    """A row before it is known how many there are."""

    rule: Rule
    site: str
    so_far: SiteTable
    window_over: SiteTable
    effective: float
    other_effective: float


def _of_rule(
    rule: Rule, observed: Sequence[ObservedStanding], site_of: Mapping[str, str], cut_at: datetime
) -> Iterable[_Compared]:
    of = select_cohort(rule, observed, cut_at)
    happened = find_outcomes(of, choose_operative_event(rule))
    had = np.isfinite(happened.event_at)
    if not had.any():
        return
    over = _followed_through(of, happened)
    weight = compute_weights(of, happened, rule.policy, rule.curve, np.array([of.as_of]))[0]
    at = np.array([site_of.get(member.participant, "") for member in of.members])
    for site in sorted(set(at.tolist())):
        here = at == site
        if here.all():
            continue
        yield _Compared(
            rule,
            site,
            _table(here, had),
            _table(here[over], had[over]),
            float(weight[here].sum()),
            float(weight[~here].sum()),
        )


def _followed_through(of: Cohort, happened: Outcomes) -> Flags:
    """Say of whom everything is known: the window is over, and nothing in it was missed."""
    return (of.window_ends_at <= of.as_of) & (
        (of.followed_until >= of.window_ends_at) | np.isfinite(happened.closed_at)
    )


def _table(here: Flags, had: Flags) -> SiteTable:
    return SiteTable(
        int((here & had).sum()), int(here.sum()), int((~here & had).sum()), int((~here).sum())
    )


def _rows(family: Sequence[_Compared]) -> Iterable[SiteRow]:
    tests = [run_fisher_test(one.so_far) for one in family]
    more = adjust_p_values(
        [t.one_sided for t in tests], [t.smallest_one_sided for t in tests], LEVEL
    )
    both = adjust_p_values(
        [t.two_sided for t in tests], [t.smallest_two_sided for t in tests], LEVEL
    )
    for one, test, p_more, p_both in zip(family, tests, more, both, strict=True):
        yield SiteRow(
            rule=one.rule.id,
            title=one.rule.title,
            watch_only=one.rule.watch_only,
            site=one.site,
            so_far=one.so_far,
            effective=one.effective,
            other_effective=one.other_effective,
            test=test,
            holm_more=p_more,
            holm_two_sided=p_both,
            window_over=one.window_over,
            window_over_test=run_fisher_test(one.window_over),
            says=_says(p_more),
        )


def _says(holm_more: float | None) -> str:
    if holm_more is None:
        return "could not stand out"
    return "more than the rest" if holm_more <= LEVEL else "no difference seen"
