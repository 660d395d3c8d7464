"""A rule before its trial begins: how often it would stop, however those still followed count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.characteristics import (
    LONGEST_DAYS,
    compute_characteristics,
)
from services.safety_rules.domain.stopping.path import Limits, SignedLimits, read_limits
from services.safety_rules.domain.stopping.pending import find_curve_faults
from services.safety_rules.domain.stopping.person_time_plan import compute_ratio
from services.safety_rules.domain.stopping.person_time_rule import design_person_time_rule
from services.safety_rules.domain.stopping.policies import PERSON_TIME
from services.safety_rules.domain.stopping.simulated_stops import (
    COUNTING_METHODS,
    find_stop_instants,
)
from services.safety_rules.domain.stopping.trial_plan import TrialPlan, choose_onset, draw_trials
from services.safety_rules.reports.stop_tally import StopTally, list_batches
from services.vocabulary.protocol import Curve, Rule
from services.vocabulary.spelled_numbers import spell_number, spell_numbers

__all__ = (
    "Rehearsal",
    "RehearsalRow",
    "TrialPlan",
    "check_simulation",
    "check_trial_plan",
    "choose_onset",
    "rehearse",
)

_TRIALS = (100, 1_000_000)
_MOST_SITES = 1000
_SHORTEST_MEAN_DAYS = 0.01
_WEIBULL_SHAPES = (0.05, 50.0)


@dataclass(frozen=True, slots=True)
class RehearsalRow:
    """The operating characteristics of one way of counting at one event rate.

    Args:
        rate: Of the event within the window.
        counting: A policy, or ``naive``.
        is_own: True if the rule counts that way.
        p_stop: Share of the trials that it stops.
        standard_error: Of that share, by simulation.
        mean_enrolled: Participants who had entered when it stopped; all, when it did not.
        mean_events: Events that had happened by then, counted or not.
    """

    rate: float
    counting: str
    is_own: bool
    p_stop: float
    standard_error: float
    mean_enrolled: float
    mean_events: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All ways of counting at every rate, with all that the numbers hang on.

    *curve* is the onset curve that the rule counts by; *exact* is P(stop) with all windows
    complete, by rate, or of a rule of person-time by the end of its plan.
    """

    rule: str
    course: TrialPlan
    curve: Curve
    trials: int
    seed: int
    exact: tuple[tuple[float, float], ...]
    rows: tuple[RehearsalRow, ...]


def rehearse(
    rule: Rule,
    course: TrialPlan,
    *,
    rates: Sequence[float],
    trials: int = 10_000,
    seed: int = 7,
) -> Rehearsal:
    """Return the characteristics of *rule* in simulated trials, by its own and every other count.

    A trial is stopped when what was reported by then reaches the boundary, as the live monitor
    tells it: also when a correction takes that back later. The same arguments give the same
    numbers.

    Args:
        rule: Without a fault; its boundary, looks and onset curve are what it counts by.
        course: How the trials go.
        rates: Event rates, each in [0, 1].
        trials: 100 to 1,000,000.
        seed: 0 or more.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    check_trial_plan(course)
    check_simulation(rates, trials, seed)
    limit, n = read_limits(rule), rule.stop_when.n
    methods = (PERSON_TIME,) if rule.stop_when.person_time else COUNTING_METHODS
    exact = _compute_exact(rule, limit, rates)
    rows: list[RehearsalRow] = []
    for rate in rates:
        chance = np.random.default_rng(seed)
        tallies = {method: StopTally() for method in methods}
        for size in list_batches(trials):
            drawn_trials = draw_trials(course, rate, n, size, chance)
            for method, tally in tallies.items():
                stopped_at = find_stop_instants(drawn_trials, method, rule.curve, limit)
                tally.add_trials(drawn_trials.entered_at, stopped_at)
                tally.add_events(drawn_trials.event_at, stopped_at)
        rows += [
            RehearsalRow(
                rate=rate,
                counting=counting,
                is_own=counting == rule.policy,
                p_stop=tally.p_stop,
                standard_error=tally.standard_error,
                mean_enrolled=tally.mean_enrolled,
                mean_events=tally.mean_events,
            )
            for counting, tally in tallies.items()
        ]
    return Rehearsal(
        rule=rule.id,
        course=course,
        curve=rule.curve,
        trials=trials,
        seed=seed,
        exact=exact,
        rows=tuple(rows),
    )


def _compute_exact(
    rule: Rule, limit: Limits, rates: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Return P(stop) by rate: with all windows complete, or by the end of a plan of person-time."""
    if isinstance(limit, SignedLimits):
        at_rates = compute_characteristics(np.array(limit.table), rates)
        return tuple((at.rate, at.p_stop) for at in at_rates)
    ratios = [compute_ratio(rule.stop_when.p0, rate) for rate in rates]
    at_ratios = design_person_time_rule(rule, ratios).characteristics
    return tuple((rate, at.p_stop) for rate, at in zip(rates, at_ratios, strict=True))


def check_simulation(rates: Sequence[float], trials: int, seed: int) -> None:
    """Do nothing when so many trials can be simulated at *rates*.

    Raises:
        ValueError: One is out of range; the message names it.
    """
    if not rates or not all(0 <= rate <= 1 for rate in rates):
        raise ValueError(
            f"rates must be one or more numbers from 0 to 1, not {spell_numbers(rates)}"
        )
    if not _TRIALS[0] <= trials <= _TRIALS[1]:
        raise ValueError(f"trials must be from {_TRIALS[0]} to {_TRIALS[1]}, not {trials}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, not {seed}")


def check_trial_plan(plan: TrialPlan) -> None:
    """Do nothing when trials can go as *plan* says.

    Raises:
        ValueError: A number is out of range; the message names it.
    """
    days = {
        "accrual-days": (plan.accrual_days, False),
        "false-report-days": (plan.false_report_days, False),
        "report-delay-days": (plan.report_delay_days, True),
        "site-gap-days": (plan.site_gap_days, True),
    }
    for name, (number, may_be_zero) in days.items():
        if not (0 <= number <= LONGEST_DAYS and (number or may_be_zero)):
            lowest = "from 0" if may_be_zero else "above 0 and"
            raise ValueError(
                f"{name} must be {lowest} up to {LONGEST_DAYS:g} days, not {spell_number(number)}"
            )
    shortest, longest = plan.window_days
    if not 0 < shortest <= longest <= LONGEST_DAYS:
        raise ValueError(
            f"window-days must be days above 0 and up to {LONGEST_DAYS:g}, the shortest first,"
            f" not {_spell_range(shortest, longest)}"
        )
    shares = {
        "competing": plan.competing_rate,
        "dropout": plan.dropout_rate,
        "false-reports": plan.false_report_rate,
    }
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be from 0 to 1, not {spell_number(share)}")
    if not 1 <= plan.sites <= _MOST_SITES:
        raise ValueError(f"sites must be from 1 to {_MOST_SITES}, not {plan.sites}")
    if (last_opens_on := plan.site_gap_days * (plan.sites - 1)) >= plan.accrual_days:
        raise ValueError(
            f"site-gap-days must let the last site open before the accrual ends on day"
            f" {plan.accrual_days:g}, not on day {last_opens_on:g}"
        )
    curves = {
        "onset": plan.onset,
        "accrual": plan.accrual,
        "competing-onset": plan.competing_onset,
    }
    for name, curve in curves.items():
        for fault in (*find_curve_faults(curve), *_find_curve_excesses(curve)):
            raise ValueError(f"{name}: {fault}")


def _spell_range(shortest: float, longest: float) -> str:
    ends = (shortest,) if shortest == longest else (shortest, longest)
    return "-".join(map(spell_number, ends))


def _find_curve_excesses(curve: Curve) -> Iterator[str]:
    """Yield each number of *curve* that is too small or too large to simulate with."""
    days = {
        "exponential": {"mean_days": curve.mean_days},
        "weibull": {"scale_days": curve.scale_days},
        "table": {"DAY": curve.points[-1][0] if curve.points else LONGEST_DAYS},
    }.get(curve.shape, {})
    ranges = [(name, day, _SHORTEST_MEAN_DAYS, LONGEST_DAYS) for name, day in days.items()]
    if curve.shape == "weibull":
        ranges.append(("weibull_shape", curve.weibull_shape, *_WEIBULL_SHAPES))
    for name, number, low, high in ranges:
        if not low <= number <= high:
            yield f"{name} must be from {low:g} to {high:g}, not {spell_number(number)}"
