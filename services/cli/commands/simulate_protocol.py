"""``aegis simulate protocol``: all rules of a protocol in the same trials, before any begins."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from services.cli.arguments.simulate_protocol import add_arguments
from services.cli.command import CommandError
from services.cli.shared.columns import PROTOCOL_SIMULATION, SHARED_ALPHA
from services.cli.shared.read_protocol import read_protocol
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.cli.shared.trial_course import describe_course, read_trial_plan
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.protocol_simulation import (
    ANY_RULE,
    ProtocolRehearsal,
    rehearse_protocol,
)
from services.safety_rules.reports.shared_alpha import SharedAlpha, share_alpha
from services.vocabulary.protocol import Curve, Protocol

_OF_SHARED_ALPHA = ("study", "share_alpha", "correlation", "json")


def print_protocol_rehearsal(args: Namespace) -> int:
    """Print the probability that each rule stops, and that any does; or how they share an error.

    Raises:
        CommandError: The study cannot be read, or an argument is out of range.
    """
    protocol = read_protocol(args)
    try:
        if args.share_alpha is not None:
            return _print_shared_alpha(args, protocol)
        rehearsal = rehearse_protocol(
            protocol.rules,
            read_trial_plan(args, Curve("uniform"), (1.0, 1.0)),
            dose_days=args.dose_days,
            factors=args.factors,
            correlation=args.correlation,
            trials=args.trials,
            seed=args.seed,
        )
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print(write_canonical({"protocol": protocol.label, "rehearsal": rehearsal}))
    else:
        print_text("\n".join(_describe_rehearsal(rehearsal, protocol)))
    return 0


def _print_shared_alpha(args: Namespace, protocol: Protocol) -> int:
    _require_no_course(args)
    rules = [rule for rule in protocol.rules if not rule.watch_only]
    allocation = share_alpha(rules, args.share_alpha, args.correlation)
    if args.json:
        print(write_canonical({"protocol": protocol.label, "shared": _as_json(allocation)}))
    else:
        print_text("\n".join(_describe_shared_alpha(allocation, protocol)))
    return 0


def _require_no_course(args: Namespace) -> None:
    """Do nothing when no argument says how the trials go: a shared error has none of it.

    Raises:
        CommandError: One does.
    """
    parser = ArgumentParser()
    add_arguments(parser)
    defaults = vars(parser.parse_args([str(args.study)]))
    for name, default in defaults.items():
        if name not in _OF_SHARED_ALPHA and getattr(args, name) != default:
            flag = name.replace("_", "-")
            raise CommandError(
                f"--share-alpha goes without --{flag}: it follows everybody to the end of each"
                " window, and knows all at once"
            )


def _describe_rehearsal(rehearsal: ProtocolRehearsal, protocol: Protocol) -> Iterator[str]:
    first, last = rehearsal.dose_days
    days = f"{first:g}" if first == last else f"{first:g} to {last:g}"
    yield f"{protocol.study}  {protocol.label}"
    yield (
        f"{rehearsal.trials} trials, seed {rehearsal.seed}; {describe_course(rehearsal.course)};"
        f" first dose on transplant day {days}; correlation {rehearsal.correlation:g}"
    )
    watch_only_ids = {rule.id for rule in protocol.rules if rule.watch_only}
    for factor in dict.fromkeys(row.factor for row in rehearsal.rows):
        rows = [
            (
                row.rule + (" (watch only)" if row.rule in watch_only_ids else ""),
                "-" if row.rate is None else f"{row.rate:g}",
                f"{row.p_stop:.4f}",
                f"{row.standard_error:.4f}",
                f"{row.mean_enrolled:.1f}",
            )
            for row in rehearsal.rows
            if row.factor == factor
        ]
        yield ""
        yield f"every event rate {factor:g} x p0"
        yield make_explained_table(PROTOCOL_SIMULATION, rows)
    yield ""
    yield (
        f"{ANY_RULE}: the first that stops, without those that only watch. +-: standard error of"
        " the simulation. Each rule counts as it does live, by reports as they come."
    )


def _describe_shared_alpha(allocation: SharedAlpha, protocol: Protocol) -> Iterator[str]:
    yield f"{protocol.study}  {protocol.label}"
    yield (
        "any rule stops a safe trial:"
        f" {allocation.nominal_familywise_error:.4f} with the errors of the protocol,"
        f" {allocation.familywise_error:.4f} +- {allocation.standard_error:.4f} with these"
    )
    yield (
        f"target {allocation.target:g}, correlation {allocation.correlation:g},"
        f" every error times {allocation.factor:.3f}"
    )
    rows = [
        (rule, f"{design.alpha:.5f}", f"{design.attained_alpha:.5f}", design.boundary_text)
        for rule, design in allocation.designs
    ]
    yield make_explained_table(SHARED_ALPHA, rows)


def _as_json(allocation: SharedAlpha) -> dict[str, object]:
    names = (
        "target",
        "correlation",
        "factor",
        "familywise_error",
        "standard_error",
        "nominal_familywise_error",
    )
    return {name: getattr(allocation, name) for name in names} | {
        "rules": [
            {
                "rule": rule,
                "alpha": design.alpha,
                "attained_alpha": design.attained_alpha,
                "looks": list(design.looks),
                "boundary": list(design.boundary),
            }
            for rule, design in allocation.designs
        ]
    }
