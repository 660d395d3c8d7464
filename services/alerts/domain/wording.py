"""The words of a notice: pseudonyms, transplant and treatment days, numbers and their meaning."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from services.alerts.domain.advice_wording import describe_advice, summarize_advice
from services.alerts.domain.decision_wording import (
    count_events,
    describe_decision,
    describe_reversal,
    format_day,
    format_signal,
)
from services.alerts.domain.due_notice import Reason
from services.vocabulary.alert import Alert, AlertKind, DeathDetail
from services.vocabulary.decision import Decision
from services.vocabulary.episode import Change, EpisodeContent
from services.vocabulary.missing_inputs import describe_missing_inputs
from services.vocabulary.recommendation import Advice

LAST_LINE = "Trial safety oversight, not a bedside alarm."

_OF_A_RULE = (
    AlertKind.BOUNDARY_REACHED,
    AlertKind.BOUNDARY_LIKELY,
    AlertKind.BOUNDARY_AT_UPPER,
)
_SEVERITY_RISE = "It is more severe"
_RISES = {
    AlertKind.DOSE: "More is recommended",
    AlertKind.HYS_LAW: "It is more certain",
}
_REASON_LINES = {
    Reason.HOLDS_AGAIN: "You may have been told that this no longer holds; it holds again.",
    Reason.NOT_ACKNOWLEDGED: "Nobody has acknowledged this in time.",
    Reason.NOT_DELIVERED: (
        "A notice of this could not be delivered to somebody who has to know:"
        " see to it that they do (`aegis alerts show`)."
    ),
}
# What the records say with a name stands here without: the DSMB is told of no member of a site.
_BY_A_PERSON = {
    "assessed by ": "a clinician's own grade",
    "regraded by ": "a clinician regraded it",
}


@dataclass(frozen=True, slots=True)
class Text:
    """Subject and body, plain; *link* stands in the body, empty when there is none to follow."""

    subject: str
    body: str
    link: str = ""


def make_short_name(alert_id: str) -> str:
    """Return four characters by which people speak of an alert.

    >>> make_short_name("1e1937cb-5882-59bf-a523-2dfc960077a8")
    'DV4I'
    """
    return base64.b32encode(hashlib.sha256(alert_id.encode()).digest()).decode()[:4]


def write_notice(alert: Alert, reason: Reason, link: str) -> Text:
    """Return the text of *alert*, sent for *reason*; *link* is the place to acknowledge it."""
    if reason is Reason.RETRACTED:
        return _write_retraction(alert)
    first, *rest, last = _describe_alert(alert)
    reason_line = _describe_reason(alert, reason)
    lines = [first, *([reason_line] if reason_line else []), *rest, f"{last} Acknowledge: {link}"]
    return Text(_write_subject(alert), _write_body(alert, lines), link)


def _describe_reason(alert: Alert, reason: Reason) -> str:
    if reason is Reason.GRADE_ROSE:
        rise = (
            "More events count"
            if alert.kind in _OF_A_RULE
            else _RISES.get(alert.kind, _SEVERITY_RISE)
        )
        return f"{rise} than when you were last told."
    return _REASON_LINES.get(reason, "")


def _write_retraction(alert: Alert) -> Text:
    if alert.kind is AlertKind.BOUNDARY_LIKELY:
        prefix, why = "No longer", "no longer holds: with what is known now, it is less likely"
    elif alert.kind is AlertKind.BOUNDARY_AT_UPPER:
        prefix, why = "No longer", "no longer holds: with what is known now, no grade may reach it"
    else:
        prefix = "Retracted"
        why = "is taken back: the facts behind it were corrected, or judged otherwise"
    detail = alert.detail
    reversal = detail.undone if isinstance(detail, Decision) else None
    lines = [
        f"Alert {make_short_name(alert.id)} {why}.",
        f"It said: {_summarize(alert)}.",
        *(
            [describe_reversal(detail, reversal)]
            if isinstance(detail, Decision) and reversal
            else []
        ),
        "If anything was done because of it, look at that again.",
        "The earlier record stays readable.",
    ]
    return Text(f"{prefix}: {_write_subject(alert)}", _write_body(alert, lines))


def _write_body(alert: Alert, lines: list[str]) -> str:
    name = f"Alert {make_short_name(alert.id)} ({alert.id}), {alert.protocol}."
    return "\n".join((*lines, name, LAST_LINE)) + "\n"


def _write_subject(alert: Alert) -> str:
    name = f"(alert {make_short_name(alert.id)}, {_shorten_label(alert.protocol)})"
    if isinstance(alert.detail, Decision):
        return f"[{alert.about}] {_format_heading(alert, alert.detail)}   {name}"
    return f"[{alert.study}] {_summarize(alert)}   {name}"


def _shorten_label(protocol: str) -> str:
    """Return the version, and that nobody has signed it; who has stands in the body.

    >>> _shorten_label("protocol v2 signed by A. Lee (statistician)")
    'protocol v2'
    """
    return protocol.partition(" signed by")[0].removesuffix(",")


def _summarize(alert: Alert) -> str:
    detail = alert.detail
    if isinstance(detail, Decision):
        return f"{alert.about}: {_format_heading(alert, detail)}, {count_events(alert.grade)}"
    if isinstance(detail, EpisodeContent):
        grade = f"grade {detail.worst}" + (" possible" if alert.kind is AlertKind.POSSIBLE else "")
        return f"{alert.participant}: {detail.term}, {grade}, {_describe_standing(alert)}"
    if isinstance(detail, DeathDetail):
        return f"{alert.participant}: death"
    if isinstance(detail, Advice):
        return f"{alert.participant}: {summarize_advice(detail)}"
    return f"{alert.participant}: records are not up to date"


def _format_heading(alert: Alert, decision: Decision) -> str:
    if alert.kind is AlertKind.BOUNDARY_AT_UPPER:
        return "Boundary reached at upper grades, not as it is counted"
    if decision.undone is not None and not alert.retracted:
        return "Boundary was reached, and no longer is"
    return format_signal(decision)


def _describe_standing(alert: Alert) -> str:
    words = ["suspected" if alert.suspected else "confirmed"]
    words += ["provisional"] if alert.provisional else []
    return ", ".join(words)


def _describe_alert(alert: Alert) -> Iterator[str]:
    """Yield the facts, and last the task of the reader."""
    detail = alert.detail
    if isinstance(detail, Decision):
        yield from describe_decision(detail)
    elif isinstance(detail, EpisodeContent):
        yield from _describe_episode(alert, detail)
    elif isinstance(detail, DeathDetail):
        days = f"transplant day {format_day(detail.transplant_day)}, treatment day"
        yield f"{alert.participant} died: {days} {format_day(detail.treatment_day)}."
        yield f"Cause: {detail.cause or 'not reported yet'}."
    elif isinstance(detail, Advice):
        yield from describe_advice(detail, _describe_standing(alert).capitalize())
    else:
        yield f"The facts of {alert.participant} could not be applied to its records."
        yield "Its records are not up to date. The log names the place; see `aegis verify`."


def _describe_episode(alert: Alert, content: EpisodeContent) -> Iterator[str]:
    standing = _describe_standing(alert).capitalize()
    if alert.kind is AlertKind.POSSIBLE:
        missing = sorted({name for change in content.history for name in change.missing})
        yield (
            f"{standing}. {content.term} may be grade {content.worst.at_most:d};"
            f" missing: {describe_missing_inputs(missing, content.criterion) or 'evidence'}."
        )
    else:
        yield f"{standing}. {content.term}, worst grade {content.worst}."
    yield (
        f"{content.participant}: onset transplant day {format_day(content.transplant_day)},"
        f" treatment day {format_day(content.treatment_day)};"
        f" {'resolved' if content.resolved_at else f'now grade {content.current}'}."
    )
    worst = max(content.history, key=lambda c: (c.span.at_least, c.span.at_most))
    yield f"Because: {_describe_grounds(worst)}."
    if content.confounders:
        yield f"Could also be explained by: {', '.join(content.confounders)}."
    yield f"In windows: {', '.join(content.windows) or 'none'}."
    yield f"To do: confirm, reject or regrade it (`aegis adjudicate {alert.about[:8]}`)."


def _describe_grounds(change: Change) -> str:
    spoken = (words for start, words in _BY_A_PERSON.items() if change.because.startswith(start))
    return next(spoken, change.because)
