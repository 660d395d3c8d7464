"""``make bench``: speed and memory, each beside its floor in the same run."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import (
    command_start,
    console_pages,
    crowded_intake,
    durable_mllp,
    grade_rows,
    hl7_read,
    late_fact,
    long_history,
    memory,
    memory_limit,
    notices,
    one_instant,
    rehearsed_rule,
    rules_in_order,
    sign_in,
    stopping,
    stored_bytes,
    study_look,
)
from benchmarks.machine import machine
from benchmarks.material import Material
from benchmarks.measuring import Comparison, Measure, compare, list_rows, write_rows
from services.cli.shared.tables import make_table

MEASURES: Mapping[str, Callable[[Material], list[Measure]]] = {
    "hl7": hl7_read.measures,
    "grade": grade_rows.measures,
    "rules": rules_in_order.measures,
    "mllp": durable_mllp.measures,
    "crowd": crowded_intake.measures,
    "memory": memory.measures,
    "limit": memory_limit.measures,
    "late": late_fact.measures,
    "long": long_history.measures,
    "instant": one_instant.measures,
    "stopping": stopping.measures,
    "look": study_look.measures,
    "rule": rehearsed_rule.measures,
    "notices": notices.measures,
    "bytes": stored_bytes.measures,
    "start": command_start.measures,
    "sign-in": sign_in.measures,
    "console": console_pages.measures,
}
_HEAD = ("measure", "figure", "compared to", "its figure", "ratio", "spread")
_LEGEND = """
ratio: figure / what it is compared to, the median of {rounds} rounds, each of which runs both;
spread: the least and the greatest. Of a rate the ratio is the share of the other's speed, of memory
and of milliseconds it is how many times the other's.
MLLP by the wall clock; reading, rules, single facts and starts by the processor time of one core.
What each floor is and why: the first lines of the files in benchmarks/."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    args = _parser().parse_args(argv)
    args.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=args.folder, prefix="bench-") as temporary:
        material = Material(Path(temporary), args.longest, args.passed)
        print(f"{machine(material.folder)}\n", flush=True)
        results: list[Comparison] = []
        for name in args.only or MEASURES:
            print(f"{name} ...", file=sys.stderr, flush=True)
            for measure in MEASURES[name](material):
                results += compare(measure, args.rounds)
    print(make_table(_HEAD, _rows(results)))
    write_rows(args.folder / "bench" / "bench.json", list_rows(results))
    print(_LEGEND.format(rounds=args.rounds))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=3, metavar="N", help="default 3")
    parser.add_argument(
        "--only", action="append", choices=MEASURES, help="this measure; may be given again"
    )
    parser.add_argument(
        "--longest",
        type=_positive,
        default=1_000_000,
        metavar="N",
        help="facts in the longest history of one participant (default 1,000,000)",
    )
    parser.add_argument(
        "--passed",
        type=_positive,
        default=500_000,
        metavar="N",
        help="facts that pass through one rules worker (default 500,000)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("var"),
        metavar="DIR",
        help="on the disk to measure (default var); what is made there is removed",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _rows(results: Sequence[Comparison]) -> list[tuple[str, ...]]:
    """Return a row for each ratio; a figure stands once, beside the first of them."""
    rows: list[tuple[str, ...]] = []
    for number, result in enumerate(results):
        slowest, greatest = result.relative_spread
        is_repeated = number > 0 and results[number - 1].name == result.name
        rows.append(
            (
                "" if is_repeated else result.name,
                "" if is_repeated else f"{_number(result.figure)} {result.unit}",
                result.reference_name,
                _number(result.reference),
                _number(result.ratio),
                f"{_number(slowest)} to {_number(greatest)}",
            )
        )
    return rows


def _number(value: float) -> str:
    """Return *value* to three digits, or whole.

    >>> _number(12345.6), _number(12.34), _number(0.01234)
    ('12,346', '12.3', '0.0123')
    """
    digits = next((digits for digits, limit in enumerate((100, 10, 1, 0.1)) if value >= limit), 4)
    return f"{value:,.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
