"""The chart of one stopping rule: where it is, where it stops, and what is still pending."""

from collections.abc import Sequence
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from services.charts.style import CURRENT, INK, PENDING, STOP, STYLE, render
from services.charts.time_boundary import TIME_LABELS, list_time_corners, list_time_looks
from services.vocabulary.count_text import name_count
from services.vocabulary.decision import (
    Decision,
    PathPoint,
    Signal,
    describe_plan_end,
    describe_prior,
    describe_rule_design,
    describe_size,
)


def draw_boundary_chart(decision: Decision, form: Literal["svg", "png"]) -> bytes:
    """Return the picture of *decision*: the same bytes for the same decision.

    It shows the stop region, the path in clinical time, the count now and the band of sizes and
    counts that those pending may still bring.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 5.4), dpi=150, layout="constrained")
        axes = figure.add_subplot()
        top = _find_top(decision)
        _draw_stop_region(axes, decision, top)
        _draw_pending_band(axes, decision, top)
        _draw_path(axes, decision)
        _draw_frame(axes, decision, top)
        figure.suptitle(
            f"{decision.rule}  {decision.title}", x=0.02, ha="left", weight="bold", size=13
        )
        figure.legend(
            loc="outside lower left",
            ncols=2,
            frameon=False,
            fontsize=9,
            title=_write_note(decision),
            title_fontsize=8.5,
            alignment="left",
        )
        return render(figure, form)


def _find_top(decision: Decision) -> float:
    steps = decision.person_time.steps if decision.person_time else decision.steps
    highest = max(step.events for step in steps)
    return float(max(highest, decision.events, decision.upper) + 1.5)


def _draw_stop_region(axes: Axes, decision: Decision, top: float) -> None:
    """Shade the counts that stop: a size between two whole ones is looked up at the upper one.

    With grouped looks, mark those that stop at each look, when the size first reaches it.
    """
    limits = _list_look_limits(decision)
    if limits:
        _draw_stops_at_looks(axes, limits, top)
        return
    sizes, counts = _list_corners(decision)
    axes.fill_between(sizes, counts, top, color=STOP, alpha=0.16, linewidth=0, label="Stop region")
    axes.plot(sizes, counts, color=STOP, linewidth=2)
    for first, last, events in zip(sizes[::2], sizes[1::2], counts[::2], strict=True):
        _write_number(axes, int(events), (first + last) / 2)


def _list_corners(decision: Decision) -> tuple[list[float], list[float]]:
    """Return sizes and counts at both ends of each step of a boundary without looks."""
    if decision.person_time:
        return list_time_corners(decision.person_time)
    sizes: list[float] = []
    counts: list[float] = []
    for step in decision.steps:
        sizes += [step.first - 1, step.last]
        counts += [step.events, step.events]
    return sizes, counts


def _list_look_limits(decision: Decision) -> list[tuple[float, int]]:
    """Return each look at which events stop, with their number; empty: it has no looks."""
    if decision.person_time:
        return list_time_looks(decision.person_time)
    return [
        (look, step.events)
        for look in decision.looks
        for step in decision.steps
        if step.first <= look <= step.last
    ]


def _draw_stops_at_looks(axes: Axes, limits: Sequence[tuple[float, int]], top: float) -> None:
    sizes, counts = [look for look, _ in limits], [events for _, events in limits]
    axes.vlines(sizes, counts, top, color=STOP, linewidth=6, alpha=0.3, label="Stop at a look")
    axes.plot(sizes, counts, "_", color=STOP, markersize=12, markeredgewidth=2)
    for look, events in limits:
        axes.annotate(
            str(events), (look, events), (-7, 3), textcoords="offset points", color=STOP,
            ha="center", size=8,
        )  # fmt: skip


def _write_number(axes: Axes, events: int, x: float) -> None:
    axes.annotate(
        str(events), (x, events), (0, 3), textcoords="offset points", color=STOP, ha="center",
        size=8,
    )  # fmt: skip


def _draw_pending_band(axes: Axes, decision: Decision, top: float) -> None:
    """Between "nobody pending has the event" and "everybody has", as they complete.

    The bar stands where all are complete: it is seen also when they nearly are. Person-time has no
    such size: who has the event adds none.
    """
    if not decision.pending or decision.person_time:
        return
    final = max(decision.complete + decision.pending, decision.ess)
    highest = decision.events + decision.pending
    axes.fill_between(
        [decision.ess, final],
        [decision.events, decision.events],
        [decision.events, highest],
        color=PENDING,
        alpha=0.35,
        linewidth=0,
        label=f"What {decision.pending} pending may still bring{_describe_pending(decision)}",
    )
    bar_top = min(highest, top)
    axes.vlines(final, decision.events, bar_top, color=PENDING, linewidth=5, alpha=0.8)
    label, drop = (f"to {highest}", -9) if highest > top else (str(highest), 0)
    axes.annotate(
        label, (final, bar_top), (6, drop), textcoords="offset points", color=CURRENT, size=8,
        va="center",
    )  # fmt: skip


def _describe_pending(decision: Decision) -> str:
    crossed = decision.crossed_since is not None
    return "" if crossed else f" (they cross with {decision.p_cross_p0:.0%} at p0)"


def _draw_path(axes: Axes, decision: Decision) -> None:
    sizes, counts = [0.0], [0]
    for point in decision.path:
        sizes += [point.ess, point.ess]
        counts += [counts[-1], point.events]
    sizes.append(decision.ess)
    counts.append(decision.events)
    axes.plot(sizes, counts, color=CURRENT, linewidth=1.8, label="Events so far")
    crossings = [point for point in decision.path if point.crossed]
    _mark_points(axes, [point for point in decision.path if not point.crossed], "o", CURRENT)
    _mark_points(axes, crossings, "X", STOP)
    axes.plot(
        [decision.ess],
        [decision.events],
        marker="D",
        markersize=10,
        color=CURRENT,
        markeredgecolor="white",
        linestyle="none",
        clip_on=False,
        label=f"Now: {decision.events} at {describe_size(decision, decision.ess)}",
        zorder=5,
    )


def _mark_points(axes: Axes, points: list[PathPoint], marker: str, color: str) -> None:
    axes.plot(
        [point.ess for point in points],
        [point.events for point in points],
        marker=marker,
        markersize=9 if marker == "X" else 5,
        color=color,
        markeredgecolor="white",
        linestyle="none",
        zorder=4,
        label="Boundary reached" if marker == "X" and points else None,
    )


def _draw_frame(axes: Axes, decision: Decision, top: float) -> None:
    boundary = decision.person_time
    axes.set_xlim(0, max(boundary.planned, 1.02 * decision.ess) if boundary else decision.n)
    axes.set_ylim(-0.25, top)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(_label_size(decision))
    axes.set_ylabel("Participants with the event")
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    is_reached = decision.signal is not Signal.CONTINUE
    heading = "was reached, and no longer is" if decision.undone else str(decision.signal)
    axes.set_title(
        heading.capitalize(), loc="right", color=STOP if is_reached else CURRENT, size=11
    )
    axes.set_title(f"{decision.study}  {decision.protocol}", loc="left", size=9, color=INK)


def _label_size(decision: Decision) -> str:
    if decision.person_time is None:
        return f"Effective number of evaluable participants (planned {decision.n})"
    return f"{TIME_LABELS[decision.person_time.unit]} (planned {decision.person_time.planned:.6g})"


def _write_note(decision: Decision) -> str:
    data_to = decision.data_to
    data_cut = f"Data to {data_to:%Y-%m-%d %H:%M} UTC" if data_to else "Nobody treated yet"
    extra_count = decision.beyond_plan
    plan_note = (
        f"Plan exhausted: {extra_count} treated after it not counted.  " if extra_count else ""
    )
    return (
        f"{data_cut}.  {decision.evaluable} treated, {decision.complete} complete, "
        f"{decision.pending} pending; confirmed {decision.confirmed}, at upper grades "
        f"{decision.upper}.\n"
        f"{_describe_distance(decision)}  {_describe_rate(decision)}\n"
        f"{_describe_design(decision)}{plan_note}Trial safety oversight, not a bedside alarm."
    )


def _describe_design(decision: Decision) -> str:
    design = describe_rule_design(decision)
    return f"Rule: {design}.\n" if design else ""


def _describe_distance(decision: Decision) -> str:
    """Return the distance to the boundary and the chance of reaching it, or the first crossing."""
    first = decision.first_crossing
    if first is not None:
        size = describe_size(decision, first.ess)
        return f"First reached with {name_count(first.events, 'event')} at {size}."
    at_p0 = "" if decision.conditional_p0 is None else f" ({decision.conditional_p0:.0%} at p0)"
    return (
        f"Missing to the boundary: {_describe_missing_events(decision)}.\n"
        f"Chance of ever reaching it by {describe_plan_end(decision)}: "
        f"{decision.predictive:.0%}{at_p0}."
    )


def _describe_missing_events(decision: Decision) -> str:
    present_count = (
        name_count(decision.events_left, "event") if decision.can_stop else "no number can stop"
    )
    from_new = decision.events_left_from_new
    return f"{present_count} at this size" + (
        "" if from_new is None else f", {from_new} if from new participants"
    )


def _describe_rate(decision: Decision) -> str:
    mean, low, high = decision.posterior
    prior = f", prior {words}" if (words := describe_prior(decision)) else ""
    boundary = decision.person_time
    within = f" within {boundary.window_days:g} days" if boundary else ""
    return f"Event rate{within} {mean:.0%} (95 % {low:.0%} to {high:.0%}{prior})."
