"""Acts about alerts and rules: seen, snoozed, escalated, and the board's determination."""

from datetime import timedelta

from starlette.responses import Response

from services.acts.acknowledgement import acknowledge
from services.acts.alert_reminders import escalate_alert, snooze_alert
from services.acts.determination import RuleAnswer, determine
from services.acts.refusal import ActRefusedError, ChangedSinceSeenError
from services.console.pages import alerts, board
from services.console.respond import redirect
from services.console.signing import UnsignedError, find_actor, perform_act, read_seen_hash, sign_as
from services.console.visit import NotFoundError, Visit
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Answer
from services.vocabulary.number_text import parse_whole_number

_LONGEST_COMMENT = 500
_UNKNOWN_VERSION = -1  # that no alert has
_CHANGED = "Nothing is acknowledged: the alert is not what the form showed. Read it as it stands."


def act_on_alert(visit: Visit) -> Response:
    """Acknowledge, snooze or escalate one alert, as the button of the form says."""
    alert = alerts.find_alert(visit, visit.path["alert"])
    try:
        match visit.read_field("act"):
            case "acknowledge":
                _acknowledge(visit, alert.id)
            case "snooze":
                _snooze(visit, alert.id)
            case "escalate":
                _escalate(visit, alert.id)
            case _:
                raise NotFoundError
    except UnsignedError as error:
        return alerts.show(visit, error.status, str(error))
    return redirect(f"/alerts/by-id/{alert.id}")


def acknowledge_for_board(visit: Visit) -> Response:
    """Record that a member of the board has seen one of its alerts, for themselves."""
    alert = board.find_alert(visit)
    try:
        _acknowledge(visit, alert.id)
    except UnsignedError as error:
        return board.show_alert(visit, error.status, str(error))
    return redirect(f"/board/alerts/{alert.id}")


def determine_for_board(visit: Visit) -> Response:
    """Sign the determination of the form as the answer to one rule."""
    rule = board.find_rule(visit)
    try:
        answer = Answer(visit.read_field("answer"))
    except ValueError:
        raise NotFoundError from None
    try:
        seen_hash = read_seen_hash(visit)
        actor = sign_as(visit, find_actor(visit, ActKind.DETERMINE))
        rule_answer = RuleAnswer(rule.rule, answer, visit.read_field("reason"), seen_hash)
        perform_act(lambda: determine(visit.context.data, actor, rule_answer))
    except UnsignedError as error:
        return board.show_rule(visit, error.status, str(error))
    return redirect(f"/board/rules/{rule.rule}?signed={answer}")


def _acknowledge(visit: Visit, alert_id: str) -> None:
    actor = find_actor(visit, ActKind.ACKNOWLEDGE)
    comment = visit.read_field("comment").strip()[:_LONGEST_COMMENT]
    version = parse_whole_number(visit.read_field("version"))
    shown_version = _UNKNOWN_VERSION if version is None else version
    try:
        acknowledge(visit.context.db, actor, alert_id, comment, version=shown_version)
    except ChangedSinceSeenError as error:
        raise UnsignedError(_CHANGED, 409) from error
    except ActRefusedError as error:
        raise UnsignedError(f"Nothing is acknowledged: {error}.", 400) from error


def _snooze(visit: Visit, alert_id: str) -> None:
    actor = find_actor(visit, ActKind.SNOOZE)
    hours = parse_whole_number(visit.read_field("hours")) or 0
    ends_at = visit.instant + timedelta(hours=min(hours, 10_000))
    reason = visit.read_field("reason")
    perform_act(
        lambda: snooze_alert(
            visit.context.db, actor, alert_id, reason, visit.instant, ends_at=ends_at
        )
    )


def _escalate(visit: Visit, alert_id: str) -> None:
    actor = find_actor(visit, ActKind.ESCALATE)
    reason = visit.read_field("reason")
    perform_act(lambda: escalate_alert(visit.context.db, actor, alert_id, reason, visit.instant))
