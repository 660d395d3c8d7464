"""``aegis design``: the families of stopping rules side by side, to choose one."""

import json
from argparse import Namespace
from collections.abc import Sequence

from services.charts.chart_content import Captions, Marks, PlottedRule
from services.cli.command import CommandError
from services.cli.commands.design_person_time import print_person_time_designs
from services.cli.shared.columns import DESIGNS
from services.cli.shared.design_notes import list_design_notes
from services.cli.shared.installed import find_installed_version
from services.cli.shared.output_files import OutputFile, write_files
from services.cli.shared.plan_documents import list_planned_designs, make_plan_documents
from services.cli.shared.rate_grid import make_rate_grid
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.safety_rules.reports.boundary_tables import (
    FamilyComparison,
    Shapes,
    compare_families,
)
from services.vocabulary.spelled_numbers import spell_numbers


def perform(args: Namespace) -> int:
    """Print every family of rules side by side, and draw them."""
    if args.person_time:
        return print_person_time_designs(args)
    if args.planned is not None or args.delayed_start or args.min_events != 1:
        raise CommandError("--planned, --delayed-start and --min-events go with --person-time")
    if any(look != int(look) for look in args.looks):
        raise CommandError(
            f"--looks must be whole numbers like 5,10,15, not {spell_numbers(args.looks)}"
        )
    rates = make_rate_grid(args.p0, args.p1)
    try:
        comparisons = compare_families(
            args.p0,
            args.p1,
            args.alpha,
            args.n,
            looks=tuple(map(int, args.looks)),
            rates=rates if args.plot else (),
            shapes=Shapes(args.prior, args.delta, args.nu, args.theta),
            accrual_days=args.accrual_days,
            window_days=args.window_days,
        )
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print(json.dumps(_as_json(args, comparisons)))
    else:
        print_text(_describe_comparisons(args, comparisons))
    documents = make_plan_documents(
        args,
        f"Stopping rules at p0 {args.p0:g}, p1 {args.p1:g}",
        f"Planned maximum {args.n}, one-sided alpha {args.alpha:g}.",
        list_planned_designs(comparisons, args.p0, args.p1),
    )
    pictures = [_draw(args, rates, comparisons)] if args.plot else []
    write_files([*pictures, *documents])
    return 0


def _draw(
    args: Namespace, rates: tuple[float, ...], comparisons: Sequence[FamilyComparison]
) -> OutputFile:
    from services.cli.shared.plotting import draw_designs  # noqa: PLC0415 (matplotlib takes a second)

    drawings = [
        PlottedRule(
            one.label,
            one.design.looks,
            one.design.boundary,
            rates,
            tuple(at.p_stop for at in one.design.characteristics[2:]),
        )
        for one in comparisons
        if one.design
    ]
    title = f"p0 {args.p0:g}, p1 {args.p1:g}, n {args.n}"
    looks = f"looks after {', '.join(map(str, args.looks))}" if args.looks else "after each one"
    note = (
        f"Nominal one-sided alpha {args.alpha:g}, never exceeded but by posterior; n {args.n},"
        f" {looks}; exact. Aegis {find_installed_version()}."
    )
    return draw_designs(
        args.plot, Captions(title, note), drawings, Marks(args.p0, args.alpha, args.p1), args.n
    )


def _as_json(args: Namespace, comparisons: Sequence[FamilyComparison]) -> dict[str, object]:
    parameters = ("p0", "p1", "alpha", "n", "accrual_days", "window_days")
    return {name: getattr(args, name) for name in parameters} | {
        "families": [_family(one) for one in comparisons]
    }


def _family(comparison: FamilyComparison) -> dict[str, object]:
    if comparison.design is None:
        return {
            "family": comparison.family,
            "label": comparison.label,
            "never_stops": comparison.why_not,
        }
    at_p0, at_p1 = comparison.design.characteristics[:2]
    return {
        "family": comparison.family,
        "label": comparison.label,
        "attained_alpha": comparison.design.attained_alpha,
        "power": at_p1.p_stop,
        "e_evaluated": [at_p0.e_evaluated, at_p1.e_evaluated],
        "e_enrolled": [people for people, _ in comparison.enrolment[:2]],
        "e_days": [days for _, days in comparison.enrolment[:2]],
        "looks": list(comparison.design.looks),
        "boundary": list(comparison.design.boundary),
        "notes": _list_notes(comparison),
    }


def _describe_comparisons(args: Namespace, comparisons: Sequence[FamilyComparison]) -> str:
    rows: list[list[object]] = []
    for comparison in comparisons:
        if comparison.design is None:
            rows.append([comparison.label, *["-"] * 5, "never stops"])
            continue
        at_p1 = comparison.design.characteristics[1]
        attained_alpha = comparison.design.attained_alpha
        note = " (above alpha)" if comparison.design.exceeds_alpha else ""
        rows.append(
            [
                comparison.label,
                f"{attained_alpha:.5f}{note}",
                f"{at_p1.p_stop:.4f}",
                *(f"{people:.1f}" for people, _ in comparison.enrolment[:2]),
                at_p1.median_stop or "-",
                comparison.design.boundary_text,
            ]
        )
    return (
        f"p0 {args.p0:g}  p1 {args.p1:g}  n {args.n}  one-sided alpha {args.alpha:g}\n"
        f"{make_explained_table(DESIGNS, rows)}\n"
        f"Expected enrolled when all enter within {args.accrual_days:g} days, uniformly, and each "
        f"is evaluated after {args.window_days:g}."
        + "".join(f"\n{note}." for one in comparisons for note in _list_notes(one))
    )


def _list_notes(comparison: FamilyComparison) -> list[str]:
    if comparison.design is None:
        return []
    return [*list_design_notes(comparison.design, comparison.parameters)]
