"""``aegis endpoints``: survival, incidence and adverse events of the trial at a data cut."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.cli.command import CommandError
from services.cli.shared.columns import ADVERSE_EVENTS, ENDPOINTS, headings
from services.cli.shared.open_study import open_data
from services.cli.shared.tables import explained_table, table, utc
from services.runtime import wire
from services.safety_rules.inquiries.endpoints import CLOCKS, NoEndpointsError, report
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


def perform(args: Namespace) -> int:
    """Print the endpoints, and draw them."""
    if args.plot is not None:
        from services.cli.shared import incidence_pictures  # noqa: PLC0415 (slow)

        incidence_pictures.require_form(args.plot)
    context = open_data(args, create=False)
    with context.db.read() as conn:
        try:
            found = report(conn, context.study.rules, args.as_of)
        except NoEndpointsError as error:
            raise CommandError(f"{error}: add `endpoints` to protocol.yaml") from error
    if found is None:
        print("Nothing was known of anybody.")
        return 0
    curves = [
        curve
        for curve in found.curves
        if args.endpoint in (None, curve.id) and args.clock in (None, curve.clock)
    ]
    if args.json:
        print(wire.write_canonical(replace(found, curves=tuple(curves))))
    else:
        print("\n".join(_lines(found, curves, everything=args.endpoint is None)))
    if args.plot is not None:
        drawn = [c for c in curves if c.clock == (args.clock or "transplant")]
        for path in incidence_pictures.draw(
            args.plot, found, drawn, alone=args.endpoint is not None
        ):
            print(f"picture: {path}", file=sys.stderr if args.json else sys.stdout)
    return 0


def _lines(
    of: EndpointReport, curves: Sequence[EndpointCurve], *, everything: bool
) -> Iterator[str]:
    yield (
        f"{of.study}  {of.protocol}; known at {utc(of.as_of)} UTC, data to {utc(of.data_to)} UTC;"
        f" {of.treated} treated of {of.enrolled} enrolled"
    )
    for clock in CLOCKS:
        chosen = [curve for curve in curves if curve.clock == clock]
        if chosen:
            yield ""
            yield f"{_CLOCKS[clock]}:"
            yield _curve_table(chosen)
    yield "Probability with its 95 % interval (events by then, at risk on that day)."
    yield from _remarks(curves)
    if everything:
        yield ""
        yield from _adverse_event_lines(of.adverse_events)
    yield "Trial safety oversight, not a bedside alarm."


def _curve_table(curves: Sequence[EndpointCurve]) -> str:
    days = [f"day {landmark.day}" for landmark in curves[0].landmarks]
    rows = [
        (
            curve.title,
            curve.participants,
            curve.events,
            ", ".join(f"{_words(k)} {v}" for k, v in curve.competing.items()) or "-",
            *(_at(landmark) for landmark in curve.landmarks),
        )
        for curve in curves
    ]
    return table((*headings(ENDPOINTS[:-1]), *days), rows)


def _at(landmark: Landmark) -> str:
    if landmark.estimate is None:
        return f"not reached ({landmark.events}, {landmark.at_risk})"
    return f"{_estimate(landmark.estimate)} ({landmark.events}, {landmark.at_risk})"


def _estimate(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:.1%}"
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def _remarks(curves: Sequence[EndpointCurve]) -> Iterator[str]:
    """What a reader must know beside the numbers, each once."""
    for curve in curves:
        name = f"{curve.title}, {_CLOCKS[curve.clock].split(',')[0]}"
        for day, at_risk in curve.few_at_risk:
            yield f"! {name}: event on day {day} with only {at_risk} at risk"
    for curve in curves:
        if curve.clock == curves[0].clock:
            for one in curve.not_at_risk:
                when = "" if one.day is None else f", day {one.day}"
                yield f"- {curve.title}: {one.participant} not at risk: {one.why}{when}"
            if curve.never_assessed:
                count, of = len(curve.never_assessed), curve.participants
                yield f"! {curve.title}: {count} of {of} never assessed for it after entry"
            for participant in curve.possible:
                yield f"? {curve.title}: {participant} perhaps; an organ was not assessed"


def _adverse_event_lines(of: AdverseEvents) -> Iterator[str]:
    yield (
        f"{of.term_set} adverse events that began in window {of.window}, worst grade in it:"
        f" {of.evaluable} evaluable, {of.followed} followed to its end or to death,"
        f" {of.outside} first treated after it"
    )
    rows = [
        (
            row.term,
            *(count or "-" for count in row.by_grade),
            _proportion(row.any_grade),
            _proportion(row.severe),
            row.severe_at_most,
        )
        for row in of.rows
    ]
    yield explained_table(ADVERSE_EVENTS, rows)
    yield "Proportion of evaluable participants with its exact (Clopper-Pearson) 95 % interval."


def _proportion(found: Proportion) -> str:
    estimate = "-" if found.estimate is None else _estimate(found.estimate)
    return f"{found.count}/{found.of} {estimate}"


def _words(name: str) -> str:
    return name.replace("_", " ")
