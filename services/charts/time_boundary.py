"""The boundary of a rule of person-time on a chart."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from services.charts.chart_content import PlottedRule
from services.charts.style import INK
from services.vocabulary.protocol import PersonTimeBoundary, TimeUnit

TIME_LABELS: dict[TimeUnit, str] = {
    "person_days": "Person-time of follow-up (days)",
    "expected_events": "Expected events at the acceptable hazard",
}


def draw_time_boundaries(
    axes: Axes, rules: Sequence[PlottedRule], colours: Sequence[str], dashes: Sequence[str]
) -> None:
    """Draw the events that stop against person-time, one line for each rule of *rules*."""
    boundaries = [(rule.label, rule.person_time) for rule in rules if rule.person_time]
    top = 1.5 + max(boundary.steps[-1].events for _, boundary in boundaries)
    for (label, boundary), colour, dash in zip(boundaries, colours, dashes, strict=False):
        if boundary.looks:
            points = list_time_looks(boundary)
            axes.plot(
                [look for look, _ in points], [events for _, events in points], "o", color=colour,
                markersize=6, label=label, clip_on=False,
            )  # fmt: skip
            continue
        times, counts = list_time_corners(boundary)
        axes.plot(times, counts, dash, color=colour, linewidth=1.8, label=label)
        if len(boundaries) == 1:
            axes.fill_between(times, counts, top, color=colour, alpha=0.14, linewidth=0)
    _, first = boundaries[0]
    axes.set_xlim(0, first.planned)
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Stop at this many events or more", loc="left", size=10, color=INK)
    axes.set_xlabel(TIME_LABELS[first.unit])
    axes.set_ylabel("Participants with the event")


def list_time_corners(boundary: PersonTimeBoundary) -> tuple[list[float], list[float]]:
    """Return the corners of a boundary that is compared at every event: times and counts."""
    times: list[float] = []
    counts: list[float] = []
    start = boundary.delayed_start
    for step in boundary.steps:
        times += [start, step.end]
        counts += [float(step.events), float(step.events)]
        start = step.end
    return times, counts


def list_time_looks(boundary: PersonTimeBoundary) -> list[tuple[float, int]]:
    """Return each look at which events stop, with their number."""
    return [
        (look, next(step.events for step in boundary.steps if step.end >= look))
        for look in boundary.looks
        if boundary.delayed_start <= look <= boundary.steps[-1].end
    ]
