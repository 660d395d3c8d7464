"""Notices sent, and what came of them recorded."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.alerts import links
from services.alerts.delivery_context import GIVEN_UP, SENT, Delivered, Desk
from services.alerts.domain.routes import Recipient
from services.alerts.domain.why_send import Reason
from services.alerts.domain.wording import notice
from services.alerts.plan_notices import is_failing
from services.alerts.ports import Failed, Letter, Sent
from services.charts.boundary import boundary_chart
from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.store import alerts
from services.store.alerts import DeliveryRow
from services.vocabulary.alert import Alert
from services.vocabulary.decision import Decision

_log = log.make_logger("alerts")

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
_MOST_DOUBLINGS = 16  # far beyond the longest wait
_AT_ONCE = 20


def deliver(desk: Desk) -> int:
    """Send what is due, and return how many attempts that made.

    An attempt is recorded before it is made, and its result after: what is interrupted between the
    two is sent again under the same id.
    """
    with desk.db.read() as conn:
        due = alerts.load_due_deliveries(conn, desk.clock(), _AT_ONCE, _LONGEST_WAIT)
        about = {one.id: one for one in alerts.load_alerts(conn, ids=[row.alert for row in due])}
    return sum(_attempt(desk, row, about[row.alert]) for row in due)


def _attempt(desk: Desk, row: DeliveryRow, alert: Alert) -> bool:
    now = desk.clock()
    tried = replace(row, attempts=row.attempts + 1, next_attempt_at=now + _wait(row))
    with desk.db.write() as conn:
        if not alerts.replace_delivery(conn, row, tried):
            return False
    pass_failpoint("alerts.attempt_recorded")
    result = _send(desk, tried, alert, now)
    pass_failpoint("alerts.sent")
    after = _after(tried, result, desk.clock())
    with desk.db.write() as conn:
        alerts.replace_delivery(conn, tried, after)
    pass_failpoint("alerts.result_recorded")
    _say(after, result)
    outcome = "sent" if isinstance(result, Sent) else "failed"
    desk.on_delivered(Delivered(row.channel, outcome, alert, now))
    return True


def _say(row: DeliveryRow, result: Sent | Failed) -> None:
    about = {"alert": row.alert, "delivery": row.id, "channel": row.channel, "role": row.role}
    how = {"reason": row.reason, "attempt": row.attempts, "state": row.state}
    if isinstance(result, Sent):
        _log.info("notice_sent", **about, **how)
    else:
        tell = _log.error if is_failing(row) else _log.warning
        tell("notice_not_sent", **about, **how, problem=result.problem)


def _after(row: DeliveryRow, result: Sent | Failed, now: datetime) -> DeliveryRow:
    if isinstance(result, Sent):
        return replace(row, state=SENT, sent_at=now, next_attempt_at=None, error="")
    if result.can_retry:
        return replace(row, error=result.problem)
    return replace(row, state=GIVEN_UP, next_attempt_at=None, error=result.problem)


def _wait(row: DeliveryRow) -> timedelta:
    """Return how long to wait before the next attempt: twice as long each time, spread by id."""
    spread = 1 + int(row.id[:2], 16) / 512
    doublings = min(row.attempts, _MOST_DOUBLINGS)
    waited_s = _FIRST_WAIT.total_seconds() * spread * 2.0**doublings
    return min(timedelta(seconds=waited_s), _LONGEST_WAIT)


def _send(desk: Desk, row: DeliveryRow, alert: Alert, now: datetime) -> Sent | Failed:
    recipient = desk.recipients.find(row.role, row.recipient, row.channel)
    if recipient is None:
        return Failed("recipients.yaml no longer names this recipient", can_retry=False)
    channel = desk.channels.get(recipient.channel)
    if channel is None:
        return Failed(f"no channel {recipient.channel} is set up")
    return channel(letter(desk, row, alert, recipient, now), recipient.address)


def letter(
    desk: Desk, row: DeliveryRow, alert: Alert, recipient: Recipient, now: datetime
) -> Letter:
    """Return what is sent for *row*."""
    link = f"{desk.url}/alerts/{links.token(desk.keys, alert.id, recipient.name, now)}"
    text = notice(alert, Reason(row.reason), link)
    picture = boundary_chart(alert.detail, "png") if isinstance(alert.detail, Decision) else None
    return Letter(row.id, alert, row.reason, text, picture, now)
