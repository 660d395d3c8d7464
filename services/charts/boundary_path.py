"""A stopping rule's path against its boundary, chart from the numbers that the DSMB may see too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.charts.svg import join_points, make_drawing, make_element, make_text, make_titled
from services.charts.swimmer import choose_ticks

_WIDTH, _HEIGHT = 640.0, 340.0
_MARGIN_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 16.0, 14.0, 44.0


@dataclass(frozen=True, slots=True)
class BoundaryPath:
    """A rule at one cut.

    Args:
        rule: Id.
        size_name: Of the horizontal axis.
        planned: Size at which the plan ends.
        boundary: (size, events) from which that many events stop, rising.
        path: (size, events) as they were counted, in order.
        pending: (size, fewest, most events) if all pending were complete; None: nobody is pending.
        first_reached: The first point of the path at the boundary; None: none was.
    """

    rule: str
    size_name: str
    planned: float
    boundary: Sequence[tuple[float, int]]
    path: Sequence[tuple[float, int]]
    pending: tuple[float, int, int] | None = None
    first_reached: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    largest: float
    most_events: int

    def place(self, size: float, events: float) -> tuple[float, float]:
        x = _MARGIN_LEFT + min(size / self.largest, 1.0) * (_WIDTH - _MARGIN_LEFT - _RIGHT)
        share = min(events / self.most_events, 1.0)
        return x, _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def draw_boundary_path(chart: BoundaryPath) -> str:
    """Return the chart as SVG."""
    sizes = [chart.planned, *(size for size, _ in chart.path)]
    events = [one for _, one in (*chart.boundary, *chart.path)]
    frame = _Frame(max(sizes, default=1.0) or 1.0, max(events, default=1) + 1)
    count, size = (chart.path[-1][1], chart.path[-1][0]) if chart.path else (0, 0.0)
    label = f"{chart.rule}: {count} events at {size:.1f}, against the boundary"
    parts = (
        *_draw_stop_region(chart, frame),
        *_draw_axes(chart, frame),
        *_draw_pending(chart, frame),
        *_draw_path(chart, frame),
    )
    return make_drawing(_WIDTH, _HEIGHT, label, parts)


def _draw_stop_region(chart: BoundaryPath, frame: _Frame) -> Iterator[str]:
    if not chart.boundary:
        return
    corners: list[tuple[float, float]] = []
    for number, (size, events) in enumerate(chart.boundary):
        is_last = number + 1 == len(chart.boundary)
        end = chart.planned if is_last else chart.boundary[number + 1][0]
        corners += [frame.place(size, events), frame.place(end, events)]
    top = [
        frame.place(chart.planned, frame.most_events),
        frame.place(chart.boundary[0][0], frame.most_events),
    ]
    yield make_element("polygon", points=join_points([*corners, *top]), class_="stop")
    yield make_element("polyline", points=join_points(corners), class_="boundary")
    x, y = corners[0]
    yield make_element("text", "stop", x=x + 6, y=max(y - 8, _TOP + 12), class_="late")


def _draw_axes(chart: BoundaryPath, frame: _Frame) -> Iterator[str]:
    bottom = _HEIGHT - _BOTTOM
    for size in choose_ticks(0, frame.largest):
        x, _ = frame.place(size, 0)
        yield make_element(
            "text", str(size), x=x, y=bottom + 15, class_="soft", text_anchor="middle"
        )
    for events in choose_ticks(0, frame.most_events):
        _, y = frame.place(0, events)
        yield make_element("line", x1=_MARGIN_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
        yield make_element(
            "text", str(events), x=_MARGIN_LEFT - 7, y=y + 4, class_="soft", text_anchor="end"
        )
    yield make_element(
        "line", x1=_MARGIN_LEFT, x2=_WIDTH - _RIGHT, y1=bottom, y2=bottom, class_="axis"
    )
    yield make_element(
        "text", make_text(chart.size_name), x=(_MARGIN_LEFT + _WIDTH - _RIGHT) / 2, y=_HEIGHT - 8,
        class_="soft", text_anchor="middle",
    )  # fmt: skip
    yield make_element(
        "text", "events", x=14.0, y=_HEIGHT / 2, class_="soft", text_anchor="middle",
        transform=f"rotate(-90 14 {_HEIGHT / 2:g})",
    )  # fmt: skip


def _draw_pending(chart: BoundaryPath, frame: _Frame) -> Iterator[str]:
    if chart.pending is None or not chart.path:
        return
    size, fewest, most_events = chart.pending
    corners = [
        frame.place(*chart.path[-1]),
        frame.place(size, fewest),
        frame.place(size, most_events),
    ]
    title = f"if all pending were complete: {fewest} to {most_events} events"
    yield make_titled("polygon", title, points=join_points(corners), class_="pending")


def _draw_path(chart: BoundaryPath, frame: _Frame) -> Iterator[str]:
    if not chart.path:
        return
    corners: list[tuple[float, float]] = [frame.place(0, 0)]
    for size, events in chart.path:
        x, y = frame.place(size, events)
        corners += [(x, corners[-1][1]), (x, y)]
    yield make_element("polyline", points=join_points(corners), class_="line")
    if chart.first_reached is not None:
        x, y = frame.place(*chart.first_reached)
        title = f"first reached with {chart.first_reached[1]} events"
        yield make_titled("circle", title, cx=x, cy=y, r=7.0, class_="reached")
    x, y = corners[-1]
    title = f"now: {chart.path[-1][1]} events at {chart.path[-1][0]:.1f}"
    yield make_titled("circle", title, cx=x, cy=y, r=4.5, class_="dot")
