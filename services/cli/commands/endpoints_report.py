"""The answer of ``aegis endpoints``: survival, incidence and adverse events at a data cut."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.cli.command import CommandError
from services.cli.shared.columns import ADVERSE_EVENTS, ENDPOINTS, list_headings
from services.cli.shared.engraftment_lines import make_engraftment_table, summarize_engraftment
from services.cli.shared.open_study import open_to_read
from services.cli.shared.tables import format_utc, make_explained_table, make_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.endpoints import CLOCKS, NoEndpointsError, report_endpoints
from services.vocabulary.endpoint import (
    AdverseEvents,
    EndpointClock,
    EndpointCurve,
    EndpointReport,
    Estimate,
    Landmark,
    Proportion,
)

_CLOCKS: dict[EndpointClock, str] = {
    "transplant": "clock from transplant, at risk from the first infusion on",
    "first_infusion": "clock from the first infusion",
}


def compute_answer(args: Namespace) -> str:
    """Return the endpoints that the command asks for, as tables or as JSON.

    Raises:
        CommandError: There are no data, or the protocol names no endpoints.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    return _write_report(args, _load_report(args))


def print_with_pictures(args: Namespace) -> None:
    """Print the endpoints, and draw their curves to the files that ``--plot`` names.

    Raises:
        CommandError: As `compute_answer`, or the files are not of a form that can be drawn.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    from services.cli.shared import incidence_pictures  # noqa: PLC0415 (slow)

    incidence_pictures.require_form(args.plot)
    report = _load_report(args)
    text = _write_report(args, report)
    print(text) if args.json else print_text(text)
    if report is None:
        return
    curves = [
        curve
        for curve in _select_curves(args, report)
        if curve.clock == (args.clock or "transplant")
    ]
    for path in incidence_pictures.draw_curves(
        args.plot, report, curves, is_single=args.endpoint is not None
    ):
        print(f"picture: {path}", file=sys.stderr if args.json else sys.stdout)


def _load_report(args: Namespace) -> EndpointReport | None:
    context = open_to_read(args)
    with context.db.read() as conn:
        try:
            return report_endpoints(conn, context.study.rules, args.as_of)
        except NoEndpointsError as error:
            raise CommandError(f"{error}: add `endpoints` to protocol.yaml") from error


def _write_report(args: Namespace, report: EndpointReport | None) -> str:
    if report is None:
        return "Nothing was known of anybody."
    curves = _select_curves(args, report)
    if args.json:
        return write_canonical(replace(report, curves=tuple(curves)))
    if args.engraftment:
        return f"{_describe_cut(report)}\n{make_engraftment_table(report.engraftment)}"
    return "\n".join(_lines(report, curves, with_adverse_events=args.endpoint is None))


def _select_curves(args: Namespace, report: EndpointReport) -> list[EndpointCurve]:
    return [
        curve
        for curve in report.curves
        if args.endpoint in (None, curve.id) and args.clock in (None, curve.clock)
    ]


def _lines(
    report: EndpointReport, curves: Sequence[EndpointCurve], *, with_adverse_events: bool
) -> Iterator[str]:
    yield _describe_cut(report)
    for clock in CLOCKS:
        clock_curves = [curve for curve in curves if curve.clock == clock]
        if clock_curves:
            yield ""
            yield f"{_CLOCKS[clock]}:"
            yield _curve_table(clock_curves)
    yield "Probability with its 95 % interval (events by then, at risk on that day)."
    yield (
        "Counts differ from those of a stopping rule (`aegis rules status`), which has a window and"
        " competing events of its own, and of its first n participants alone."
    )
    yield from _remarks(curves)
    if with_adverse_events:
        yield ""
        yield from _describe_adverse_events(report.adverse_events)
        if report.engraftment:
            yield ""
            yield from summarize_engraftment(report.engraftment)
    yield "Trial safety oversight, not a bedside alarm."


def _describe_cut(report: EndpointReport) -> str:
    return (
        f"{report.study}  {report.protocol}; known at {format_utc(report.as_of)} UTC,"
        f" data to {format_utc(report.data_to)} UTC;"
        f" {report.treated} treated of {report.enrolled} enrolled"
    )


def _curve_table(curves: Sequence[EndpointCurve]) -> str:
    days = [f"day {landmark.day}" for landmark in curves[0].landmarks]
    rows = [
        (
            curve.title,
            curve.participants,
            curve.events,
            ", ".join(f"{_words(k)} {v}" for k, v in curve.competing.items()) or "-",
            *(_describe_landmark(landmark) for landmark in curve.landmarks),
        )
        for curve in curves
    ]
    return make_table((*list_headings(ENDPOINTS[:-1]), *days), rows)


def _describe_landmark(landmark: Landmark) -> str:
    if landmark.estimate is None:
        return f"not reached ({landmark.events}, {landmark.at_risk})"
    return f"{_describe_estimate(landmark.estimate)} ({landmark.events}, {landmark.at_risk})"


def _describe_estimate(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.1%}"
    return f"{estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}]"


def _remarks(curves: Sequence[EndpointCurve]) -> Iterator[str]:
    """Yield each thing that a reader must know beside the numbers, once."""
    for curve in curves:
        name = f"{curve.title}, {_CLOCKS[curve.clock].split(',')[0]}"
        for day, at_risk in curve.few_at_risk:
            yield f"! {name}: event on day {day} with only {at_risk} at risk"
    for curve in curves:
        if curve.clock == curves[0].clock:
            for exclusion in curve.not_at_risk:
                when = "" if exclusion.day is None else f", day {exclusion.day}"
                yield f"- {curve.title}: {exclusion.participant} not at risk: {exclusion.why}{when}"
            if curve.never_assessed:
                share = f"{len(curve.never_assessed)} of {curve.participants}"
                yield f"! {curve.title}: {share} never assessed for it after entry"
            for participant in curve.possible:
                yield f"? {curve.title}: {participant} perhaps; an organ was not assessed"


def _describe_adverse_events(events: AdverseEvents) -> Iterator[str]:
    yield (
        f"{events.term_set} adverse events that began in window {events.window}, worst grade in it:"
        f" {events.evaluable} evaluable, {events.followed} followed to its end or to death,"
        f" {events.outside} first treated after it"
    )
    rows = [
        (
            row.term,
            *(count or "-" for count in row.by_grade),
            _describe_proportion(row.any_grade),
            _describe_proportion(row.severe),
            row.severe_at_most,
        )
        for row in events.rows
    ]
    yield make_explained_table(ADVERSE_EVENTS, rows)
    yield "Proportion of evaluable participants with its exact (Clopper-Pearson) 95 % interval."


def _describe_proportion(proportion: Proportion) -> str:
    estimate = "-" if proportion.estimate is None else _describe_estimate(proportion.estimate)
    return f"{proportion.count}/{proportion.of} {estimate}"


def _words(name: str) -> str:
    return name.replace("_", " ")
