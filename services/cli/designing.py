"""``aegis boundary``: a stopping boundary, calibrated exactly, with what it does."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from services.cli.command import Command, CommandError
from services.cli.tables import table
from services.safety_rules import calculation

# Options that are parameters of some families, with how many numbers each holds.
_PARAMETERS = {
    "delta": "Wang-Tsiatis: shape, 0 is O'Brien-Fleming, 0.5 is Pocock",
    "prior": "beta-binomial, Chen-Chaloner, posterior: a,b of the beta prior",
    "p1": "SPRT, Chen-Chaloner: the rate that must not be missed",
    "nu": "Chen-Chaloner: weight of the two hypotheses",
    "theta": "Chen-Chaloner, posterior: threshold of the posterior probability",
    "strictly": "posterior: 1 stops above theta only, 0 at theta too",
    "boundary": "table: events that stop at each look",
}


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _whole(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--family", required=True, choices=calculation.METHODS)
    parser.add_argument("--p0", type=float, required=True, help="acceptable event rate")
    parser.add_argument("--alpha", type=float, required=True, help="one-sided error at p0")
    parser.add_argument("--n", type=int, required=True, help="planned maximum")
    parser.add_argument("--looks", type=_whole, default=(), metavar="5,10,15")
    parser.add_argument("--rates", type=_numbers, default=(), metavar=".2,.3")
    for name, meaning in _PARAMETERS.items():
        parser.add_argument(f"--{name}", type=_numbers, metavar="X", help=meaning)
    parser.add_argument("--json", action="store_true")


def _boundary(args: Namespace) -> int:
    parameters = {name: value for name in _PARAMETERS if (value := getattr(args, name))}
    try:
        found = calculation.boundary(
            args.family,
            args.p0,
            args.alpha,
            args.n,
            looks=args.looks,
            rates=args.rates,
            parameters=parameters,
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
    print(json.dumps(found) if args.json else _readable(found))
    return 0


def _readable(found: Mapping[str, object]) -> str:
    looks, stops = found["looks"], found["boundary"]
    if not isinstance(looks, Sequence) or not isinstance(stops, Sequence):
        raise TypeError("a design without looks")
    steps = [f"{b} of {x}" for x, b in _rises(looks, stops)]
    lines = [
        f"{found['family']}  p0 {found['p0']}  alpha {found['alpha']}  n {found['n']}",
        f"attained alpha {found['attained_alpha']:.5f}",
        "stop at: " + (", ".join(steps) or "never"),
    ]
    rates = found["characteristics"]
    if isinstance(rates, Sequence) and rates:
        head = ("rate", "P(stop)", "E[evaluated]", "E[events]")
        rows = [
            (r["rate"], f"{r['p_stop']:.4f}", f"{r['e_evaluated']:.2f}", f"{r['e_events']:.2f}")
            for r in rates
        ]
        lines.append(table(head, rows))
    return "\n".join(lines)


def _rises(looks: Sequence[int], stops: Sequence[int]) -> list[tuple[int, int]]:
    """Return each look at which the number that stops is another than before."""
    rises: list[tuple[int, int]] = []
    for x, b in zip(looks, stops, strict=True):
        if b <= x and (not rises or rises[-1][1] != b):
            rises.append((x, b))
    return rises


BOUNDARY = Command(
    "boundary", "a stopping boundary and what it does at each event rate", _arguments, _boundary
)
