"""The course of one measure: values by day, over bands of grades, with baseline and limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.charts.svg import join_points, make_drawing, make_element, make_titled
from services.charts.swimmer import choose_ticks

_WIDTH, _HEIGHT = 460.0, 190.0
_MARGIN_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 40.0, 12.0, 28.0
_MARGIN = 0.08  # of the height, above and below
_LEAST_LABEL = 11.0  # units of height of a band with its grade written


@dataclass(frozen=True, slots=True)
class Band:
    """The values from *low* to *high* (None: without end) that have *grade* at least."""

    low: float | None
    high: float | None
    grade: int


@dataclass(frozen=True, slots=True)
class LabSeries:
    """The values of one measure.

    Args:
        title: Of the criterion that grades it.
        measure: Its name.
        unit: Of all numbers here.
        points: Day and value, in order.
        bands: Of the last reading with a baseline, from low to high; empty: they are not known.
        baseline: None: not known.
        lln: Lower limit of normal; None: not reported.
        uln: Upper limit of normal; None: not reported.
        axis: Of the days.
    """

    title: str
    measure: str
    unit: str
    points: Sequence[tuple[float, float]]
    bands: Sequence[Band] = ()
    baseline: float | None = None
    lln: float | None = None
    uln: float | None = None
    axis: str = "transplant day"


@dataclass(frozen=True, slots=True)
class _Frame:
    first: float
    last: float
    low: float
    high: float

    def place_day(self, day: float) -> float:
        span = self.last - self.first or 1.0
        return _MARGIN_LEFT + (day - self.first) / span * (_WIDTH - _MARGIN_LEFT - _RIGHT)

    def place_value(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def draw_lab_course(series: LabSeries) -> str:
    """Return the chart as SVG; a series has at least one point."""
    frame = _choose_frame(series)
    label = f"{series.title}: {series.measure} in {series.unit} by {series.axis}"
    parts = (
        *_draw_bands(series, frame),
        *_draw_axes(frame),
        *_draw_limits(series, frame),
        *_draw_points(series, frame),
    )
    return make_drawing(_WIDTH, _HEIGHT, label, parts)


def _choose_frame(series: LabSeries) -> _Frame:
    values = [value for _, value in series.points]
    values += [one for one in (series.baseline, series.lln, series.uln) if one is not None]
    low, high = min(values), max(values)
    margin = (high - low or abs(high) or 1.0) * _MARGIN
    days = [day for day, _ in series.points]
    return _Frame(min(days), max(days), low - margin, high + margin)


def _draw_bands(series: LabSeries, frame: _Frame) -> Iterator[str]:
    for band in series.bands:
        top = frame.place_value(frame.high if band.high is None else band.high)
        bottom = frame.place_value(frame.low if band.low is None else band.low)
        if not band.grade or bottom - top < 1:
            continue
        yield make_element(
            "rect", x=_MARGIN_LEFT, y=top, width=_WIDTH - _MARGIN_LEFT - _RIGHT,
            height=bottom - top, class_=f"band g{band.grade}",
        )  # fmt: skip
        if bottom - top >= _LEAST_LABEL:
            middle = (top + bottom) / 2 + 4
            yield make_element(
                "text", f"gr. {band.grade}", x=_WIDTH - _RIGHT + 4, y=middle, class_="soft"
            )


def _draw_axes(frame: _Frame) -> Iterator[str]:
    bottom = _HEIGHT - _BOTTOM
    yield make_element(
        "line", x1=_MARGIN_LEFT, x2=_WIDTH - _RIGHT, y1=bottom, y2=bottom, class_="axis"
    )
    for day in choose_ticks(frame.first, frame.last):
        yield make_element(
            "text", str(day), x=frame.place_day(day), y=bottom + 14, class_="soft",
            text_anchor="middle",
        )  # fmt: skip
    for value in _choose_value_ticks(frame):
        y = frame.place_value(value)
        yield make_element("line", x1=_MARGIN_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
        yield make_element(
            "text", f"{value:g}", x=_MARGIN_LEFT - 6, y=y + 4, class_="soft", text_anchor="end"
        )


def _choose_value_ticks(frame: _Frame) -> list[float]:
    """Return three or four round values inside *frame*."""
    span = frame.high - frame.low
    step = next(
        base * 10.0**power
        for power in range(-9, 12)
        for base in (1, 2, 5)
        if span / (base * 10.0**power) <= 4  # noqa: PLR2004 - as many as there is room for
    )
    first = int(frame.low // step) + 1
    return [n * step for n in range(first, int(frame.high // step) + 1)]


def _draw_limits(series: LabSeries, frame: _Frame) -> Iterator[str]:
    for value, name, kind in (
        (series.uln, "ULN", "limit"),
        (series.lln, "LLN", "limit"),
        (series.baseline, "baseline", "baseline"),
    ):
        if value is None:
            continue
        y = frame.place_value(value)
        title = f"{name} {value:g} {series.unit}"
        yield make_titled(
            "line", title, x1=_MARGIN_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_=kind
        )
        yield make_element("text", name, x=_MARGIN_LEFT + 3, y=y - 3, class_="soft")


def _draw_points(series: LabSeries, frame: _Frame) -> Iterator[str]:
    places = [(frame.place_day(day), frame.place_value(value)) for day, value in series.points]
    yield make_element("polyline", points=join_points(places), class_="line")
    for (x, y), (day, value) in zip(places, series.points, strict=True):
        title = f"{series.axis} {day:.0f}: {value:g} {series.unit}"
        yield make_titled("circle", title, cx=x, cy=y, r=2.5, class_="dot")
