"""The course of a simulated trial, and trials that are drawn so."""

from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.cohort import DAY_S, NEVER
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.pending import compute_onset_fraction
from services.safety_rules.domain.stopping.person_time import compute_expected_risk
from services.safety_rules.domain.stopping.person_time_plan import compute_hazard
from services.safety_rules.domain.stopping.simulated_trials import SimulatedTrials
from services.vocabulary.protocol import Curve, Rule

UNIFORM = Curve("uniform")


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """The course of a trial that is simulated; what a trial in life has beside events is optional.

    Args:
        accrual_days: Everybody enters within it.
        window_days: Shortest and longest window of a participant, uniform between them.
        onset: The onset curve of the events within the window.
        accrual: The share that has entered by each day of the accrual.
        sites: Each of them enrols, from its opening to the end of the accrual.
        site_gap_days: Between the openings of one site and the next; the first opens on day 0.
        competing_rate: Probability of a competing event within the window.
        competing_onset: The onset curve of competing events.
        dropout_rate: Probability that follow-up ends within the window, at any time of it alike.
        report_delay_days: Mean days, exponential, from an event or competing event to its report.
        false_report_rate: Probability that an event is reported that was none, at any time of the
            window alike.
        false_report_days: Until such a report is corrected.
    """

    accrual_days: float
    window_days: tuple[float, float]
    onset: Curve
    accrual: Curve = UNIFORM
    sites: int = 1
    site_gap_days: float = 0.0
    competing_rate: float = 0.0
    competing_onset: Curve = UNIFORM
    dropout_rate: float = 0.0
    report_delay_days: float = 0.0
    false_report_rate: float = 0.0
    false_report_days: float = 30.0


def draw_trials(
    plan: TrialPlan, rate: float, n: int, trials: int, generator: np.random.Generator
) -> SimulatedTrials:
    """Return *trials* of *n* participants each, every one with the event with probability *rate*.

    >>> plan = TrialPlan(365, (100, 100), Curve("uniform"))
    >>> draw_trials(plan, 0.2, 30, 2, np.random.default_rng(1)).event_at.shape
    (2, 30)

    Args:
        plan: How they go.
        rate: In [0, 1]; before competing events and the end of follow-up take some away.
        n: Participants.
        trials: How many.
        generator: Where the numbers come from: the same generator gives the same trials.
    """
    shape = trials, n
    entered_at = draw_entries(plan, shape, generator)
    span = generator.uniform(*plan.window_days, shape)
    days = find_onset_day(plan.onset, generator.random(shape), span)
    happens = generator.random(shape) < rate
    event_at = np.where(happens, entered_at + days * DAY_S, NEVER)
    life = draw_life(plan, entered_at, span, generator)
    return add_events(plan, life, span, event_at, generator)


@dataclass(frozen=True, slots=True)
class Life:
    """The fate of participants beside the events of a rule; see `SimulatedTrials`."""

    entered_at: Floats
    competing_at: Floats
    left_at: Floats
    competing_known_at: Floats


def draw_life(
    plan: TrialPlan, entered_at: Floats, span: Floats, generator: np.random.Generator
) -> Life:
    """Return competing events and ends of follow-up, as *plan* says.

    Args:
        plan: How they go.
        entered_at: By entry, shape (trials, participants), in seconds.
        span: Days within which each may happen, of the same shape.
        generator: Where the numbers come from.
    """
    competing_at = _draw_instants(
        plan.competing_rate, plan.competing_onset, entered_at, span, generator
    )
    left_at = _draw_instants(plan.dropout_rate, UNIFORM, entered_at, span, generator)
    competing_at = np.where(left_at < competing_at, NEVER, competing_at)
    return Life(entered_at, competing_at, left_at, _delay_reports(plan, competing_at, generator))


def add_events(
    plan: TrialPlan, life: Life, span: Floats, event_at: Floats, generator: np.random.Generator
) -> SimulatedTrials:
    """Return the trials in which these events happen in these lives, and false ones are reported.

    Args:
        plan: How they go.
        life: Of the same participants.
        span: Length of each window in days, shape (trials, participants).
        event_at: The event, if nothing comes before it, of the same shape.
        generator: Where the numbers come from.
    """
    ends_at = np.minimum(life.competing_at, life.left_at)
    event_at = np.where(ends_at < event_at, NEVER, event_at)
    false_at = _draw_instants(plan.false_report_rate, UNIFORM, life.entered_at, span, generator)
    false_at = np.where((ends_at < false_at) | (event_at <= false_at), NEVER, false_at)
    false_known_at = _delay_reports(plan, false_at, generator)
    return SimulatedTrials(
        entered_at=life.entered_at,
        window_ends_at=life.entered_at + span * DAY_S,
        event_at=event_at,
        competing_at=life.competing_at,
        left_at=life.left_at,
        event_known_at=_delay_reports(plan, event_at, generator),
        competing_known_at=life.competing_known_at,
        false_at=false_at,
        false_known_at=false_known_at,
        corrected_at=false_known_at + plan.false_report_days * DAY_S,
    )


def _draw_instants(
    rate: float, onset: Curve, entered_at: Floats, span: Floats, generator: np.random.Generator
) -> Floats:
    if not rate:
        return np.full(entered_at.shape, NEVER)
    days = find_onset_day(onset, generator.random(entered_at.shape), span)
    happens = generator.random(entered_at.shape) < rate
    return np.where(happens, entered_at + days * DAY_S, NEVER)


def _delay_reports(plan: TrialPlan, instants: Floats, generator: np.random.Generator) -> Floats:
    if not plan.report_delay_days:
        return instants
    delay_days = generator.exponential(plan.report_delay_days, instants.shape)
    return instants + delay_days * DAY_S


def draw_entries(plan: TrialPlan, shape: tuple[int, int], generator: np.random.Generator) -> Floats:
    """Return the entries in seconds, in order in each trial, of *shape* (trials, participants)."""
    part = generator.uniform(0, 1, shape)
    accrual_days = np.full(shape, plan.accrual_days)
    opened_on: Floats = np.zeros(shape)
    if plan.sites > 1:
        opened_on = np.asarray(generator.integers(0, plan.sites, shape) * plan.site_gap_days)
    days = opened_on + find_onset_day(plan.accrual, part, accrual_days) * (
        1 - opened_on / plan.accrual_days
    )
    return np.asarray(np.sort(days, axis=1) * DAY_S)


def choose_onset(rule: Rule) -> Curve:
    """Return the onset that a rule counts by; of person-time, the one of its hazards at p0.

    A constant hazard is exponential; of others the risk at each corner, as a table.
    """
    boundary = rule.stop_when.person_time
    if boundary is None:
        return rule.curve
    if rule.curve.shape == "uniform":
        hazard = compute_hazard(rule.stop_when.p0, boundary.window_days)
        return Curve("exponential", mean_days=1 / hazard)
    days = [day for day, _ in rule.curve.points]
    return Curve(
        "table", points=tuple((day, compute_expected_risk(rule.curve, day)) for day in days)
    )


def find_onset_day(curve: Curve, part: Floats, span: Floats) -> Floats:
    """Return the day by which *part* of the events that come within *span* days have come.

    The reverse of `pending.compute_onset_fraction`, given that the event lies within the window; by
    length where the curve expects none there. Arrays are of one shape.
    """
    if curve.shape == "uniform":
        return np.asarray(part * span)
    at_end = compute_onset_fraction(curve, span, span)
    fraction = part * at_end
    if curve.shape == "exponential":
        days = -curve.mean_days * np.log1p(-fraction)
    elif curve.shape == "weibull":
        days = curve.scale_days * (-np.log1p(-fraction)) ** (1 / curve.weibull_shape)
    else:
        curve_days, parts = zip(*((0.0, 0.0), *curve.points), strict=True)
        days = np.interp(fraction, parts, curve_days)
    return np.where(at_end > 0, np.minimum(days, span), part * span)
