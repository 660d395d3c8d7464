"""The chart of one participant's course of CRS: signs, support, drugs and grade, on one time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from services.charts.style import CURRENT, INK, PENDING, STOP, STYLE, render
from services.vocabulary.episode import Change, EpisodeContent

_GRADES = ("#ffffff", "#f6e8c3", "#dfc27d", "#bf812d", "#8c510a")
_DEVICES = {  # as a chart has room for
    "nasal-cannula": "NC", "blow-by": "blow-by", "simple-mask": "mask", "venturi": "Venturi",
    "high-flow-cannula": "HFNC", "non-rebreather": "NRB", "trach-collar": "trach",
    "cpap": "CPAP", "bipap": "BiPAP", "ventilator": "ventilator",
}  # fmt: skip
_LIGHT = 2  # grades up to here are drawn in a light colour
_MARGIN = timedelta(hours=20)
_SPO2_FROM, _SPO2_ROOM = 84, 6  # percent; room below the lowest value for the names of devices


@dataclass(frozen=True, slots=True)
class Point:
    """A reading at an instant."""

    observed_at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class DrugInterval:
    """A drug as it was given; *stopped_at* ends an infusion, None for a single dose."""

    drug: str
    started_at: datetime
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the site's calendar: when it begins, and how the protocol counts it."""

    begins_at: datetime
    transplant_day: int | None
    treatment_day: int | None


@dataclass(frozen=True, slots=True)
class Course:
    """Signs, support and drugs around one episode.

    *devices* are (instant, device); *fever_c* and *sbp_below* are the protocol's limits; *days*
    are those that begin in the time that is drawn; *label* names the protocol and who signed it.
    """

    content: EpisodeContent
    temperature: Sequence[Point]
    sbp: Sequence[Point]
    spo2: Sequence[Point]
    devices: Sequence[tuple[datetime, str]]
    drugs: Sequence[DrugInterval]
    fever_c: float
    sbp_below: float
    days: Sequence[Day]
    label: str


def draw_course_chart(course: Course, form: Literal["svg", "png"]) -> bytes:
    """Return the picture of *course*: the same bytes for the same course.

    The time axis names transplant and treatment days where each begins at the site.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 8.0), dpi=150, layout="constrained")
        axes = figure.subplots(5, 1, sharex=True, height_ratios=(2, 2, 2, 1.6, 1.2))
        _draw_vital_sign(
            axes[0], course, course.temperature, "Temperature\n(°C)", (course.fever_c, "fever")
        )
        _draw_vital_sign(
            axes[1], course, course.sbp, "Systolic\n(mm Hg)", (course.sbp_below, "threshold")
        )
        _draw_oxygen(axes[2], course)
        _draw_drugs(axes[3], course)
        _draw_grades(axes[4], course)
        _draw_time_axis(axes[4], course)
        content = course.content
        figure.suptitle(
            f"{content.participant}  {content.term}, worst grade {content.worst}",
            x=0.02, ha="left", weight="bold", size=13,
        )  # fmt: skip
        return render(figure, form)


def find_span(content: EpisodeContent) -> tuple[datetime, datetime]:
    """Return the first and the last instant of the chart of a course."""
    end = content.resolved_at or content.history[-1].at
    return content.onset_at - _MARGIN, end + _MARGIN


def _count_hours(course: Course, instant: datetime) -> float:
    return (instant - find_span(course.content)[0]) / timedelta(hours=1)


def _draw_vital_sign(
    axes: Axes, course: Course, points: Sequence[Point], label: str, limit: tuple[float, str]
) -> None:
    threshold, name = limit
    axes.axhline(threshold, color=STOP, linewidth=1, linestyle="--")
    axes.text(1.0, threshold, f" {name} {threshold:g}", transform=axes.get_yaxis_transform(),
              color=STOP, size=8, va="center")  # fmt: skip
    axes.plot([_count_hours(course, p.observed_at) for p in points], [p.value for p in points],
              color=CURRENT, marker="o", markersize=3.5, linewidth=1.3)  # fmt: skip
    axes.set_ylabel(label)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)


def _draw_oxygen(axes: Axes, course: Course) -> None:
    hours = [_count_hours(course, point.observed_at) for point in course.spo2]
    axes.plot(hours, [point.value for point in course.spo2],
              color=CURRENT, marker="o", markersize=3.5, linewidth=1.3)  # fmt: skip
    lowest = min((point.value for point in course.spo2), default=_SPO2_FROM)
    axes.set_ylim(min(_SPO2_FROM, lowest - _SPO2_ROOM), 101)
    axes.set_ylabel("SpO2 (%)\nand device")
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    end = find_span(course.content)[1]
    changes = [d for k, d in enumerate(course.devices) if not k or course.devices[k - 1][1] != d[1]]
    for (instant, device), next_change in zip(changes, [*changes[1:], (end, "")], strict=True):
        if device in _DEVICES:
            start, stop = _count_hours(course, instant), _count_hours(course, next_change[0])
            axes.axvspan(start, stop, ymax=0.16, color=PENDING, alpha=0.6, linewidth=0)
            axes.text((start + stop) / 2, 0.04, _DEVICES[device], size=8, ha="center", va="bottom",
                      color=INK, clip_on=True, transform=axes.get_xaxis_transform())  # fmt: skip


def _draw_drugs(axes: Axes, course: Course) -> None:
    names = list(dict.fromkeys(interval.drug for interval in course.drugs))
    for interval in course.drugs:
        row = names.index(interval.drug)
        start = _count_hours(course, interval.started_at)
        if interval.stopped_at is None:
            axes.plot([start], [row], marker="|", markersize=13, color=STOP, markeredgewidth=2)
        else:
            stop = _count_hours(course, interval.stopped_at)
            axes.plot([start, stop], [row, row], color=STOP, linewidth=5,
                      solid_capstyle="butt")  # fmt: skip
    axes.set_yticks(range(len(names)), names, size=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=True, axis="x", color="#e4e4e4", linewidth=0.6)


def _draw_grades(axes: Axes, course: Course) -> None:
    content = course.content
    end = content.resolved_at or find_span(content)[1]
    ends = [*(change.at for change in content.history[1:]), end]
    for change, change_end in zip(content.history, ends, strict=True):
        start, stop = _count_hours(course, change.at), _count_hours(course, change_end)
        axes.axvspan(start, stop, color=_choose_colour(change), linewidth=0)
        if stop - start >= 1:
            axes.text((start + stop) / 2, 0.5, str(change.span), ha="center", va="center",
                      weight="bold",
                      color="white" if change.span.at_least > _LIGHT else INK)  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_ylabel("Grade")


def _choose_colour(change: Change) -> str:
    return _GRADES[min(int(change.span.at_least), len(_GRADES) - 1)]


def _draw_time_axis(axes: Axes, course: Course) -> None:
    axes.set_xlim(0, _count_hours(course, find_span(course.content)[1]))
    axes.set_xticks(
        [_count_hours(course, day.begins_at) for day in course.days],
        [_label_day(day) for day in course.days],
        size=8,
        ha="left",
    )
    axes.set_xlabel(
        f"Each mark is the beginning of a day at the site.  {course.label}\n"
        "Trial safety oversight, not a bedside alarm."
    )


def _label_day(day: Day) -> str:
    counts = (("transplant", day.transplant_day), ("treatment", day.treatment_day))
    return "\n".join(f"{name} day {'-' if at is None else at}" for name, at in counts)
