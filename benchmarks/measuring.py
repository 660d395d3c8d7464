"""A measure beside what it is compared to: both in every round, so that both meet one machine."""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from services.runtime.gc_tuning import tune_interpreter

Sample = Callable[[], float]  # does the work once; returns the figure


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure, and the others that it is compared to.

    Args:
        name: What the figure is of.
        unit: Of the figure and of all that it is compared to.
        sample: One round.
        comparisons: One round of each thing that it is compared to, by name.
    """

    name: str
    unit: str
    sample: Sample
    comparisons: Mapping[str, Sample]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure beside one other: medians over the rounds; *ratios* has one entry a round."""

    name: str
    unit: str
    figure: float
    reference_name: str
    reference: float
    ratios: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of figure / what is beside it."""
        return median(self.ratios)

    @property
    def relative_spread(self) -> tuple[float, float]:
        """Least and greatest ratio of any round."""
        return min(self.ratios), max(self.ratios)


def compare(measure: Measure, rounds: int) -> list[Comparison]:
    """Return *measure* beside each thing that it is compared to.

    A ratio is of two figures of one round; the order within a round turns with every round, so
    that a machine that slows down or warms up favours neither side.

    Args:
        measure: What to run.
        rounds: How often, 1 or more.
    """
    sides = {"": measure.sample, **measure.comparisons}
    results: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in reversed(sides) if number % 2 else sides:
            gc.collect()
            results[name].append(sides[name]())
    own_figures = results.pop("")
    return [
        Comparison(
            measure.name,
            measure.unit,
            median(own_figures),
            name,
            median(figures),
            tuple(mine / its for mine, its in zip(own_figures, figures, strict=True)),
        )
        for name, figures in results.items()
    ]


@contextmanager
def interpreter_of_a_service() -> Iterator[None]:
    """Let the interpreter be as `tune_interpreter` makes it for a service, and then as before."""
    thresholds, switch_s = gc.get_threshold(), sys.getswitchinterval()
    tune_interpreter()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(switch_s)


def per_second(count: int, work: Callable[[], object]) -> float:
    """Do *work* on *count* things; return how many in a second of the wall clock."""
    started_s = time.perf_counter()
    work()
    return count / (time.perf_counter() - started_s)


def per_core_second(count: int, work: Callable[[], object]) -> float:
    """Do *work* on *count* things; return how many in a second that this process computes.

    What other processes take of the machine does not count; waiting for a disk would not either.
    """
    started_s = time.process_time()
    work()
    return count / (time.process_time() - started_s)
