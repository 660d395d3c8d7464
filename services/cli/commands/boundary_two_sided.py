"""``aegis boundary`` with a lower limit too: a published design, and what it does."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from services.charts.chart_content import Captions, Marks, PlottedRule
from services.cli.shared.columns import TWO_SIDED
from services.cli.shared.output_files import write_files
from services.cli.shared.rate_grid import make_rate_grid
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.boundary_tables import (
    TwoSidedLimits,
    make_wald_limits,
    read_two_sided_limits,
)

Parameters = Mapping[str, Sequence[float]]


def print_two_sided_limits(args: Namespace, looks: Sequence[int], parameters: Parameters) -> int:
    """Print both limits with what they do at p0, p1 and each rate, and draw them.

    Raises:
        CommandError: The family has no two limits, or an argument is out of range.
    """
    rates = tuple(dict.fromkeys((args.p0, *parameters.get("p1", ()), *args.rates)))
    try:
        limits = _make_limits(args, looks, parameters)
        characteristics = limits.compute_characteristics(rates)
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print(write_canonical({"limits": limits, "characteristics": characteristics}))
    else:
        print_text("\n".join(_describe_limits(args, limits)))
        rows = [
            (
                f"{at.rate:g}",
                f"{at.p_upper:.4f}",
                f"{at.p_lower:.4f}",
                f"{at.p_neither:.4f}",
                f"{at.e_evaluated:.2f}",
            )
            for at in characteristics
        ]
        print(make_explained_table(TWO_SIDED, rows))
    if args.plot:
        _plot(args, limits, (parameters.get("p1") or (None,))[0])
    return 0


def _make_limits(args: Namespace, looks: Sequence[int], parameters: Parameters) -> TwoSidedLimits:
    match args.family, args.beta, args.lower:
        case "sprt", beta, None if parameters.keys() == {"p1"} and len(parameters["p1"]) == 1:
            return make_wald_limits(
                args.n, args.p0, parameters["p1"][0], alpha=args.alpha, beta=beta, looks=looks
            )
        case "table", None, lower if parameters.keys() == {"boundary"}:
            return read_two_sided_limits(args.n, parameters["boundary"], lower, looks)
    raise ValueError(
        "two limits are --family sprt with --p1 and --beta, or --family table with --boundary and"
        " --lower"
    )


def _describe_limits(args: Namespace, limits: TwoSidedLimits) -> Iterator[str]:
    yield f"{args.family}  p0 {args.p0}  n {limits.n}, two limits, not calibrated"
    yield f"too harmful at events@evaluable or more: {limits.upper_text or 'never'}"
    yield f"safe enough at events@evaluable or fewer: {limits.lower_text or 'never'}"


def _plot(args: Namespace, limits: TwoSidedLimits, p1: float | None) -> None:
    from services.cli.shared.plotting import draw_designs  # noqa: PLC0415 (matplotlib takes a second)

    rates = make_rate_grid(args.p0, max((*args.rates, p1 or 0.0)))
    p_upper = tuple(at.p_upper for at in limits.compute_characteristics(rates))
    rule = PlottedRule(args.family, limits.looks, limits.upper, rates, p_upper, limits.lower)
    note = f"Two limits, n {limits.n}, not calibrated; the curve is of the upper one; exact."
    captions = Captions(f"{args.family} with two limits, p0 {args.p0:g}", note)
    write_files(
        [draw_designs(args.plot, captions, [rule], Marks(args.p0, args.alpha, p1), limits.n)]
    )
