"""The swimmer of one participant: all that happened, by transplant day, in lanes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor

from services.charts.svg import make_drawing, make_element, make_text, make_titled

_WIDTH, _MARGIN_LEFT, _RIGHT = 1000.0, 210.0, 14.0
_LANE, _TOP, _BOTTOM = 22.0, 34.0, 26.0
_LEAST_BAR = 3.0  # so that what lasts an hour is seen
_TICKS = 9  # at most
_LONGEST_NAME = 30  # characters


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch in a lane.

    Args:
        start: Transplant day, with its fraction.
        end: The same; later than *start*.
        kind: Class of its colour: ``drug``, ``care``, or ``g1`` to ``g5``.
        title: Shown beside a pointer.
        text: Written on it, if there is room.
    """

    start: float
    end: float
    kind: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row: its name, its bars, and single events (day, title)."""

    name: str
    bars: Sequence[Bar] = ()
    marks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A period of the protocol in which events count."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Swimmer:
    """The chart of *participant* from *first* to *last*, in days of *axis*."""

    participant: str
    axis: str
    first: float
    last: float
    lanes: Sequence[Lane]
    windows: Sequence[Window] = ()
    ended_at: float | None = None


def draw_swimmer(swimmer: Swimmer) -> str:
    """Return the chart as SVG."""
    height = _TOP + _LANE * (len(swimmer.lanes) + len(swimmer.windows)) + _BOTTOM
    label = f"Course of {swimmer.participant} by {swimmer.axis}, in {len(swimmer.lanes)} lanes"
    parts = (
        *_draw_axis(swimmer, height),
        *_draw_windows(swimmer),
        *(
            part
            for number, lane in enumerate(swimmer.lanes, len(swimmer.windows))
            for part in _draw_lane(swimmer, lane, number)
        ),
        *_draw_end(swimmer, height),
    )
    return make_drawing(_WIDTH, height, label, parts)


def _place(swimmer: Swimmer, day: float) -> float:
    span = max(swimmer.last - swimmer.first, 1e-9)
    share = min(max((day - swimmer.first) / span, 0.0), 1.0)
    return _MARGIN_LEFT + share * (_WIDTH - _MARGIN_LEFT - _RIGHT)


def _draw_axis(swimmer: Swimmer, height: float) -> Iterator[str]:
    yield make_element("text", make_text(swimmer.axis), x=_MARGIN_LEFT, y=12.0, class_="soft")
    for day in choose_ticks(swimmer.first, swimmer.last):
        x = _place(swimmer, day)
        yield make_element("line", x1=x, x2=x, y1=_TOP - 6, y2=height - _BOTTOM, class_="grid")
        yield make_element("text", str(day), x=x, y=_TOP - 10, class_="soft", text_anchor="middle")


def choose_ticks(first: float, last: float) -> list[int]:
    """Return whole days between *first* and *last*, evenly apart, about eight of them.

    >>> choose_ticks(-3.2, 100)
    [0, 20, 40, 60, 80, 100]
    """
    steps = (1, 2, 5, 7, 10, 20, 50, 100, 200, 500, 1000)
    step = next((one for one in steps if (last - first) / one <= _TICKS), steps[-1])
    return [number * step for number in range(ceil(first / step), floor(last / step) + 1)]


def _draw_windows(swimmer: Swimmer) -> Iterator[str]:
    for number, window in enumerate(swimmer.windows):
        y = _TOP + number * _LANE
        start, end = _place(swimmer, window.start), _place(swimmer, window.end)
        yield _write_name(f"window {window.name}", y, "soft")
        title = f"{window.name}: {swimmer.axis} {floor(window.start)} to {floor(window.end)}"
        yield make_titled(
            "rect", title, x=start, y=y + 8, width=max(end - start, 1), height=5.0, class_="window"
        )


def _draw_lane(swimmer: Swimmer, lane: Lane, number: int) -> Iterator[str]:
    y = _TOP + number * _LANE
    yield make_element(
        "line", x1=0.0, x2=_WIDTH - _RIGHT, y1=y + _LANE, y2=y + _LANE, class_="grid"
    )
    yield _write_name(lane.name, y, "ink")
    for bar in lane.bars:
        start, end = _place(swimmer, bar.start), _place(swimmer, bar.end)
        width = max(end - start, _LEAST_BAR)
        yield make_titled(
            "rect", bar.title, x=start, y=y + 3, width=width, height=_LANE - 6,
            class_=f"bar {bar.kind}",
        )  # fmt: skip
        if bar.text and width >= 8 + 7 * len(bar.text):
            yield make_element(
                "text", make_text(bar.text), x=start + width / 2, y=y + _LANE - 7,
                text_anchor="middle", class_=f"on {bar.kind}",
            )  # fmt: skip
    for day, title in lane.marks:
        x, middle = _place(swimmer, day), y + _LANE / 2
        yield make_titled(
            "path", title, d=f"M{x:.1f} {middle - 7:.1f}l5 7l-5 7l-5 -7z", class_="mark"
        )


def _write_name(name: str, y: float, kind: str) -> str:
    shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    title = make_element("title", make_text(name))
    return make_element("text", title + make_text(shown), x=0.0, y=y + _LANE - 7, class_=kind)


def _draw_end(swimmer: Swimmer, height: float) -> Iterator[str]:
    if swimmer.ended_at is not None:
        x = _place(swimmer, swimmer.ended_at)
        yield make_titled(
            "line", "death", x1=x, x2=x, y1=_TOP - 6, y2=height - _BOTTOM, class_="death"
        )
        yield make_element("text", "death", x=x - 4, y=height - 8, class_="late", text_anchor="end")
