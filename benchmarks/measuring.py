"""A measure beside what it is compared to: both in every round, so that both meet one machine."""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
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


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as programs read it: beside its floor, when it has one.

    *ratio* is of both: the figure / the floor.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write *rows* as ``{"rows": [...]}``, in a folder that is made when there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rows": [asdict(row) for row in rows]}, indent=1) + "\n")


def list_rows(comparisons: Sequence[Comparison]) -> list[Row]:
    """Return a row for each measure, named by its name up to a colon; the first floor counts.

    >>> list_rows([Comparison("look.5000: 10 rules", "ms", 6.0, "floor: sums", 2.0, (3.0,))])
    [Row(name='look.5000', value=6.0, unit='ms', floor=2.0, ratio=3.0)]
    """
    rows: dict[str, Row] = {}
    for one in comparisons:
        name = one.name.split(":")[0]
        row = rows.setdefault(name, Row(name, one.figure, one.unit))
        if row.floor is None and one.reference_name.startswith("floor"):
            rows[name] = replace(row, floor=one.reference, ratio=one.ratio)
    return [*rows.values()]


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
