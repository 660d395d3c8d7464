"""The design of a stopping rule: its boundary, and its properties at any event rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.safety_rules.domain.stopping.calibrate import calibrate_boundary, check_looks
from services.safety_rules.domain.stopping.characteristics import (
    Characteristics,
    compute_characteristics,
    compute_enrolment,
)
from services.safety_rules.domain.stopping.families import Ints
from services.safety_rules.domain.stopping.given_table import read_given_table
from services.safety_rules.domain.stopping.steps import compress_boundary, format_steps
from services.vocabulary.protocol import BoundaryStep


class NeverStopsError(ValueError):
    """No boundary that can be reached keeps the type I error; the message names the argument."""


@dataclass(frozen=True, slots=True)
class Design:
    """A boundary with its exact properties.

    Args:
        family: Of `families.FAMILIES`, or ``table``.
        p0: Acceptable rate.
        alpha: Nominal one-sided type I error at p0.
        n: Planned maximum.
        looks: Evaluable participants at each look, each of 1 .. n when there are no others.
        boundary: Events that stop at each look, or look + 1 where it cannot stop.
        attained_alpha: Exact type I error at p0.
        constant: Critical value: a count whose statistic is above it stops; None: the boundary was
            given, or each count stops.
        characteristics: At each of the given rates.
    """

    family: str
    p0: float
    alpha: float
    n: int
    looks: tuple[int, ...]
    boundary: tuple[int, ...]
    attained_alpha: float
    constant: float | None
    characteristics: tuple[Characteristics, ...]

    @property
    def table(self) -> Ints:
        """Events that stop at x = 0 .. n; x + 1 where it cannot stop or does not look."""
        full = np.arange(1, self.n + 2)
        full[list(self.looks)] = self.boundary
        return full

    @property
    def exceeds_alpha(self) -> bool:
        """True for a posterior rule or a table whose type I error is above alpha."""
        return self.attained_alpha > self.alpha

    @property
    def steps(self) -> tuple[BoundaryStep, ...]:
        """The boundary as a clinician writes it."""
        looks_at_each = len(self.looks) == self.n
        return compress_boundary(self.table.tolist(), () if looks_at_each else self.looks)

    def evaluate_at(self, rates: Sequence[float]) -> "Design":
        """Return the same design with its characteristics at *rates*.

        Raises:
            ValueError: A rate is outside [0, 1].
        """
        return replace(self, characteristics=compute_characteristics(self.table, rates))

    @property
    def boundary_text(self) -> str:
        """The boundary in one line, ``2@2-4 3@5-11``."""
        return format_steps(self.steps)

    def compute_enrolment(
        self, accrual_days: float, window_days: float
    ) -> tuple[tuple[float, float], ...]:
        """Return the expected enrolled and days to the decision at each rate.

        Raises:
            ValueError: The accrual is not positive, or the window negative.
        """
        return tuple(
            compute_enrolment(at, accrual_days, window_days) for at in self.characteristics
        )

    def summarize(self) -> dict[str, object]:
        """Return the design in plain lists and numbers; ``stopping`` has a chance for each look."""
        return {
            "family": self.family,
            "p0": self.p0,
            "alpha": self.alpha,
            "n": self.n,
            "looks": list(self.looks),
            "boundary": list(self.boundary),
            "attained_alpha": self.attained_alpha,
            "constant": self.constant,
            "characteristics": [
                {
                    "rate": at.rate,
                    "p_stop": at.p_stop,
                    "e_evaluated": at.e_evaluated,
                    "e_events": at.e_events,
                    "stopping": [at.p_stop_at[look] for look in self.looks],
                }
                for at in self.characteristics
            ],
        }


def make_design(
    family: str,
    p0: float,
    alpha: float,
    n: int,
    *,
    looks: Sequence[int] = (),
    rates: Sequence[float] = (),
    **parameters: float | Sequence[float],
) -> Design:
    """Return the calibrated design of *family*, or the properties of a given ``table``.

    The type I error is at most alpha, but for ``posterior`` and a table: these are as they are.

    >>> round(make_design("table", 0.2, 0.3, 3, boundary=[2, 2, 3]).attained_alpha, 3)
    0.04

    Args:
        family: A key of `families.FAMILIES`, or ``table``.
        p0: Acceptable rate, inside (0, 1).
        alpha: Nominal one-sided type I error at p0, inside (0, 1).
        n: Planned maximum, 1 to 1000.
        looks: Evaluable participants at each look, increasing, up to n; empty: after each one.
        rates: Event rates at which the characteristics are computed, each in [0, 1].
        parameters: Of the family; for ``table``: ``boundary``, the events that stop at each look.

    Raises:
        ValueError: An argument is out of range; the message names it.
        NeverStopsError: The arguments are in range, and no count would ever stop.
    """
    parameter_values = {
        name: tuple(value) if isinstance(value, Sequence) else (value,)
        for name, value in parameters.items()
    }
    if family == "table":
        if parameter_values.keys() != {"boundary"}:
            raise ValueError("boundary is what a table needs, and nothing else")
        calibration = read_given_table(n, p0, alpha, parameter_values["boundary"], looks)
    else:
        calibration = calibrate_boundary(family, n, p0, alpha, parameter_values, looks=looks)
    sizes = tuple(check_looks(looks, n).tolist())
    if all(calibration.boundary[x] > x for x in sizes):
        raise NeverStopsError(_explain_infeasible(family, alpha, parameter_values))
    return Design(
        family=family,
        p0=p0,
        alpha=alpha,
        n=n,
        looks=sizes,
        boundary=tuple(calibration.boundary[x] for x in sizes),
        attained_alpha=calibration.attained_alpha,
        constant=calibration.constant,
        characteristics=compute_characteristics(np.array(calibration.boundary), rates),
    )


def _explain_infeasible(
    family: str, alpha: float, parameter_values: Mapping[str, Sequence[float]]
) -> str:
    """Return the advice for a rule whose boundary cannot be reached."""
    if family == "table":
        return "boundary must be at or below the size of some look: this rule can never stop"
    if family == "posterior":
        theta = parameter_values["theta"][0]
        return f"theta is {theta:g}, which no count reaches: this rule can never stop"
    advice_on_nu = ", or nu smaller" if family == "chen-chaloner" else ""
    return (
        f"alpha is {alpha:g}, and no boundary that can be reached keeps the type I error at it: "
        f"this rule is infeasible, as it can never stop; alpha or n must be larger{advice_on_nu}"
    )
