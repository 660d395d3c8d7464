"""Stopping rules on the drawing board: where each stops, and how often at each event rate."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from services.charts.boundary import INK, NOW, STOP, STYLE
from services.charts.drawable import Drawn, Form, Marks, Words

# The rest of the palette of Okabe and Ito, in the order in which neighbours differ most.
COLOURS = (NOW, STOP, "#009E73", "#CC79A7", "#222222", "#E69F00", "#56B4E9", "#999999")
DASHES = ("-", "-", "-", "-", "--", "--", "--", ":")
_APART = 0.08  # events


def designs_chart(words: Words, rules: Sequence[Drawn], marks: Marks, n: int, form: Form) -> bytes:
    """Return the picture of *rules*, boundaries beside operating characteristics.

    The same bytes for the same rules; one rule alone has its stop region shaded.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.2, 5.4), dpi=150, layout="constrained")
        left, right = figure.subplots(1, 2)
        draw_boundaries(left, rules, n)
        draw_curves(right, rules, marks)
        figure.suptitle(words.title, x=0.01, ha="left", weight="bold", size=13)
        if len(rules) > 1:
            handles, labels = left.get_legend_handles_labels()
            figure.legend(
                handles, labels, loc="outside lower left", ncols=4, frameon=False, fontsize=9,
                title=words.note, title_fontsize=8.5, alignment="left",
            )  # fmt: skip
        else:
            figure.supxlabel(words.note, x=0.01, ha="left", size=8.5)
        written = io.BytesIO()
        figure.savefig(written, format=form, metadata=_metadata(form))
    return written.getvalue()


def draw_boundaries(axes: Axes, rules: Sequence[Drawn], n: int) -> None:
    """Draw the events that stop against evaluable participants, one line for each rule.

    Several are set apart by a little, as most of each runs along the others.
    """
    top = 1.5 + max(
        b for one in rules for x, b in zip(one.looks, one.boundary, strict=True) if b <= x
    )
    for k, (one, colour, dash) in enumerate(zip(rules, COLOURS, DASHES, strict=False)):
        apart = _APART * ((len(rules) - 1) / 2 - k)
        if len(one.looks) == n:
            across, up = _stairs(one)
            up = [events + apart for events in up]
            axes.plot(across, up, dash, color=colour, linewidth=1.8, label=one.label)
        else:
            across, up = _looks(one)
            across = [x - apart * n * 0.1 for x in across]
            axes.plot(across, up, "o", color=colour, markersize=6, label=one.label, clip_on=False)
        if len(rules) == 1:
            _shade(axes, one, top, colour, whole=len(one.looks) == n)
    axes.set_xlim(0, n)
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Stop at this many events or more", loc="left", size=10, color=INK)
    axes.set_xlabel("Evaluable participants")
    axes.set_ylabel("Participants with the event")
    _grid(axes)


def draw_curves(axes: Axes, rules: Sequence[Drawn], marks: Marks) -> None:
    """Draw the probability of ever stopping against the true event rate."""
    for one, colour, dash in zip(rules, COLOURS, DASHES, strict=False):
        axes.plot(one.rates, one.p_stop, dash, color=colour, linewidth=1.8, label=one.label)
    axes.axhline(marks.alpha, color=INK, linewidth=0.8, linestyle=":")
    last = max(one.rates[-1] for one in rules)
    for name, rate in (("p0", marks.p0), ("p1", marks.p1)):
        if rate is not None:
            side = "left" if rate < last / 4 else "right"  # away from the axis, or the curves
            axes.axvline(rate, color=INK, linewidth=0.8, linestyle=":")
            axes.annotate(
                f"{name} {rate:g}", (rate, 1.0), (3 if side == "left" else -3, -3),
                textcoords="offset points", ha=side, va="top", size=8.5, color=INK,
            )  # fmt: skip
    axes.annotate(
        f"alpha {marks.alpha:g}", (last, marks.alpha), (-2, 3), textcoords="offset points",
        ha="right", size=8.5, color=INK,
    )  # fmt: skip
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1.0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title("Probability of ever stopping", loc="left", size=10, color=INK)
    axes.set_xlabel("True event rate")
    _grid(axes)


def _stairs(one: Drawn) -> tuple[list[float], list[float]]:
    """Corners of a boundary that is compared after every participant."""
    across: list[float] = []
    up: list[float] = []
    for x, b in zip(one.looks, one.boundary, strict=True):
        if b <= x:
            across += [x - 1.0, float(x)]
            up += [float(b), float(b)]
    return across, up


def _looks(one: Drawn) -> tuple[list[float], list[float]]:
    """Points of a boundary that is compared at some sizes alone."""
    found = [(x, b) for x, b in zip(one.looks, one.boundary, strict=True) if b <= x]
    return [float(x) for x, _ in found], [float(b) for _, b in found]


def _shade(axes: Axes, one: Drawn, top: float, colour: str, *, whole: bool) -> None:
    """Shade where one rule alone stops, and write each number of events where it begins."""
    if whole:
        across, up = _stairs(one)
        axes.fill_between(across, up, top, color=colour, alpha=0.14, linewidth=0)
    else:
        across, up = _looks(one)
        axes.vlines(across, up, top, color=colour, linewidth=5, alpha=0.2, clip_on=False)
    before = 0
    for x, b in zip(one.looks, one.boundary, strict=True):
        if b <= x and b != before:
            axes.annotate(
                str(b), (x - 0.5 if whole else x, b), (0 if whole else -8, 3),
                textcoords="offset points", color=colour, ha="center", size=8,
            )  # fmt: skip
            before = b


def _grid(axes: Axes) -> None:
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _metadata(form: Form) -> dict[str, str | None]:
    if form == "svg":
        return {"Date": None, "Creator": "Aegis"}
    return {"Software": "Aegis"} if form == "png" else {"CreationDate": None, "Creator": "Aegis"}
