"""What a notice says: pseudonyms, transplant and treatment days, numbers and what they mean."""

import base64
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

from services.alerts.domain.why_send import Reason
from services.vocabulary.alert import Alert, AlertKind
from services.vocabulary.decision import Contributor, Decision, Signal
from services.vocabulary.episode import EpisodeContent

LAST_LINE = "Trial safety oversight, not a bedside alarm."

_RECOMMENDATIONS = {
    "pause_enrolment": "pause enrolment until the DSMB has reviewed",
    "stop": "stop the treatment of further participants until the DSMB has reviewed",
    "review": "review by the DSMB",
}
_OPENINGS = {
    Reason.GRADE_ROSE: "More severe than when you were last told.",
    Reason.RETURNED: "This was retracted before; the facts say it again.",
    Reason.NOT_ACKNOWLEDGED: "Nobody has acknowledged this in time.",
}


@dataclass(frozen=True, slots=True)
class DeathDetail:
    """What a death's alert says."""

    cause: str
    transplant_day: int | None
    treatment_day: int | None


Detail = Decision | EpisodeContent | DeathDetail | None


@dataclass(frozen=True, slots=True)
class Text:
    """Subject and body, plain."""

    subject: str
    body: str


def short_name(alert_id: str) -> str:
    """Return four characters by which people speak of an alert.

    >>> short_name("1e1937cb-5882-59bf-a523-2dfc960077a8")
    'DV4I'
    """
    return base64.b32encode(hashlib.sha256(alert_id.encode()).digest()).decode()[:4]


def notice(alert: Alert, detail: Detail, reason: Reason, link: str) -> Text:
    """Return what *alert* says, sent for *reason*; *link* is where it is acknowledged."""
    if reason is Reason.RETRACTED:
        return _retraction(alert, detail)
    lines = [_OPENINGS[reason]] if reason in _OPENINGS else []
    lines += list(_lines(alert, detail))
    lines += [f"Acknowledge: {link}", LAST_LINE]
    return Text(_subject(alert, detail), "\n".join(lines) + "\n")


def _retraction(alert: Alert, detail: Detail) -> Text:
    lines = [
        f"Alert {short_name(alert.id)} is taken back: the facts behind it were corrected.",
        f"It said: {_what(alert, detail)}.",
        "Nothing is left to do about it. The earlier record stays readable.",
        LAST_LINE,
    ]
    return Text(f"Retracted: {_subject(alert, detail)}", "\n".join(lines) + "\n")


def _subject(alert: Alert, detail: Detail) -> str:
    name = f"(alert {short_name(alert.id)}"
    if isinstance(detail, Decision):
        return f"[{alert.about}] {_says(detail)}   {name}, protocol {_label(detail)})"
    return f"[{alert.study}] {_what(alert, detail)}   {name})"


def _what(alert: Alert, detail: Detail) -> str:
    if isinstance(detail, Decision):
        return f"{alert.about}: {_says(detail)}, {detail.events} events"
    if isinstance(detail, EpisodeContent):
        grade = f"grade {detail.worst}" + (" possible" if alert.kind is AlertKind.POSSIBLE else "")
        return f"{alert.participant}: {detail.term}, {grade}, {_standing(alert)}"
    if isinstance(detail, DeathDetail):
        return f"{alert.participant}: death"
    return f"{alert.participant}: records are not up to date"


def _says(decision: Decision) -> str:
    return str(decision.signal).capitalize()


def _label(decision: Decision) -> str:
    return decision.protocol.removeprefix("protocol ")


def _standing(alert: Alert) -> str:
    words = ["suspected" if alert.suspected else "confirmed"]
    words += ["provisional"] if alert.provisional else []
    return ", ".join(words)


def _lines(alert: Alert, detail: Detail) -> Iterator[str]:
    if isinstance(detail, Decision):
        yield from _decision(detail)
    elif isinstance(detail, EpisodeContent):
        yield from _episode(alert, detail)
    elif isinstance(detail, DeathDetail):
        where = f"transplant day {_day(detail.transplant_day)}, treatment day"
        yield f"{alert.participant} died: {where} {_day(detail.treatment_day)}."
        yield f"Cause: {detail.cause or 'not reported yet; enter it with `aegis facts add death`'}."
    else:
        yield f"The facts of {alert.participant} could not be applied to its records."
        yield "Its records are not up to date. The log names the place; see `aegis verify`."


def _decision(decision: Decision) -> Iterator[str]:
    data_to = decision.data_to
    until = f" Data to {data_to:%Y-%m-%d %H:%M} UTC." if data_to else ""
    yield f"{decision.title}.{until}"
    yield (
        f"{_events(decision.events)} at an effective {decision.ess:.1f} participants"
        f" ({decision.evaluable} treated, {decision.pending} pending); {_boundary(decision)}."
    )
    first = next((point for point in decision.path if point.crossed), None)
    if first is not None:
        yield f"First reached with {_events(first.events)} at an effective {first.ess:.1f}."
    suspected = decision.events - decision.confirmed
    reached = "reached" if decision.confirmed_crossed else "not reached"
    yield f"Confirmed {decision.confirmed}, suspected {suspected}. Confirmed only: {reached}."
    if decision.signal is Signal.BOUNDARY_REACHED:
        sure = "No event-free completion" if decision.certain else "Event-free completion of those"
        rest = " of those pending can undo it." if decision.certain else " pending may undo it."
        yield sure + rest
    yield (
        f"Probability of ever crossing by {decision.n}: {decision.predictive:.0%}."
        f" If every incomplete grade were at its upper end: {_events(decision.upper)}."
    )
    yield from (_contributor(one) for one in decision.contributors)
    recommended = _RECOMMENDATIONS.get(decision.recommend, decision.recommend.replace("_", " "))
    yield f"Recommended: {recommended}."


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _boundary(decision: Decision) -> str:
    size = max(1, math.ceil(decision.ess - 1e-9))
    for step in decision.steps:
        if step.first <= size <= step.last:
            return f"{_events(step.events)} stop up to {step.last}"
    return "too few participants to stop yet"


def _contributor(one: Contributor) -> str:
    standing = "confirmed" if one.confirmed else "suspected"
    days = f"transplant day {_day(one.transplant_day)}, treatment day {_day(one.treatment_day)}"
    return f"{one.participant} {days}: grade {one.grade}, {standing}"


def _episode(alert: Alert, content: EpisodeContent) -> Iterator[str]:
    standing = _standing(alert).capitalize()
    if alert.kind is AlertKind.POSSIBLE:
        missing = sorted({name for change in content.history for name in change.missing})
        yield f"{standing}. It may be this severe; missing: {', '.join(missing) or 'evidence'}."
    else:
        yield f"{standing}. {content.term}, worst grade {content.worst}."
    yield (
        f"{content.participant}: onset transplant day {_day(content.transplant_day)},"
        f" treatment day {_day(content.treatment_day)};"
        f" {'resolved' if content.resolved_at else f'now grade {content.current}'}."
    )
    worst = max(content.history, key=lambda c: (c.span.at_least, c.span.at_most))
    yield f"Because: {worst.because}."
    if content.confounders:
        yield f"Could also be explained by: {', '.join(content.confounders)}."
    yield f"In windows: {', '.join(content.windows) or 'none'}."
    yield "To do: confirm, reject or regrade it (`aegis adjudicate`)."


def _day(day: int | None) -> str:
    return "unknown" if day is None else str(day)
