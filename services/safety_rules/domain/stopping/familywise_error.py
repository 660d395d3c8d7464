"""The chance that a protocol's rules together stop a trial that is safe under every one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod, sqrt

import numpy as np
import numpy.typing as npt
from scipy import special

from services.safety_rules.domain.stopping.design import Design
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.person_time_design import PersonTimeDesign

SEED = 20_260_101
TRIALS = 20_000
_BATCH_NUMBERS = 4_000_000  # random numbers held in memory


@dataclass(frozen=True, slots=True)
class PersonTimeTrial:
    """A rule of person-time with its *n* participants, each with the acceptable risk *p0*."""

    design: PersonTimeDesign
    p0: float
    n: int

    @property
    def alpha(self) -> float:
        """Nominal type I error."""
        return self.design.alpha

    @property
    def attained_alpha(self) -> float:
        """Exact type I error."""
        return self.design.attained_alpha


JointRule = Design | PersonTimeTrial


@dataclass(frozen=True, slots=True)
class FamilywiseError:
    """Chances that at least one rule stops when every event rate is its p0.

    Args:
        chances: For each correlation, its chance.
        error: Standard error of a simulated chance, at most.
        independent: 1 - prod(1 - attained alpha): exact when the events are independent.
        nominal: 1 - prod(1 - alpha).
        trials: Simulated for each correlation.
        seed: Of the simulation: the same chances each time.
    """

    chances: tuple[tuple[float, float], ...]
    error: float
    independent: float
    nominal: float
    trials: int
    seed: int


def simulate_familywise_error(
    rules: Sequence[JointRule],
    correlations: Sequence[float] = (0.0, 0.3, 0.6, 1.0),
    *,
    trials: int = TRIALS,
    seed: int = SEED,
) -> FamilywiseError:
    """Return the chance that at least one of *rules* stops a safe trial.

    Every participant is followed to the end of each window. Whether a participant has the events of
    several rules is one draw of normal variables that are equally correlated, each below the
    quantile of its rule's p0: 0 is independent, 1 has the rarer event only with the more frequent.

    Args:
        rules: Each with its own p0, boundary and looks; one or more.
        correlations: In [0, 1].
        trials: To simulate for each correlation.
        seed: Of the simulation.
    """
    shares = _simulate_stopped_shares(rules, correlations, trials, seed)
    chances = tuple(zip(correlations, shares, strict=True))
    return FamilywiseError(
        chances=chances,
        error=max((sqrt(p * (1 - p) / trials) for _, p in chances), default=0.0),
        independent=1 - prod(1 - rule.attained_alpha for rule in rules),
        nominal=1 - prod(1 - rule.alpha for rule in rules),
        trials=trials,
        seed=seed,
    )


def _simulate_stopped_shares(
    rules: Sequence[JointRule], correlations: Sequence[float], trials: int, seed: int
) -> list[float]:
    """Return, for each correlation, the share of the trials that some rule stops.

    All are of the same random numbers: to draw them takes longest.
    """
    if not correlations:
        return []
    generator = np.random.default_rng(seed)
    longest = max(rule.n for rule in rules)
    per_round = max(1, _BATCH_NUMBERS // (longest * len(rules)))
    stopped_counts = np.zeros(len(correlations), dtype=np.int64)
    for first_trial in range(0, trials, per_round):
        size = (min(per_round, trials - first_trial), longest)
        shared_part = generator.standard_normal(size)
        any_stops = np.zeros((len(correlations), size[0]), dtype=np.bool_)
        for rule in rules:
            own_part = generator.standard_normal(size)
            for number, rho in enumerate(correlations):
                latent = _mix_parts(shared_part, own_part, rho)
                any_stops[number] |= (
                    _find_stops(rule, latent)
                    if isinstance(rule, Design)
                    else _find_stops_in_time(rule, latent)
                )
        stopped_counts += any_stops.sum(axis=1)
    return [int(count) / trials for count in stopped_counts]


def _mix_parts(shared_part: Floats, own_part: Floats, rho: float) -> Floats:
    """Return normal variables of which each two rules have correlation *rho*."""
    if rho in (0, 1):
        return shared_part if rho else own_part
    return shared_part * sqrt(rho) + own_part * sqrt(1 - rho)


def _find_stops(rule: Design, latent: Floats) -> npt.NDArray[np.bool_]:
    """Return the trials that stop; *latent*: normal variables, shape (trials, participants)."""
    has_event = latent < special.ndtri(rule.p0)
    stops = np.count_nonzero(has_event, axis=1) >= min(rule.boundary)  # the others never do
    least_events = np.full(latent.shape[1], latent.shape[1] + 1, np.int32)  # where none compares
    least_events[np.array(rule.looks) - 1] = rule.boundary
    events = has_event[stops].cumsum(axis=1, dtype=np.int32)
    stops[stops] = (events >= least_events).any(axis=1)
    return np.asarray(stops)


def _find_stops_in_time(rule: PersonTimeTrial, latent: Floats) -> npt.NDArray[np.bool_]:
    """Return the trials that stop; each participant is followed when the one before is complete.

    The order in which person-time comes changes nothing: events against it are a Poisson process.
    """
    plan, window_events = rule.design.plan, -np.log1p(-rule.p0)
    waits = -special.log_ndtr(
        -latent[:, : rule.n]
    )  # exponential; the event comes if within *window_events*
    times = np.minimum(waits, window_events).cumsum(axis=1) / plan.hazard
    event_times = np.sort(np.where(waits <= window_events, times, np.inf), axis=1)
    if plan.looks:
        looks, limits = np.array(plan.looks), np.array(rule.design.limits)
        needed_events = (limits < looks[:, None]).sum(axis=1) + 1
        counts = (event_times[:, :, None] <= looks).sum(axis=1)
        return np.asarray((counts >= needed_events).any(axis=1))
    count = min(rule.n, len(rule.design.limits))
    return np.asarray((event_times[:, :count] <= rule.design.limits[:count]).any(axis=1))
