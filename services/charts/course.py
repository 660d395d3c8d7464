"""The chart of one participant's course of CRS: signs, support, drugs and grade, on one time."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from services.charts.boundary import INK, NOW, PENDING, STOP, STYLE
from services.vocabulary.episode import Change, EpisodeContent

_GRADES = ("#ffffff", "#f6e8c3", "#dfc27d", "#bf812d", "#8c510a")
_DEVICES = {  # as a chart has room for
    "nasal-cannula": "NC", "blow-by": "blow-by", "simple-mask": "mask", "venturi": "Venturi",
    "high-flow-cannula": "HFNC", "non-rebreather": "NRB", "trach-collar": "trach",
    "cpap": "CPAP", "bipap": "BiPAP", "ventilator": "ventilator",
}  # fmt: skip
_LIGHT = 2  # grades up to here are drawn in a light colour
_AROUND = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Point:
    """A number that was read at an instant."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Given:
    """A drug; *until* is when an infusion was stopped, None for a single dose."""

    drug: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What was seen and done around one episode.

    *devices* are (instant, device); *first_dose_at* is when treatment day 1 began.
    """

    content: EpisodeContent
    temperature: Sequence[Point]
    sbp: Sequence[Point]
    spo2: Sequence[Point]
    devices: Sequence[tuple[datetime, str]]
    drugs: Sequence[Given]
    first_dose_at: datetime
    transplant_day_of_first_dose: int


def course_chart(course: Course, form: Literal["svg", "png"]) -> bytes:
    """Return the picture of *course*: the same bytes for the same course.

    The time axis counts hours since the first dose, and names transplant and treatment days.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 8.0), dpi=150, layout="constrained")
        axes = figure.subplots(5, 1, sharex=True, height_ratios=(2, 2, 2, 1.6, 1.2))
        _line(axes[0], course, course.temperature, "Temperature\n(°C)", (38.0, "fever"))
        _line(axes[1], course, course.sbp, "Systolic\n(mm Hg)", (90, "threshold"))
        _oxygen(axes[2], course)
        _drugs(axes[3], course)
        _ribbon(axes[4], course)
        _time_axis(axes[4], course)
        content = course.content
        figure.suptitle(
            f"{content.participant}  {content.term}, worst grade {content.worst}",
            x=0.02, ha="left", weight="bold", size=13,
        )  # fmt: skip
        written = io.BytesIO()
        metadata = {"Date": None, "Creator": "Aegis"} if form == "svg" else {"Software": "Aegis"}
        figure.savefig(written, format=form, metadata=metadata)
    return written.getvalue()


def span_of(content: EpisodeContent) -> tuple[datetime, datetime]:
    """Return from when to when a course is drawn."""
    end = content.resolved_at or content.history[-1].at
    return content.onset_at - _AROUND, end + _AROUND


def _hours(course: Course, at: datetime) -> float:
    return (at - course.first_dose_at) / timedelta(hours=1)


def _line(
    axes: Axes, course: Course, points: Sequence[Point], label: str, limit: tuple[float, str]
) -> None:
    threshold, name = limit
    axes.axhline(threshold, color=STOP, linewidth=1, linestyle="--")
    axes.text(1.0, threshold, f" {name} {threshold:g}", transform=axes.get_yaxis_transform(),
              color=STOP, size=8, va="center")  # fmt: skip
    axes.plot([_hours(course, p.at) for p in points], [p.value for p in points],
              color=NOW, marker="o", markersize=3.5, linewidth=1.3)  # fmt: skip
    axes.set_ylabel(label)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)


def _oxygen(axes: Axes, course: Course) -> None:
    axes.plot([_hours(course, p.at) for p in course.spo2], [p.value for p in course.spo2],
              color=NOW, marker="o", markersize=3.5, linewidth=1.3)  # fmt: skip
    axes.set_ylim(84, 101)
    axes.set_ylabel("SpO2 (%)\nand device")
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    end = span_of(course.content)[1]
    changes = [
        d for at, d in enumerate(course.devices) if not at or course.devices[at - 1][1] != d[1]
    ]
    for (at, device), following in zip(changes, [*changes[1:], (end, "")], strict=True):
        if device in _DEVICES:
            start, until = _hours(course, at), _hours(course, following[0])
            axes.axvspan(start, until, ymax=0.16, color=PENDING, alpha=0.6, linewidth=0)
            axes.text((start + until) / 2, 84.6, _DEVICES[device], size=8,
                      ha="center", va="bottom", color=INK, clip_on=True)  # fmt: skip


def _drugs(axes: Axes, course: Course) -> None:
    names = list(dict.fromkeys(given.drug for given in course.drugs))
    for given in course.drugs:
        row = names.index(given.drug)
        start = _hours(course, given.at)
        if given.until is None:
            axes.plot([start], [row], marker="|", markersize=13, color=STOP, markeredgewidth=2)
        else:
            axes.plot([start, _hours(course, given.until)], [row, row], color=STOP, linewidth=5,
                      solid_capstyle="butt")  # fmt: skip
    axes.set_yticks(range(len(names)), names, size=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=True, axis="x", color="#e4e4e4", linewidth=0.6)


def _ribbon(axes: Axes, course: Course) -> None:
    content = course.content
    end = content.resolved_at or span_of(content)[1]
    ends = [*(change.at for change in content.history[1:]), end]
    for change, until in zip(content.history, ends, strict=True):
        start, stop = _hours(course, change.at), _hours(course, until)
        axes.axvspan(start, stop, color=_colour(change), linewidth=0)
        if stop - start >= 1:
            axes.text((start + stop) / 2, 0.5, str(change.span), ha="center", va="center",
                      weight="bold",
                      color="white" if change.span.at_least > _LIGHT else INK)  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_ylabel("Grade")


def _colour(change: Change) -> str:
    return _GRADES[min(int(change.span.at_least), len(_GRADES) - 1)]


def _time_axis(axes: Axes, course: Course) -> None:
    start, end = (_hours(course, at) for at in span_of(course.content))
    axes.set_xlim(start, end)
    first, last = int(start // 24), int(end // 24) + 1
    days = [day for day in range(first, last + 1) if start <= day * 24 <= end]
    axes.set_xticks(
        [day * 24 for day in days],
        [
            f"treatment day {day + 1 if day >= 0 else day}\n"
            f"transplant day {course.transplant_day_of_first_dose + day}"
            for day in days
        ],
        size=8,
    )
    axes.set_xlabel("Days begin with the hour of the first dose")
