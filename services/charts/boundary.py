"""The chart of one stopping rule: where it is, where it stops, and what is still pending."""

import io
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from services.vocabulary.decision import Decision, PathPoint, Signal

# Colours that stay apart without red-green vision. Source: Okabe, Ito 2008, Color Universal Design
STOP, NOW, PENDING, INK = "#D55E00", "#0072B2", "#56B4E9", "#222222"

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "aegis",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def boundary_chart(decision: Decision, form: Literal["svg", "png"]) -> bytes:
    """Return the picture of *decision*: the same bytes for the same decision.

    It shows the stop region, the path in clinical time, the count now and the band of sizes and
    counts that those pending may still bring.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 5.4), dpi=150, layout="constrained")
        axes = figure.add_subplot()
        top = _top(decision)
        _stop_region(axes, decision, top)
        _pending_band(axes, decision, top)
        _path(axes, decision)
        _frame(axes, decision, top)
        figure.suptitle(
            f"{decision.rule}  {decision.title}", x=0.02, ha="left", weight="bold", size=13
        )
        figure.legend(
            loc="outside lower left",
            ncols=2,
            frameon=False,
            fontsize=9,
            title=_note(decision),
            title_fontsize=8.5,
            alignment="left",
        )
        written = io.BytesIO()
        metadata = {"Date": None, "Creator": "Aegis"} if form == "svg" else {"Software": "Aegis"}
        figure.savefig(written, format=form, metadata=metadata)
    return written.getvalue()


def _top(decision: Decision) -> float:
    highest = max(step.events for step in decision.steps)
    return float(max(highest, decision.events, decision.upper) + 1.5)


def _stop_region(axes: Axes, decision: Decision, top: float) -> None:
    """Shade what stops: a size between two whole ones is looked up at the upper one.

    With grouped looks it is what stops at each look, when the size first reaches it.
    """
    if decision.looks:
        _stop_at_looks(axes, decision, top)
        return
    across: list[float] = []
    up: list[float] = []
    for step in decision.steps:
        across += [step.first - 1, step.last]
        up += [step.events, step.events]
    axes.fill_between(across, up, top, color=STOP, alpha=0.16, linewidth=0, label="Stop region")
    axes.plot(across, up, color=STOP, linewidth=2)
    for step in decision.steps:
        _number(axes, step.events, (step.first - 1 + step.last) / 2)


def _stop_at_looks(axes: Axes, decision: Decision, top: float) -> None:
    found = [
        (look, step.events)
        for look in decision.looks
        for step in decision.steps
        if step.first <= look <= step.last
    ]
    across, up = [look for look, _ in found], [events for _, events in found]
    axes.vlines(across, up, top, color=STOP, linewidth=6, alpha=0.3, label="Stop at a look")
    axes.plot(across, up, "_", color=STOP, markersize=12, markeredgewidth=2)
    for look, events in found:
        _number(axes, events, look - 0.5)


def _number(axes: Axes, events: int, x: float) -> None:
    axes.annotate(
        str(events), (x, events), (0, 3), textcoords="offset points", color=STOP, ha="center",
        size=8,
    )  # fmt: skip


def _pending_band(axes: Axes, decision: Decision, top: float) -> None:
    """Between "nobody pending has the event" and "everybody has", as they complete.

    The bar stands where all are complete: it is seen also when they nearly are.
    """
    if not decision.pending:
        return
    final = max(decision.complete + decision.pending, decision.ess)
    most = decision.events + decision.pending
    axes.fill_between(
        [decision.ess, final],
        [decision.events, decision.events],
        [decision.events, most],
        color=PENDING,
        alpha=0.35,
        linewidth=0,
        label=(
            f"What {decision.pending} pending may still bring"
            f" (they cross with {decision.p_cross_p0:.0%} at p0)"
        ),
    )
    axes.vlines(final, decision.events, min(most, top), color=PENDING, linewidth=5, alpha=0.8)
    beyond = f"to {most}" if most > top else str(most)
    axes.annotate(
        beyond, (final, min(most, top)), (6, -9 if most > top else 0), textcoords="offset points",
        color=NOW, size=8, va="center",
    )  # fmt: skip


def _path(axes: Axes, decision: Decision) -> None:
    sizes, counts = [0.0], [0]
    for point in decision.path:
        sizes += [point.ess, point.ess]
        counts += [counts[-1], point.events]
    sizes.append(decision.ess)
    counts.append(decision.events)
    axes.plot(sizes, counts, color=NOW, linewidth=1.8, label="Events so far")
    crossed = [point for point in decision.path if point.crossed]
    _mark(axes, [point for point in decision.path if not point.crossed], "o", NOW)
    _mark(axes, crossed, "X", STOP)
    axes.plot(
        [decision.ess],
        [decision.events],
        marker="D",
        markersize=10,
        color=NOW,
        markeredgecolor="white",
        linestyle="none",
        clip_on=False,
        label=f"Now: {decision.events} at an effective {decision.ess:.1f}",
        zorder=5,
    )


def _mark(axes: Axes, points: list[PathPoint], marker: str, color: str) -> None:
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


def _frame(axes: Axes, decision: Decision, top: float) -> None:
    axes.set_xlim(0, decision.n)
    axes.set_ylim(-0.25, top)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"Effective number of evaluable participants (planned {decision.n})")
    axes.set_ylabel("Participants with the event")
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    reached = decision.signal is not Signal.CONTINUE
    says = "was reached, and no longer is" if decision.undone else str(decision.signal)
    axes.set_title(says.capitalize(), loc="right", color=STOP if reached else NOW, size=11)
    axes.set_title(decision.protocol, loc="left", size=9, color=INK)


def _note(decision: Decision) -> str:
    at = decision.data_to
    data_to = f"Data to {at:%Y-%m-%d %H:%M} UTC" if at else "Nobody treated yet"
    beyond = decision.beyond_plan
    exhausted = f"Plan exhausted: {beyond} treated after it not counted.  " if beyond else ""
    mean, low, high = decision.posterior
    at_p0 = decision.conditional_p0
    safe = f" ({at_p0:.0%} at p0)" if at_p0 is not None else ""
    return (
        f"{data_to}.  {decision.evaluable} treated, {decision.complete} complete, "
        f"{decision.pending} pending; confirmed {decision.confirmed}, at upper grades "
        f"{decision.upper}.\n"
        f"Chance of ever reaching the boundary by {decision.n}: {decision.predictive:.0%}{safe}.  "
        f"Event rate {mean:.0%} (95 % {low:.0%} to {high:.0%}).\n"
        f"{exhausted}Trial safety oversight, not a bedside alarm."
    )
