"""``aegis boundary``: a stopping boundary, calibrated exactly, with what it does."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from services.charts.designs import Drawn, Marks, Words
from services.cli.command import Command, CommandError
from services.cli.shared.number_lists import numbers, whole
from services.cli.shared.plotting import draw, grid, picture
from services.cli.shared.tables import table
from services.safety_rules.inquiries import boundary_tables
from services.safety_rules.inquiries.boundary_tables import Design

# Options that are parameters of some families, with how many numbers each holds.
_PARAMETERS = {
    "delta": "Wang-Tsiatis: shape, 0 is O'Brien-Fleming, 0.5 compares z-values with a constant",
    "prior": "beta-binomial, Chen-Chaloner, posterior: a,b of the beta prior",
    "p1": "SPRT, Chen-Chaloner: the rate that must not be missed",
    "nu": "Chen-Chaloner: the probability of a rate above p1 must exceed it",
    "theta": "posterior: threshold of the posterior probability, which is not calibrated",
    "limit": "posterior: of a rate above this, when that is not p0",
    "strictly": "posterior: 1 stops above theta only, 0 at theta too",
    "boundary": "table: events that stop at each look",
}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--family", required=True, choices=boundary_tables.METHODS)
    parser.add_argument("--p0", type=float, required=True, help="acceptable event rate")
    parser.add_argument("--alpha", type=float, required=True, help="one-sided error at p0")
    parser.add_argument(
        "--n", type=int, required=True, help="planned maximum, 1 to 1000 (1000: some seconds)"
    )
    parser.add_argument("--looks", type=whole, default=(), metavar="5,10,15")
    parser.add_argument("--rates", type=numbers, default=(), metavar=".2,.3")
    for name, meaning in _PARAMETERS.items():
        parser.add_argument(f"--{name}", type=numbers, metavar="X", help=meaning)
    parser.add_argument(
        "--accrual-days", type=float, metavar="D", help="days over which the n enter, uniformly"
    )
    parser.add_argument(
        "--window-days", type=float, metavar="D", help="days that each is followed (default 0)"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=picture, metavar="FILE", help=".svg, .png or .pdf")


def _boundary(args: Namespace) -> int:
    parameters = {name: value for name in _PARAMETERS if (value := getattr(args, name))}
    if args.accrual_days is None and args.window_days is not None:
        raise CommandError("--window-days goes with --accrual-days")
    try:
        found = boundary_tables.boundary(
            args.family,
            args.p0,
            args.alpha,
            args.n,
            looks=args.looks,
            rates=args.rates,
            parameters=parameters,
        )
        entered = (
            found.enrolment(args.accrual_days, args.window_days or 0.0)
            if args.accrual_days is not None
            else ()
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
    if args.json:
        print(json.dumps(_with_enrolment(found.summary(), entered)))
    else:
        print(_readable(found, entered))
    if args.plot:
        _plot(args, parameters, found)
    return 0


def _plot(args: Namespace, parameters: dict[str, tuple[float, ...]], of: Design) -> None:
    rates = grid(args.p0, max(args.rates, default=0.0))
    curve = boundary_tables.boundary(
        args.family, args.p0, args.alpha, args.n, looks=args.looks, rates=rates,
        parameters=parameters,
    ).characteristics  # fmt: skip
    drawn = Drawn(of.family, of.looks, of.boundary, rates, tuple(at.p_stop for at in curve))
    note = f"Attained alpha {of.attained_alpha:.5f} of a nominal {of.alpha:g}, n {of.n}, exact."
    marks = Marks(of.p0, of.alpha, (parameters.get("p1") or (None,))[0])
    draw(args.plot, Words(f"{of.family}, p0 {of.p0:g}", note), [drawn], marks, of.n)


def _with_enrolment(
    summary: dict[str, object], entered: Sequence[tuple[float, float]]
) -> dict[str, object]:
    rows = summary["characteristics"]
    if not entered or not isinstance(rows, list):
        return summary
    more = [
        row | {"e_enrolled": people, "e_days": days}
        for row, (people, days) in zip(rows, entered, strict=True)
    ]
    return summary | {"characteristics": more}


def _readable(of: Design, entered: Sequence[tuple[float, float]]) -> str:
    lines = [
        f"{of.family}  p0 {of.p0}  alpha {of.alpha}  n {of.n}",
        f"attained alpha {of.attained_alpha:.5f}",
        f"stop at events@evaluable: {of.written}",
    ]
    if of.characteristics:
        head = ["rate", "P(stop)", "E[evaluated]", "E[events]", "median stop"]
        rows = [
            [
                r.rate,
                f"{r.p_stop:.4f}",
                f"{r.e_evaluated:.2f}",
                f"{r.e_events:.2f}",
                r.median_stop or "-",
            ]
            for r in of.characteristics
        ]
        for row, (people, days) in zip(rows, entered, strict=False):
            row += [f"{people:.2f}", f"{days:.0f}"]
        lines.append(table(head + (["E[enrolled]", "E[days]"] if entered else []), rows))
    return "\n".join(lines)


COMMAND = Command(
    "boundary", "a stopping boundary and what it does at each event rate", _arguments, _boundary
)
