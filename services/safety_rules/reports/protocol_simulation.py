"""A protocol before its trial begins: how often each of its rules would stop, and any of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.cohort import DAY_S, NEVER
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.path import read_limits
from services.safety_rules.domain.stopping.simulated_stops import find_stop_instants
from services.safety_rules.domain.stopping.trial_plan import (
    TrialPlan,
    add_events,
    choose_onset,
    draw_entries,
    draw_life,
    find_onset_day,
)
from services.safety_rules.domain.stopping.window_length import find_window_days
from services.safety_rules.reports.rule_simulation import check_simulation, check_trial_plan
from services.safety_rules.reports.stop_tally import StopTally, list_batches
from services.vocabulary.protocol import Rule
from services.vocabulary.spelled_numbers import spell_number, spell_numbers

ANY_RULE = "any"


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """The operating characteristics of one rule, or of all together (`ANY_RULE`).

    Args:
        rule: Id; watch-only rules stop nothing and have no part in `ANY_RULE`.
        factor: Every rule's event rate in units of its p0.
        rate: Of the event within the window; None: of all rules together.
        p_stop: Share of the trials that it stops.
        standard_error: Of that share, by simulation.
        mean_enrolled: Participants who had entered when it stopped; all, when it did not.
    """

    rule: str
    factor: float
    rate: float | None
    p_stop: float
    standard_error: float
    mean_enrolled: float


@dataclass(frozen=True, slots=True)
class ProtocolRehearsal:
    """Every rule at every factor, with all that the numbers hang on.

    *correlation* is that of the normal variables behind the events of one participant.
    """

    course: TrialPlan
    dose_days: tuple[float, float]
    correlation: float
    trials: int
    seed: int
    rows: tuple[ProtocolRow, ...]


def rehearse_protocol(
    rules: Sequence[Rule],
    course: TrialPlan,
    *,
    dose_days: tuple[float, float],
    factors: Sequence[float] = (),
    correlation: float = 0.0,
    trials: int = 10_000,
    seed: int = 7,
) -> ProtocolRehearsal:
    """Return the characteristics of *rules* in the same simulated trials.

    Participants, their competing events and the ends of their follow-up are the same for every
    rule; onsets follow each rule's own curve, within its own window. The same arguments give the
    same numbers.

    Args:
        rules: Of one protocol.
        course: How the trials go; its window and onset are those of each rule instead, and its
            competing events and ends of follow-up are spread over the longest window.
        dose_days: Transplant days of the first dose, from the earliest to the latest.
        factors: Each rule's event rate in units of its p0, each from 0 up to the one at
            which the first rate is 1; empty: 1 and 2, or that one.
        correlation: Of the events of one participant, from 0 to 1.
        trials: 100 to 1,000,000.
        seed: 0 or more.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    highest = max(rules, key=lambda rule: rule.stop_when.p0)
    largest = float(f"{1 / highest.stop_when.p0:g}")  # as it is said
    factors = tuple(factors) or (1.0, min(2.0, largest))
    if not all(0 <= factor <= largest for factor in factors):
        raise ValueError(
            f"factors must be numbers from 0 to {largest:g}, at which the event rate of"
            f" {highest.id} is 1, not {spell_numbers(factors)}"
        )
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation must be from 0 to 1, not {spell_number(correlation)}")
    if not 0 <= dose_days[0] <= dose_days[1]:
        raise ValueError(
            "dose-days must be days from 0, the earliest first, not"
            f" {'-'.join(map(spell_number, dose_days))}"
        )
    earliest, latest = (np.array([day]) for day in dose_days)
    for rule in rules:  # a window must not be over before the latest first dose
        find_window_days(rule.window, latest)
    longest = max(float(find_window_days(rule.window, earliest)[0]) for rule in rules)
    course = replace(course, window_days=(longest, longest))
    check_trial_plan(course)
    check_simulation((1.0,), trials, seed)
    rows: list[ProtocolRow] = []
    for factor in factors:
        rates = [min(factor * rule.stop_when.p0, 1.0) for rule in rules]  # 1 but for rounding
        simulation = _Simulation(rules, course, dose_days, rates, correlation)
        generator = np.random.default_rng(seed)
        tallies = [StopTally() for _ in (*rules, ANY_RULE)]
        for size in list_batches(trials):
            stops = simulation.stop_trials(size, generator)
            for tally, (entered_at, stopped_at) in zip(tallies, stops, strict=True):
                tally.add_trials(entered_at, stopped_at)
        rows += [
            ProtocolRow(name, factor, rate, tally.p_stop, tally.standard_error, tally.mean_enrolled)
            for tally, name, rate in zip(
                tallies, [*(rule.id for rule in rules), ANY_RULE], [*rates, None], strict=True
            )
        ]
    return ProtocolRehearsal(course, dose_days, correlation, trials, seed, tuple(rows))


class _Simulation:
    """Trials in which every rule watches the same participants."""

    def __init__(
        self,
        rules: Sequence[Rule],
        course: TrialPlan,
        dose_days: tuple[float, float],
        rates: Sequence[float],
        correlation: float,
    ) -> None:
        """Simulate *rules* at *rates*."""
        self._rules, self._course, self._dose_days = rules, course, dose_days
        self._thresholds = [special.ndtri(rate) for rate in rates]
        self._shared_part = math.sqrt(correlation)
        self._own_part = math.sqrt(1 - correlation)

    def stop_trials(
        self, trials: int, generator: np.random.Generator
    ) -> list[tuple[Floats, Floats]]:
        """Return entries and stop of each rule, then of the first that stops; in seconds."""
        shape = trials, max(rule.stop_when.n for rule in self._rules)
        entered_at = draw_entries(self._course, shape, generator)
        dose_day = generator.uniform(*self._dose_days, shape)
        longest = np.full(shape, self._course.window_days[1])
        life = draw_life(self._course, entered_at, longest, generator)
        shared_variable = generator.standard_normal(shape) * self._shared_part
        stops: list[tuple[Floats, Floats]] = []
        first_stop = np.full(trials, NEVER)
        for rule, threshold in zip(self._rules, self._thresholds, strict=True):
            happens = (
                shared_variable + generator.standard_normal(shape) * self._own_part < threshold
            )
            span = find_window_days(rule.window, dose_day)
            days = find_onset_day(choose_onset(rule), generator.random(shape), span)
            event_at = np.where(happens, entered_at + days * DAY_S, NEVER)
            all_trials = add_events(self._course, life, span, event_at, generator)
            planned = all_trials.select(np.s_[:, : rule.stop_when.n])
            stopped_at = find_stop_instants(planned, rule.policy, rule.curve, read_limits(rule))
            stops.append((planned.entered_at, stopped_at))
            if not rule.watch_only:
                first_stop = np.minimum(first_stop, stopped_at)
        return [*stops, (entered_at, first_stop)]
