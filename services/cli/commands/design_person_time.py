"""``aegis design --person-time``: the families of person-time side by side."""

from argparse import Namespace
from collections.abc import Sequence

from services.charts.chart_content import Captions, Marks, PlottedRule
from services.cli.commands.boundary_person_time import make_boundary, read_plan
from services.cli.shared.columns import TIME_DESIGNS
from services.cli.shared.output_files import OutputFile, write_files
from services.cli.shared.plan_documents import list_planned_designs, make_plan_documents
from services.cli.shared.rate_grid import make_rate_grid
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.person_time_tables import (
    PersonTimeComparison,
    PersonTimePlan,
    compare_person_time_families,
)


def print_person_time_designs(args: Namespace) -> int:
    """Print every family of person-time side by side, and draw them.

    Raises:
        CommandError: An argument is out of range.
    """
    rates = [rate for rate in make_rate_grid(args.p0, args.p1) if rate < 1] if args.plot else []
    try:
        plan = read_plan(args)
        comparisons = compare_person_time_families(
            args.p0, args.p1, args.alpha, plan, delta=args.delta, prior=args.prior, rates=rates
        )
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        parameters = {name: getattr(args, name) for name in ("p0", "p1", "alpha", "n")}
        print(write_canonical(parameters | {"plan": plan, "families": comparisons}))
    else:
        print_text(_describe_comparisons(args, plan, comparisons))
    documents = make_plan_documents(
        args,
        f"Stopping rules in person-time at p0 {args.p0:g}, p1 {args.p1:g}",
        f"Planned person-time {plan.planned:.6g}, one-sided alpha {args.alpha:g}.",
        list_planned_designs(comparisons, args.p0, args.p1),
    )
    pictures = [_draw(args, rates, comparisons)] if args.plot else []
    write_files([*pictures, *documents])
    return 0


def _describe_comparisons(
    args: Namespace, plan: PersonTimePlan, comparisons: Sequence[PersonTimeComparison]
) -> str:
    rows: list[list[object]] = []
    for comparison in comparisons:
        if comparison.design is None:
            rows.append([comparison.label, *["-"] * 5, "never stops"])
            continue
        at_p0, at_p1 = comparison.design.characteristics[:2]
        rows.append(
            [
                comparison.label,
                f"{comparison.design.attained_alpha:.5f}",
                f"{at_p1.p_stop:.4f}",
                f"{at_p0.e_time:.0f}",
                f"{at_p1.e_time:.0f}",
                "-" if at_p1.median_stop is None else f"{at_p1.median_stop:.0f}",
                comparison.design.boundary_text,
            ]
        )
    return (
        f"p0 {args.p0:g}  p1 {args.p1:g} within {args.window_days:g} days  one-sided alpha "
        f"{args.alpha:g}  planned {plan.planned:.6g} person-days ({plan.expected_events:.6g} "
        f"expected events)\n{make_explained_table(TIME_DESIGNS, rows)}"
    )


def _draw(
    args: Namespace, rates: Sequence[float], comparisons: Sequence[PersonTimeComparison]
) -> OutputFile:
    from services.cli.shared.plotting import draw_designs  # noqa: PLC0415 (matplotlib takes a second)

    drawings = [
        PlottedRule(
            one.label, (), (), tuple(rates),
            tuple(at.p_stop for at in one.design.characteristics[2:]),
            person_time=make_boundary(one.design),
        )
        for one in comparisons
        if one.design
    ]  # fmt: skip
    title = f"p0 {args.p0:g}, p1 {args.p1:g} within {args.window_days:g} days"
    note = f"Nominal one-sided alpha {args.alpha:g}, never exceeded; exact."
    return draw_designs(
        args.plot, Captions(title, note), drawings, Marks(args.p0, args.alpha, args.p1), args.n
    )
