"""``aegis endpoints --groups``: every endpoint in groups of participants, and Gray's test."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.shared.columns import GROUPS
from services.cli.shared.groups_file import read_groups
from services.cli.shared.open_study import open_to_read
from services.cli.shared.tables import format_p_value, format_utc, make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.endpoints import NoEndpointsError
from services.safety_rules.reports.group_incidence import (
    GroupComparison,
    GroupReport,
    UnknownParticipantError,
    report_groups,
)
from services.vocabulary.endpoint import EndpointCurve


def print_group_comparison(args: Namespace) -> int:
    """Print the endpoints of each group.

    Raises:
        CommandError: The file cannot be used, somebody in it was not treated, or the protocol
            names no endpoints.
    """
    groups = read_groups(args.groups)
    context = open_to_read(args)
    with context.db.read() as conn:
        try:
            report = report_groups(conn, context.study.rules, groups, args.as_of)
        except NoEndpointsError as error:
            raise CommandError(f"{error}: add `endpoints` to protocol.yaml") from error
        except UnknownParticipantError as error:
            raise CommandError(
                f"--groups {args.groups}: not treated, or not known: {error}"
            ) from error
    if report is None:
        print("Nothing was known of anybody.")
    elif args.json:
        print(write_canonical(report))
    else:
        print_text("\n".join(_describe_report(report, args.endpoint)))
    return 0


def _describe_report(report: GroupReport, endpoint: str | None) -> Iterator[str]:
    yield (
        f"{report.study}  {report.protocol}; known at {format_utc(report.as_of)} UTC;"
        f" {', '.join(f'{name} {count}' for name, count in report.groups.items())}"
    )
    if report.left_out:
        yield f"In no group, and left out: {', '.join(report.left_out)}."
    yield "clock from the first infusion:"
    comparisons = [one for one in report.comparisons if endpoint in (None, one.id)]
    rows = [
        row
        for comparison in comparisons
        for group, curve in comparison.curves.items()
        for row in [_make_row(comparison, group, curve)]
    ]
    yield make_explained_table(GROUPS, rows)
    yield "p: Gray's test, that the cumulative incidence is the same in every group."
    yield "Trial safety oversight, not a bedside alarm."


def _make_row(comparison: GroupComparison, group: str, curve: EndpointCurve) -> tuple[object, ...]:
    test = comparison.test
    landmarks = ", ".join(
        f"day {landmark.day} "
        + ("not reached" if landmark.estimate is None else f"{landmark.estimate.value:.1%}")
        for landmark in curve.landmarks
    )
    return (
        comparison.title,
        group,
        curve.participants,
        curve.events,
        sum(curve.competing.values()),
        landmarks,
        "-" if test is None else format_p_value(test.p_value),
    )
