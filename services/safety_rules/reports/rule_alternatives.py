"""A rule beside others that it could have been: other priors, other onsets, another size."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from services.safety_rules.domain.stopping.design import Design, NeverStopsError
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.simulated_stops import find_stop_instants
from services.safety_rules.domain.stopping.trial_plan import UNIFORM, TrialPlan, draw_trials
from services.safety_rules.reports.redesigned_rule import redesign_rule
from services.safety_rules.reports.rule_simulation import check_simulation, check_trial_plan
from services.safety_rules.reports.stop_tally import StopTally, list_batches
from services.vocabulary.protocol import Curve, Rule
from services.vocabulary.spelled_numbers import spell_number

PRIOR_SIZES = (1.0, 2.0, 5.0, 10.0)  # participants that a prior at p0 is worth
Prior = tuple[float, float]
_LARGEST_ALPHA = 0.5
_LARGEST_N = 300
_SMALLEST_N = 3
_NEIGHBOURS = 6  # smaller sizes that are tried too, as power does not rise with every participant


@dataclass(frozen=True, slots=True)
class LiveShare:
    """The share of simulated trials that the live monitor would have stopped.

    Args:
        rate: True event rate.
        p_stop: The share.
        standard_error: Of it, by simulation.
        mean_enrolled: Participants who had entered when it stopped; all, when it did not.
    """

    rate: float
    p_stop: float
    standard_error: float
    mean_enrolled: float


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """The rule with one prior, where events come by one onset curve.

    Args:
        prior: Beta prior that the boundary is calibrated with; None: the family has none.
        onset: How soon events really come.
        is_own: True if prior and onset are the rule's own.
        attained_alpha: Exact type I error with every window complete.
        shares: At each rate.
    """

    prior: Prior | None
    onset: str
    is_own: bool
    attained_alpha: float
    shares: tuple[LiveShare, ...]


@dataclass(frozen=True, slots=True)
class SizedDesign:
    """The smallest plan with the power that was asked for, at one alpha and prior.

    Args:
        alpha: Nominal one-sided error.
        prior: Beta prior; None: the family has none.
        design: None: no plan of up to 300 participants has it.
        at_p0: In simulated trials.
        at_p1: In simulated trials.
    """

    alpha: float
    prior: Prior | None
    design: Design | None
    at_p0: LiveShare | None = None
    at_p1: LiveShare | None = None


def tabulate_sensitivity(
    rule: Rule,
    course: TrialPlan,
    *,
    rates: Sequence[float],
    trials: int,
    seed: int,
    on_row: Callable[[], None] = lambda: None,
) -> list[SensitivityRow]:
    """Return the rule's characteristics for every prior and onset, in simulated trials.

    The boundary is calibrated anew with each prior, at the rule's own p0, alpha and n; the rule
    always counts by its own curve. A prior at which no count could stop is left out. *on_row* is
    called after each row.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    check_trial_plan(course)
    check_simulation(rates, trials, seed)
    rows = []
    for prior in _list_priors(rule):
        design = _redesign(rule, rule.stop_when.n, rule.stop_when.alpha, prior)
        if design is None:
            continue
        for name, onset in _list_onsets(rule, course.onset):
            shares = _simulate_shares(
                rule, design, replace(course, onset=onset), rates, trials=trials, seed=seed
            )
            is_own = prior == _find_own_prior(rule) and onset == rule.curve
            rows.append(SensitivityRow(prior, name, is_own, design.attained_alpha, shares))
            on_row()
    return rows


def search_designs(
    rule: Rule,
    course: TrialPlan,
    p1: float,
    power: float,
    *,
    alphas: Sequence[float] = (),
    trials: int,
    seed: int,
    on_design: Callable[[], None] = lambda: None,
) -> list[SizedDesign]:
    """Return the smallest plan with that power at p1, for every alpha and prior.

    First the smallest n whose exact power is enough, with every window complete; then, while the
    power of the live monitor in simulated trials is less, larger ones.

    Args:
        rule: Whose family, p0 and ways of counting are used.
        course: How the trials go.
        p1: Event rate that must not be missed, above the rule's p0.
        power: Probability of stopping at p1, inside (0, 1).
        alphas: Nominal errors; empty: the rule's, and twice as much.
        trials: To simulate, 100 to 1,000,000.
        seed: 0 or more.
        on_design: Called after each.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    check_search(rule, course, p1, power, alphas=alphas, trials=trials, seed=seed)
    alpha = rule.stop_when.alpha
    alphas = alphas or (alpha, min(2 * alpha, _LARGEST_ALPHA))
    search = _Search(rule, course, p1, power, trials, seed)
    designs = []
    for error, prior in product(alphas, _list_priors(rule)):
        designs.append(search.size_design(error, prior))
        on_design()
    return designs


def check_search(
    rule: Rule,
    course: TrialPlan,
    p1: float,
    power: float,
    *,
    alphas: Sequence[float],
    trials: int,
    seed: int,
) -> None:
    """Do nothing when `search_designs` can search with these arguments.

    Raises:
        ValueError: One is out of range; the message names it.
    """
    p0 = rule.stop_when.p0
    if not p0 < p1 < 1:
        raise ValueError(f"p1 must be above p0 = {p0:g} and below 1, not {spell_number(p1)}")
    if not 0 < power < 1:
        raise ValueError(f"target must be a power above 0 and below 1, not {spell_number(power)}")
    check_trial_plan(course)
    check_simulation((p1,), trials, seed)
    for error in alphas:
        if not 0 < error < 1:
            raise ValueError(f"alphas must be above 0 and below 1, not {spell_number(error)}")


@dataclass(frozen=True, slots=True)
class _Search:
    """The search of the smallest plan; see `search_designs`."""

    rule: Rule
    course: TrialPlan
    p1: float
    power: float
    trials: int
    seed: int

    def size_design(self, alpha: float, prior: Prior | None) -> SizedDesign:
        """Return the smallest plan at this error and prior."""
        n = self._find_smallest_size(alpha, prior)
        while n is not None and n <= _LARGEST_N:
            design = _redesign(self.rule, n, alpha, prior, rates=(self.p1,))
            if design is not None:
                rates = (self.rule.stop_when.p0, self.p1)
                at_p0, at_p1 = _simulate_shares(
                    self.rule, design, self.course, rates, trials=self.trials, seed=self.seed
                )
                if at_p1.p_stop >= self.power:
                    return SizedDesign(alpha, prior, design, at_p0, at_p1)
            n += max(1, n // 20)
        return SizedDesign(alpha, prior, None)

    def _find_smallest_size(self, alpha: float, prior: Prior | None) -> int | None:
        """Return the smallest n whose exact power is enough; None: none up to the largest is."""

        def has_power(n: int) -> bool:
            design = _redesign(self.rule, n, alpha, prior, rates=(self.p1,))
            return design is not None and design.characteristics[0].p_stop >= self.power

        low, high = _SMALLEST_N, _SMALLEST_N
        while not has_power(high):
            if high == _LARGEST_N:
                return None
            low, high = high + 1, min(2 * high, _LARGEST_N)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if has_power(middle) else (middle + 1, high)
        smaller_sizes = range(max(_SMALLEST_N, low - _NEIGHBOURS), low)
        return next(filter(has_power, smaller_sizes), low)


def _redesign(
    rule: Rule,
    n: int,
    alpha: float,
    prior: Prior | None,
    *,
    rates: Sequence[float] = (),
) -> Design | None:
    """Return the rule's family calibrated anew; None: no count could ever stop."""
    changes = {} if prior is None else {"prior": prior}
    try:
        return redesign_rule(rule, alpha, n=n, changes=changes, rates=rates)
    except NeverStopsError:
        return None


def _find_own_prior(rule: Rule) -> Prior | None:
    prior = rule.stop_when.parameters.get("prior")
    return None if prior is None else (prior[0], prior[1])


def _list_priors(rule: Rule) -> list[Prior | None]:
    """Return the rule's own prior, then those at p0 that are worth some participants."""
    own_prior, p0 = _find_own_prior(rule), rule.stop_when.p0
    if own_prior is None:
        return [None]
    other_priors = [(round(size * p0, 10), round(size * (1 - p0), 10)) for size in PRIOR_SIZES]
    return [own_prior, *(prior for prior in other_priors if not _is_same(prior, own_prior))]


def _is_same(one: Prior, other: Prior) -> bool:
    return all(math.isclose(a, b) for a, b in zip(one, other, strict=True))


def _list_onsets(rule: Rule, onset: Curve) -> Iterator[tuple[str, Curve]]:
    """Yield the onsets to try, by name: as the course says, as the rule counts, and others."""
    if onset != rule.curve:
        yield "as asked", onset
    yield "as the rule counts", rule.curve
    if rule.curve.shape != "uniform":
        yield "twice as soon", _stretch(rule.curve, 0.5)
        yield "twice as late", _stretch(rule.curve, 2.0)
        yield "uniform", UNIFORM


def _stretch(curve: Curve, factor: float) -> Curve:
    """Return the curve on which everything comes *factor* times as late."""
    return replace(
        curve,
        mean_days=curve.mean_days * factor,
        scale_days=curve.scale_days * factor,
        points=tuple((day * factor, part) for day, part in curve.points),
    )


def _simulate_shares(
    rule: Rule,
    design: Design,
    course: TrialPlan,
    rates: Sequence[float],
    *,
    trials: int,
    seed: int,
) -> tuple[LiveShare, ...]:
    looks = () if len(design.looks) == design.n else design.looks
    limit = SignedLimits(tuple(design.table.tolist()), looks)
    shares = []
    for rate in rates:
        generator, tally = np.random.default_rng(seed), StopTally()
        for size in list_batches(trials):
            drawn_trials = draw_trials(course, rate, design.n, size, generator)
            stopped_at = find_stop_instants(drawn_trials, rule.policy, rule.curve, limit)
            tally.add_trials(drawn_trials.entered_at, stopped_at)
        shares.append(LiveShare(rate, tally.p_stop, tally.standard_error, tally.mean_enrolled))
    return tuple(shares)
