"""The words of a notice: pseudonyms, transplant and treatment days, numbers and their meaning."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from services.alerts.domain.advice_wording import describe_advice, summarize_advice
from services.alerts.domain.decision_wording import (
    describe_decision,
    describe_reversal,
    format_day,
    format_signal,
)
from services.alerts.domain.due_notice import Reason
from services.alerts.domain.evidence import NO_EVIDENCE, Evidence
from services.alerts.domain.operations_wording import (
    OperationsDetail,
    describe_operations,
    summarize_operations,
)
from services.vocabulary.alert import Alert, AlertKind, DeathDetail
from services.vocabulary.count_text import name_count
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
_BEFORE_TASK = 3  # lines, beside the first: who has to act reads no further
_SEVERITY_RISE = "It is more severe"
_RISES = {
    AlertKind.DOSE: "More is recommended",
    AlertKind.HYS_LAW: "It is more certain",
    AlertKind.SAE_CLOCK: "Less time is left",
}
_CHANGES = {
    Reason.HOLDS_AGAIN: "Holds again",
    Reason.NOT_ACKNOWLEDGED: "Reminder",
    Reason.NOT_DELIVERED: "Not delivered to somebody",
    Reason.ESCALATION: "Escalated",
}
_REASON_LINES = {
    Reason.ESCALATION: "A person has escalated this to you.",
    Reason.HOLDS_AGAIN: "You may have been told that this no longer holds; it holds again.",
    Reason.NOT_ACKNOWLEDGED: "Not acknowledged in time by everybody who has to.",
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


def write_notice(alert: Alert, reason: Reason, link: str, evidence: Evidence = NO_EVIDENCE) -> Text:
    """Return the text of *alert*, sent for *reason*.

    The task and *link*, the place to acknowledge it, stand among the first lines; *evidence* adds
    values and terms to them.
    """
    if reason is Reason.RETRACTED:
        return _write_retraction(alert)
    if reason is Reason.ENDED:
        return _write_end(alert)
    first, *rest, last = _describe_alert(alert, evidence)
    reason_line = _describe_reason(alert, reason)
    task = f"{last} Acknowledge: {link}" if alert.acknowledge_within_s else last
    lines = [
        first,
        *([reason_line] if reason_line else []),
        *rest[:_BEFORE_TASK],
        task,
        *rest[_BEFORE_TASK:],
    ]
    return Text(_write_subject(alert, reason), _write_body(alert, lines), link)


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
    return Text(f"{prefix}: {_write_subject(alert, None)}", _write_body(alert, lines))


def _write_end(alert: Alert) -> Text:
    name = make_short_name(alert.id)
    lines = [f"Alert {name} is over: it no longer holds.", f"It said: {_summarize(alert)}."]
    return Text(f"Over: {_write_subject(alert, None)}", _write_body(alert, lines))


def _write_body(alert: Alert, lines: list[str]) -> str:
    name = f"Alert {make_short_name(alert.id)} ({alert.id}), {alert.protocol}."
    return "\n".join((*lines, name, LAST_LINE)) + "\n"


def _write_subject(alert: Alert, reason: Reason | None) -> str:
    name = f"(alert {make_short_name(alert.id)}, {_shorten_label(alert.protocol)})"
    change = f"{words}: " if (words := _name_change(alert, reason)) else ""
    if isinstance(alert.detail, Decision):
        return f"{change}[{alert.about}] {_format_heading(alert, alert.detail)}   {name}"
    return f"{change}[{alert.study}] {_summarize(alert)}   {name}"


def _name_change(alert: Alert, reason: Reason | None) -> str:
    """Return the change in words, to stand first in a subject; empty for a first notice."""
    if reason is Reason.GRADE_ROSE:
        if alert.kind in _OF_A_RULE:
            return f"Now {name_count(alert.grade, 'event')}"
        return _RISES.get(alert.kind, f"Grade rose to {alert.grade}")
    return _CHANGES.get(reason, "") if reason else ""


def _shorten_label(protocol: str) -> str:
    """Return the version, and that nobody has signed it; who has stands in the body.

    >>> _shorten_label("protocol v2 signed by A. Lee (statistician)")
    'protocol v2'
    """
    return protocol.partition(" signed by")[0].removesuffix(",")


def _summarize(alert: Alert) -> str:
    detail = alert.detail
    if isinstance(detail, Decision):
        return (
            f"{alert.about}: {_format_heading(alert, detail)}, {name_count(alert.grade, 'event')}"
        )
    if isinstance(detail, EpisodeContent):
        grade = f"grade {detail.worst}" + (" possible" if alert.kind is AlertKind.POSSIBLE else "")
        return f"{alert.participant}: {detail.term}, {grade}, {_describe_standing(alert)}"
    if isinstance(detail, DeathDetail):
        return f"{alert.participant}: death"
    if isinstance(detail, Advice):
        return f"{alert.participant}: {summarize_advice(detail)}"
    if isinstance(detail, OperationsDetail):
        words = summarize_operations(detail)
        return f"{alert.participant}: {words}" if alert.participant else words
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


def _describe_alert(alert: Alert, evidence: Evidence) -> Iterator[str]:
    """Yield the facts, and last the task of the reader."""
    detail = alert.detail
    if isinstance(detail, Decision):
        yield from describe_decision(detail, evidence.terms)
    elif isinstance(detail, EpisodeContent):
        yield from _describe_episode(alert, detail, evidence)
    elif isinstance(detail, DeathDetail):
        days = f"transplant day {format_day(detail.transplant_day)}, treatment day"
        yield f"{alert.participant} died: {days} {format_day(detail.treatment_day)}."
        yield f"Cause: {detail.cause or 'not reported yet'}."
    elif isinstance(detail, Advice):
        yield from describe_advice(detail, _describe_standing(alert).capitalize())
    elif isinstance(detail, OperationsDetail):
        yield from describe_operations(detail, alert.participant)
    else:
        yield f"The facts of {alert.participant} could not be applied to its records."
        yield "Its records are not up to date. The log names the place; see `aegis verify`."


def _describe_episode(alert: Alert, content: EpisodeContent, evidence: Evidence) -> Iterator[str]:
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
    yield f"Because: {', '.join((*evidence.values, _describe_grounds(worst)))}."
    if content.confounders:
        yield f"Could also be explained by: {', '.join(content.confounders)}."
    yield f"In windows: {', '.join(content.windows) or 'none'}."
    yield f"To do: confirm, reject or regrade it (`aegis adjudicate {alert.about[:8]}`)."


def _describe_grounds(change: Change) -> str:
    spoken = (words for start, words in _BY_A_PERSON.items() if change.because.startswith(start))
    return next(spoken, change.because)
