"""The plan of a rule in person-time: its length, its hazard, and when it is compared."""

from dataclasses import dataclass
from math import isfinite, log1p

from scipy import special

from services.safety_rules.domain.stopping.person_time_families import LARGEST_PLAN
from services.vocabulary.spelled_numbers import spell_number, spell_numbers


@dataclass(frozen=True, slots=True)
class PersonTimePlan:
    """The plan of a rule in person-time; all times are in one unit.

    Args:
        planned: Person-time at which it ends.
        hazard: Acceptable events per unit; 1 where the unit is an expected event.
        looks: Person-time of each comparison, rising, up to *planned*; empty: at every moment.
        min_events: Fewer events never stop.
        delayed_start: Person-time before which nothing is compared.
    """

    planned: float
    hazard: float = 1.0
    looks: tuple[float, ...] = ()
    min_events: int = 1
    delayed_start: float = 0.0

    @property
    def expected_events(self) -> float:
        """The events that are expected by the end of the plan at the acceptable hazard."""
        return self.planned * self.hazard

    def check(self, alpha: float) -> None:
        """Do nothing when every number is in range, and *alpha* can be spent.

        Raises:
            ValueError: The message names the argument and its range.
        """
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must be above 0 and below 1, not {spell_number(alpha)}")
        if not (isfinite(self.hazard) and self.hazard > 0):
            raise ValueError(
                f"hazard must be above 0 events per unit, not {spell_number(self.hazard)}"
            )
        if not (isfinite(self.planned) and 0 < self.expected_events <= LARGEST_PLAN):
            raise ValueError(
                f"planned must be above 0 and at most {LARGEST_PLAN:g} expected events, not "
                f"{self.expected_events:g}"
            )
        if not 0 <= self.delayed_start <= self.planned:
            raise ValueError(
                f"delayed_start must be from 0 to the end of the plan, {self.planned:g}, not "
                f"{spell_number(self.delayed_start)}"
            )
        self._check_looks()
        self._check_min_events(alpha)

    def _check_looks(self) -> None:
        if not self.looks:
            return
        is_rising = list(self.looks) == sorted(set(self.looks))
        if not is_rising or not self.looks[0] > 0 or not self.looks[-1] <= self.planned:
            raise ValueError(
                f"looks must rise, from above 0 to the end of the plan, {self.planned:g}, not "
                f"{spell_numbers(self.looks)}"
            )

    def _check_min_events(self, alpha: float) -> None:
        """Refuse a number that comes too seldom within the plan for alpha to be spent."""
        if self.min_events != int(self.min_events) or self.min_events < 1:
            raise ValueError(f"min_events must be a whole number from 1, not {self.min_events}")
        chance = float(special.gammainc(self.min_events, self.expected_events))
        if self.min_events > 1 and chance < alpha:
            largest = self.min_events - 1
            while largest > 1 and special.gammainc(largest, self.expected_events) < alpha:
                largest -= 1
            raise ValueError(
                f"min_events must be from 1 to {largest}, not {self.min_events}: so many come with "
                f"probability {chance:.2g} in a plan of {self.expected_events:g} expected events, "
                f"less than alpha {alpha:g}"
            )


def compute_hazard(p0: float, window_days: float) -> float:
    """Return the constant hazard per day that has an event within *window_days* with chance *p0*.

    >>> round(compute_hazard(0.15, 100), 10)
    0.0016251893

    Raises:
        ValueError: The rate is not inside (0, 1), or the window not above 0.
    """
    if not 0 < p0 < 1:
        raise ValueError(f"p0 must be above 0 and below 1, not {spell_number(p0)}")
    if not (isfinite(window_days) and window_days > 0):
        raise ValueError(f"window_days must be above 0, not {spell_number(window_days)}")
    return -log1p(-p0) / window_days


def compute_ratio(p0: float, rate: float) -> float:
    """Return the hazard ratio of an event rate to *p0*, both within the same window.

    Raises:
        ValueError: The acceptable rate is not inside (0, 1), or the other not in [0, 1).
    """
    if not 0 < p0 < 1:
        raise ValueError(f"p0 must be above 0 and below 1, not {spell_number(p0)}")
    if not 0 <= rate < 1:
        raise ValueError(f"a rate must be from 0 to below 1, not {spell_number(rate)}")
    return log1p(-rate) / log1p(-p0)
