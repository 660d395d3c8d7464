"""The chart of one endpoint: its curve with confidence band, what competes, and who is at risk."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from services.charts.chart_content import ImageFormat
from services.charts.style import CURRENT, INK, STOP, STYLE, render
from services.vocabulary.endpoint import EndpointCurve, EndpointReport

# Beside blue and vermilion of the boundary chart. Source: Okabe, Ito 2008, Color Universal Design
_COMPETING = (("#E69F00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))
_CLOCK = {"transplant": "Days after transplant", "first_infusion": "Days after the first infusion"}
_METHOD = {
    "survival": "Kaplan-Meier, log(-log) 95 % band",
    "incidence": "Aalen-Johansen, log(-log(1 - F)) 95 % band",
}
_ONE_TAIL = 0.025  # of a two-sided 95 % interval
_SHORTEST = 30  # days that the axis shows at least


def find_form(file: Path) -> ImageFormat:
    """Return the form that a file's name asks for.

    >>> find_form(Path("nrm.SVG"))
    'svg'

    Raises:
        ValueError: It is neither ``.svg`` nor ``.png``.
    """
    match file.suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
    raise ValueError(f"{file} must end in .svg or .png")


def draw_incidence_chart(report: EndpointReport, curve: EndpointCurve, form: ImageFormat) -> bytes:
    """Return the picture of *curve*: the same bytes for the same report.

    It says who is at risk under the curve, which events competed, the data cut, and whether the
    protocol is signed.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 6.2), dpi=150, layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(6, 1.25))
        end = max([last for _, last in curve.spans], default=_SHORTEST)
        upper.set_xlim(0, max(end * 1.04, _SHORTEST))
        _draw_band(upper, curve, end)
        if not curve.events and curve.kind == "incidence":
            _draw_exact_limit(upper, curve, end)
        _draw_competing(upper, curve, end)
        _draw_curve(upper, curve, end)
        _mark_few_at_risk(upper, curve)
        _mark_censored(upper, curve)
        _draw_landmarks(upper, curve)
        _draw_frame(upper, report, curve)
        _write_numbers_at_risk(lower, curve)
        figure.suptitle(curve.title, x=0.02, ha="left", weight="bold", size=13)
        figure.legend(
            loc="outside lower left",
            ncols=3,
            frameon=False,
            fontsize=9,
            title=_write_note(report, curve),
            title_fontsize=8.5,
            alignment="left",
        )
        return render(figure, form)


def _list_corners(
    curve: EndpointCurve, values: Sequence[tuple[int, float]], end: int
) -> tuple[list[int], list[float]]:
    """Return the corners of a step curve from the first day at risk to *end*."""
    if not curve.spans:
        return [], []
    days = [curve.spans[0][0]]
    heights = [1.0 if curve.kind == "survival" else 0.0]
    for day, value in values:
        days += [day, day]
        heights += [heights[-1], value]
    return [*days, end], [*heights, heights[-1]]


def _draw_curve(axes: Axes, curve: EndpointCurve, end: int) -> None:
    days, heights = _list_corners(curve, [(p.day, p.estimate.value) for p in curve.points], end)
    axes.plot(days, heights, color=CURRENT, linewidth=2.2, label=curve.title, zorder=4)


def _draw_band(axes: Axes, curve: EndpointCurve, end: int) -> None:
    """Between the ends of the interval, wherever there is one."""
    edges = [*(point.day for point in curve.points), end]
    label: str | None = "95 % interval"
    for point, (start, stop) in zip(curve.points, pairwise(edges), strict=True):
        low, high = point.estimate.low, point.estimate.high
        if low is not None and high is not None:
            axes.fill_between(
                [start, stop], low, high, color=CURRENT, alpha=0.18, linewidth=0, label=label
            )
            label = None


def _draw_exact_limit(axes: Axes, curve: EndpointCurve, end: int) -> None:
    """Draw the upper limit of an incidence of which no event was seen, by Clopper and Pearson.

    On each day it is that of those who were followed to it, or had a competing event before.
    """
    days = sorted({day for span in curve.spans for day in span} | {end})
    limits = [(day, n) for day in days if (n := count_known(curve, day))]
    axes.fill_between(
        [day for day, _ in limits],
        0,
        [1 - _ONE_TAIL ** (1 / n) for _, n in limits],
        step="pre",
        color=CURRENT,
        alpha=0.12,
        linewidth=0,
        label="No event: exact 97.5 % upper limit",
    )


def count_known(curve: EndpointCurve, day: int) -> int:
    """Return the participants who are known to have had no event by *day*."""
    competing = sum(point.competing for point in curve.points if point.day < day)
    return sum(last >= day for _, last in curve.spans) + competing


def _mark_censored(axes: Axes, curve: EndpointCurve) -> None:
    """Mark the days on which somebody's follow-up ended without an event."""
    ended = Counter(last for _, last in curve.spans)
    for point in curve.points:
        ended[point.day] -= point.events + point.competing
    days = sorted(day for day, count in ended.items() if count > 0)
    start = 1.0 if curve.kind == "survival" else 0.0
    heights = [
        next((p.estimate.value for p in reversed(curve.points) if p.day <= day), start)
        for day in days
    ]
    axes.plot(
        days, heights, "|", color=CURRENT, markersize=8, markeredgewidth=1.2, zorder=5,
        label="Follow-up ended" if days else None, clip_on=False,
    )  # fmt: skip


def _draw_competing(axes: Axes, curve: EndpointCurve, end: int) -> None:
    for (name, values), (color, style) in zip(curve.others.items(), _COMPETING, strict=False):
        days, heights = _list_corners(curve, values, end)
        axes.plot(
            days,
            heights,
            color=color,
            linestyle=style,
            linewidth=1.6,
            label=f"Competing: {name.replace('_', ' ')} ({curve.competing[name]})",
        )


def _mark_few_at_risk(axes: Axes, curve: EndpointCurve) -> None:
    days = dict(curve.few_at_risk)
    points = [(p.day, p.estimate.value) for p in curve.points if p.day in days]
    axes.plot(
        [day for day, _ in points],
        [value for _, value in points],
        marker="o",
        markersize=8,
        markerfacecolor="white",
        markeredgecolor=STOP,
        markeredgewidth=1.8,
        linestyle="none",
        zorder=5,
        label="Event with fewer than 5 at risk" if points else None,
    )


def _draw_landmarks(axes: Axes, curve: EndpointCurve) -> None:
    last_day = axes.get_xlim()[1]
    for landmark in curve.landmarks:
        if landmark.day <= last_day:
            axes.axvline(landmark.day, color="#999999", linewidth=0.8, linestyle=(0, (2, 3)))
            axes.annotate(
                f"day {landmark.day}",
                (landmark.day, 1),
                (-3, -3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right",
                va="top",
                size=8,
                color="#666666",
            )


def _draw_frame(axes: Axes, report: EndpointReport, curve: EndpointCurve) -> None:
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.set_ylabel("Survival" if curve.kind == "survival" else "Cumulative incidence")
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelbottom=True)
    axes.set_title(f"{report.study}  {report.protocol}", loc="left", size=9, color=INK)
    events = f"{curve.events} event" + ("" if curve.events == 1 else "s")
    axes.set_title(f"{events} in {curve.participants} at risk", loc="right", color=CURRENT, size=11)
    axes.set_xlabel(_CLOCK[curve.clock])


def _write_numbers_at_risk(axes: Axes, curve: EndpointCurve) -> None:
    """Write who is at risk on each day of the axis, and what has happened by then."""
    rows = ["At risk", "Events so far"] + (["Competing so far"] if curve.others else [])
    first_day, last_day = axes.get_xlim()
    days = [round(day) for day in axes.get_xticks() if first_day <= day <= last_day]
    for day in days:
        past_points = [point for point in curve.points if point.day <= day]
        counts = (
            curve.at_risk(day),
            sum(point.events for point in past_points),
            sum(point.competing for point in past_points),
        )
        for place, count in zip(range(len(rows)), counts, strict=False):
            axes.text(day, -place, str(count), ha="center", va="center", size=9, color=INK)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.set_yticks([-place for place in range(len(rows))], rows, fontsize=9)
    axes.tick_params(length=0, labelbottom=False)
    axes.tick_params(axis="y", pad=14)  # the first count stands under day 0
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write_note(report: EndpointReport, curve: EndpointCurve) -> str:
    data_to = (
        f"Data to {report.data_to:%Y-%m-%d %H:%M} UTC" if report.data_to else "Nobody treated yet"
    )
    entry = "; at risk from the first infusion on" if curve.clock == "transplant" else ""
    n = len(curve.not_at_risk)
    exclusion = f"  Not at risk: {n} of {report.treated} treated." if n else ""
    n = len(curve.never_assessed)
    assessment = f"  Never assessed for it: {n} of {curve.participants}." if n else ""
    return (
        f"{data_to}.  {_METHOD[curve.kind]}{entry}.\n"
        + f"{exclusion}{assessment}  Trial safety oversight, not a bedside alarm.".lstrip()
    )
