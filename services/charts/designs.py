"""Stopping rules on the drawing board: where each stops, and how often at each event rate."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from services.charts.chart_content import Captions, ImageFormat, Marks, PlottedRule
from services.charts.style import CURRENT, INK, STOP, STYLE, render
from services.charts.time_boundary import draw_time_boundaries

# The rest of the palette of Okabe and Ito, in the order in which neighbours differ most.
COLOURS = (CURRENT, STOP, "#009E73", "#CC79A7", "#222222", "#E69F00", "#56B4E9", "#999999")
DASHES = ("-", "-", "-", "-", "--", "--", "--", ":")
SAFE = COLOURS[2]
_ONE_LIMIT = "Stop at this many events or more"
_TWO_LIMITS = "Too harmful at the upper limit or more, safe enough at the lower or fewer"
_OFFSET = 0.08  # events


def draw_designs_chart(
    captions: Captions, rules: Sequence[PlottedRule], marks: Marks, n: int, form: ImageFormat
) -> bytes:
    """Return the picture of *rules*, boundaries beside operating characteristics.

    The same bytes for the same rules; one rule alone has its stop region shaded.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.2, 5.4), dpi=150, layout="constrained")
        boundary_axes, curve_axes = figure.subplots(1, 2)
        draw_boundaries(boundary_axes, rules, n)
        draw_curves(curve_axes, rules, marks)
        figure.suptitle(captions.title, x=0.01, ha="left", weight="bold", size=13)
        if len(rules) > 1:
            handles, labels = boundary_axes.get_legend_handles_labels()
            figure.legend(
                handles, labels, loc="outside lower left", ncols=4, frameon=False, fontsize=9,
                title=captions.note, title_fontsize=8.5, alignment="left",
            )  # fmt: skip
        else:
            figure.supxlabel(captions.note, x=0.01, ha="left", size=8.5)
        return render(figure, form)


def draw_boundaries(axes: Axes, rules: Sequence[PlottedRule], n: int) -> None:
    """Draw the events that stop against evaluable participants, one line for each rule.

    Several are set apart by a little, as most of each runs along the others. Rules of person-time
    are drawn against it.
    """
    if rules[0].person_time:
        draw_time_boundaries(axes, rules, COLOURS, DASHES)
        _draw_grid(axes)
        return
    top = 1.5 + max(
        b for rule in rules for x, b in zip(rule.looks, rule.boundary, strict=True) if b <= x
    )
    for k, (rule, colour, dash) in enumerate(zip(rules, COLOURS, DASHES, strict=False)):
        offset = _OFFSET * ((len(rules) - 1) / 2 - k)
        is_continuous = len(rule.looks) == n
        if is_continuous:
            sizes, counts = _list_corners(rule)
            counts = [events + offset for events in counts]
            axes.plot(sizes, counts, dash, color=colour, linewidth=1.8, label=rule.label)
        else:
            sizes, counts = _list_points(rule)
            sizes = [x - offset * n * 0.1 for x in sizes]
            axes.plot(
                sizes, counts, "o", color=colour, markersize=6, label=rule.label, clip_on=False
            )
        if len(rules) == 1:
            _shade_stops(axes, rule, top, colour, is_continuous=is_continuous)
        if rule.lower:
            _draw_lower_limit(axes, rule)
    axes.set_xlim(0, n)
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    has_lower_limit = any(rule.lower for rule in rules)
    axes.set_title(_TWO_LIMITS if has_lower_limit else _ONE_LIMIT, loc="left", size=10, color=INK)
    axes.set_xlabel("Evaluable participants")
    axes.set_ylabel("Participants with the event")
    _draw_grid(axes)


def draw_curves(axes: Axes, rules: Sequence[PlottedRule], marks: Marks) -> None:
    """Draw the probability of ever stopping against the true event rate."""
    for rule, colour, dash in zip(rules, COLOURS, DASHES, strict=False):
        axes.plot(rule.rates, rule.p_stop, dash, color=colour, linewidth=1.8, label=rule.label)
    axes.axhline(marks.alpha, color=INK, linewidth=0.8, linestyle=":")
    highest_rate = max(one.rates[-1] for one in rules)
    for name, rate in (("p0", marks.p0), ("p1", marks.p1)):
        if rate is not None:
            side = (
                "left" if rate < highest_rate / 4 else "right"
            )  # away from the axis, or the curves
            axes.axvline(rate, color=INK, linewidth=0.8, linestyle=":")
            axes.annotate(
                f"{name} {rate:g}", (rate, 1.0), (3 if side == "left" else -3, -3),
                textcoords="offset points", ha=side, va="top", size=8.5, color=INK,
            )  # fmt: skip
    axes.annotate(
        f"alpha {marks.alpha:g}", (highest_rate, marks.alpha), (-2, 3), textcoords="offset points",
        ha="right", size=8.5, color=INK,
    )  # fmt: skip
    axes.set_xlim(0, highest_rate)
    axes.set_ylim(0, 1.0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title("Probability of ever stopping", loc="left", size=10, color=INK)
    axes.set_xlabel("True event rate")
    _draw_grid(axes)


def _list_corners(rule: PlottedRule) -> tuple[list[float], list[float]]:
    """Corners of a boundary that is compared after every participant."""
    sizes: list[float] = []
    counts: list[float] = []
    for x, b in zip(rule.looks, rule.boundary, strict=True):
        if b <= x:
            sizes += [x - 1.0, float(x)]
            counts += [float(b), float(b)]
    return sizes, counts


def _list_points(rule: PlottedRule) -> tuple[list[float], list[float]]:
    """Points of a boundary that is compared at some sizes alone."""
    limits = [(x, b) for x, b in zip(rule.looks, rule.boundary, strict=True) if b <= x]
    return [float(x) for x, _ in limits], [float(b) for _, b in limits]


def _shade_stops(
    axes: Axes, rule: PlottedRule, top: float, colour: str, *, is_continuous: bool
) -> None:
    """Shade where one rule alone stops, and write each number of events where it begins."""
    if is_continuous:
        sizes, counts = _list_corners(rule)
        axes.fill_between(sizes, counts, top, color=colour, alpha=0.14, linewidth=0)
    else:
        sizes, counts = _list_points(rule)
        axes.vlines(sizes, counts, top, color=colour, linewidth=5, alpha=0.2, clip_on=False)
    previous_count = 0
    for x, b in zip(rule.looks, rule.boundary, strict=True):
        if b <= x and b != previous_count:
            axes.annotate(
                str(b), (x - 0.5 if is_continuous else x, b), (0 if is_continuous else -8, 3),
                textcoords="offset points", color=colour, ha="center", size=8,
            )  # fmt: skip
            previous_count = b


def _draw_lower_limit(axes: Axes, rule: PlottedRule) -> None:
    """Draw where a rule stops as safe enough, and write each number of events where it begins."""
    limits = [(x, b) for x, b in zip(rule.looks, rule.lower, strict=True) if b >= 0]
    sizes, counts = [x for x, _ in limits], [b for _, b in limits]
    axes.vlines(sizes, 0, counts, color=SAFE, linewidth=3, alpha=0.2)
    axes.plot(sizes, counts, "v", color=SAFE, markersize=4, label="safe enough")
    previous_count = -1
    for x, b in limits:
        if b != previous_count:
            axes.annotate(
                str(b), (x, b), (0, -11), textcoords="offset points", color=SAFE, ha="center",
                size=8, annotation_clip=False,
            )  # fmt: skip
            previous_count = b


def _draw_grid(axes: Axes) -> None:
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
