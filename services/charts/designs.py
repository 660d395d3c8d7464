"""Stopping rules on the drawing board: where each stops, and how often at each event rate."""

import textwrap
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
_PANELS_OF_A_ROW = 4
_PANEL_HEIGHT, _CURVES_HEIGHT = 2.4, 4.0  # inches
_TITLE_CHARACTERS = 28
_MOST_DOTS = 200  # participants: more are a line


def draw_designs_chart(
    captions: Captions, rules: Sequence[PlottedRule], marks: Marks, n: int, form: ImageFormat
) -> bytes:
    """Return the picture of *rules*, boundaries beside operating characteristics.

    The same bytes for the same rules. Of several, each boundary has a panel of its own, with the
    exact numbers, on the same axes as the others.
    """
    with mpl.rc_context(STYLE):
        if len(rules) == 1:
            figure = Figure(figsize=(11.2, 5.4), dpi=150, layout="constrained")
            boundary_axes, curve_axes = figure.subplots(1, 2)
            draw_boundary(boundary_axes, rules[0], n)
            draw_curves(curve_axes, rules, marks)
        else:
            figure = _draw_panels(rules, marks, n)
        figure.suptitle(captions.title, x=0.01, ha="left", weight="bold", size=13)
        figure.supxlabel(captions.note, x=0.01, ha="left", size=8.5)
        return render(figure, form)


def _draw_panels(rules: Sequence[PlottedRule], marks: Marks, n: int) -> Figure:
    """Return the boundaries in rows of small panels, the curves of all of them below."""
    row_count = -(-len(rules) // _PANELS_OF_A_ROW)
    height = _PANEL_HEIGHT * row_count + _CURVES_HEIGHT
    figure = Figure(figsize=(11.2, height), dpi=150, layout="constrained")
    ratios = (height - _CURVES_HEIGHT, _CURVES_HEIGHT)
    grid = figure.add_gridspec(2, 1, height_ratios=ratios)
    upper, lower = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    panels = upper.subplots(row_count, _PANELS_OF_A_ROW, sharex=True, sharey=True, squeeze=False)
    top = max(_find_top(rule) for rule in rules)
    for axes, rule, colour in zip(panels.flat, rules, COLOURS, strict=False):
        draw_boundary(axes, rule, n, colour=colour, top=top)
        title = textwrap.fill(rule.label, _TITLE_CHARACTERS)
        axes.set_title(title, loc="left", size=9, color=colour, weight="bold")
        axes.label_outer()
    for axes in panels.flat[len(rules) :]:
        axes.set_visible(False)
    curve_axes = lower.subplots()
    draw_curves(curve_axes, rules, marks)
    handles, labels = curve_axes.get_legend_handles_labels()
    lower.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=9)
    return figure


def _find_top(rule: PlottedRule) -> float:
    """Return the height of the axis: above the highest number of events that stops."""
    if rule.person_time:
        return 1.5 + max(step.events for step in rule.person_time.steps)
    return 1.5 + max(b for x, b in zip(rule.looks, rule.boundary, strict=True) if b <= x)


def draw_boundary(
    axes: Axes, rule: PlottedRule, n: int, *, colour: str = CURRENT, top: float | None = None
) -> None:
    """Draw the events that stop against evaluable participants, a dot at each size compared.

    A rule of person-time is drawn against that. Without *top* the axis ends above the boundary.
    """
    if rule.person_time:
        draw_time_boundaries(axes, [rule], (colour,), DASHES)
        if top is not None:
            axes.set_ylim(0, top)
        _draw_grid(axes)
        return
    top = top or _find_top(rule)
    is_continuous = len(rule.looks) == n
    sizes, counts = _list_points(rule)
    if is_continuous:
        axes.plot(*_list_corners(rule), "-", color=colour, linewidth=0.9, label=rule.label)
    if not is_continuous or n <= _MOST_DOTS:
        size = 6.0 if not is_continuous else max(1.6, min(4.0, 160 / n))
        label = None if is_continuous else rule.label
        axes.plot(sizes, counts, "o", color=colour, markersize=size, clip_on=False, label=label)
    _shade_stops(axes, rule, top, colour, is_continuous=is_continuous)
    if rule.lower:
        _draw_lower_limit(axes, rule)
    axes.set_xlim(0, n)
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(_TWO_LIMITS if rule.lower else _ONE_LIMIT, loc="left", size=10, color=INK)
    axes.set_xlabel("Evaluable participants")
    axes.set_ylabel("Participants with the event")
    _draw_grid(axes)


def draw_curves(axes: Axes, rules: Sequence[PlottedRule], marks: Marks) -> None:
    """Draw the probability of ever stopping against the true event rate, or hazard ratio."""
    for rule, colour, dash in zip(rules, COLOURS, DASHES, strict=False):
        axes.plot(rule.rates, rule.p_stop, dash, color=colour, linewidth=1.8, label=rule.label)
    axes.axhline(marks.alpha, color=INK, linewidth=0.8, linestyle=":")
    highest_rate = max(one.rates[-1] for one in rules)
    names = ("ratio", "ratio") if marks.of_ratios else ("p0", "p1")
    for name, rate in zip(names, (marks.p0, marks.p1), strict=True):
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
    if not marks.of_ratios:
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_title("Probability of ever stopping", loc="left", size=10, color=INK)
    axes.set_xlabel("True hazard ratio" if marks.of_ratios else "True event rate")
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
    limits = [(x, b) for x, b in zip(rule.looks, rule.boundary, strict=True) if b <= x]
    _write_first_numbers(axes, limits, colour, (0 if is_continuous else -8, 4))


def _draw_lower_limit(axes: Axes, rule: PlottedRule) -> None:
    """Draw where a rule stops as safe enough, and write each number of events where it begins."""
    limits = [(x, b) for x, b in zip(rule.looks, rule.lower, strict=True) if b >= 0]
    sizes, counts = [x for x, _ in limits], [b for _, b in limits]
    axes.vlines(sizes, 0, counts, color=SAFE, linewidth=3, alpha=0.2)
    axes.plot(sizes, counts, "v", color=SAFE, markersize=4, label="safe enough")
    _write_first_numbers(axes, limits, SAFE, (0, -11))


def _write_first_numbers(
    axes: Axes, limits: Sequence[tuple[int, int]], colour: str, offset: tuple[int, int]
) -> None:
    """Write each number of events at the first size at which it is the limit.

    *offset* is from that point, in points.
    """
    first_sizes: dict[int, int] = {}
    for x, b in limits:
        first_sizes.setdefault(b, x)
    for b, x in first_sizes.items():
        axes.annotate(
            str(b), (x, b), offset, textcoords="offset points", color=colour, ha="center", size=8,
            annotation_clip=False,
        )  # fmt: skip


def _draw_grid(axes: Axes) -> None:
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
