"""Delivery of the notices that are due, each attempt and its result recorded."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from services.alerts import links
from services.alerts.alert_history import is_failing
from services.alerts.channel_contract import Acceptance, Failure, Letter, Send
from services.alerts.delivery_context import (
    GIVEN_UP,
    SENT,
    DeliveryAttempt,
    DeliveryContext,
)
from services.alerts.delivery_pool import Attempt, DeliveryPool
from services.alerts.load_evidence import load_evidence
from services.alerts.notice import LatestNotices, Notice
from services.alerts.recipient_people import resolve_people
from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.store import alerts
from services.store.alerts import DeliveryRow
from services.store.session import Connection

_log = log.make_logger("alerts")

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
_MOST_DOUBLINGS = 16  # far beyond the longest wait
_PATIENCE_S = 0.25  # then new alerts are looked for, whatever is under way


def deliver(context: DeliveryContext, pool: DeliveryPool, notices: LatestNotices) -> int:
    """Begin what is due, record what has ended, and return how many attempts that were.

    An attempt is recorded before it is made, and its result after: what is interrupted between the
    two is sent again under the same id. What is slow delays only its own recipient; those that
    answered last come first.
    """
    with context.db.read() as conn:
        due = alerts.load_due_deliveries(conn, context.clock(), _LONGEST_WAIT)
        due = sorted((row for row in due if pool.has_room(row)), key=pool.find_health)
        begun_notices = _load_notices(conn, due, notices)
        recipients = resolve_people(conn, context.recipients, context.clock())
    context = replace(context, recipients=recipients)
    begun_count = sum(
        _begin_attempt(context, pool, *begun) for begun in begun_notices if pool.has_room(begun[0])
    )
    return begun_count + record_finished(context, pool, _PATIENCE_S)


def _load_notices(
    conn: Connection, due: Sequence[DeliveryRow], notices: LatestNotices
) -> list[tuple[DeliveryRow, Notice, tuple[str, ...]]]:
    """Return each row with its notice, and the ids of earlier letters of its thread."""
    ids = [row.alert for row in due]
    by_id = {alert.id: alert for alert in alerts.load_alerts(conn, ids=ids)}
    threads: dict[tuple[str, str, str], list[tuple[str, datetime]]] = {}
    recipients = sorted({row.recipient for row in due})
    for alert, channel, recipient, letter_id, recorded_at in alerts.load_tried_deliveries(
        conn, ids, recipients
    ):
        threads.setdefault((alert, channel, recipient), []).append((letter_id, recorded_at))
    return [
        (
            row,
            notices.find(by_id[row.alert], partial(load_evidence, conn)),
            tuple(
                letter_id
                for letter_id, recorded_at in threads.get(_name_thread(row), ())
                if recorded_at < row.recorded_at
            ),
        )
        for row in due
    ]


def _name_thread(row: DeliveryRow) -> tuple[str, str, str]:
    return row.alert, row.channel, row.recipient


def is_delivery_due(conn: Connection, instant: datetime) -> bool:
    """Return True when the time of a delivery has come."""
    return bool(alerts.load_due_deliveries(conn, instant, _LONGEST_WAIT))


def record_finished(context: DeliveryContext, pool: DeliveryPool, wait_s: float) -> int:
    """Record the results that are there within *wait_s* seconds, and return how many."""
    count = 0
    while (attempt := pool.pop_finished(0.0 if count else wait_s)) is not None:
        _record_result(context, attempt)
        count += 1
    return count


def _begin_attempt(
    context: DeliveryContext,
    pool: DeliveryPool,
    row: DeliveryRow,
    notice: Notice,
    earlier_ids: tuple[str, ...],
) -> bool:
    attempted_at = context.clock()
    attempted_row = replace(
        row, attempts=row.attempts + 1, next_attempt_at=attempted_at + _compute_retry_wait(row)
    )
    with context.db.write() as conn:
        if not alerts.replace_delivery(conn, row, attempted_row):
            return False
    pass_failpoint("alerts.attempt_recorded")
    overdue = Failure(f"not ended within {pool.deadline_s:g} s")
    attempt = Attempt(attempted_row, notice.alert, attempted_at, overdue)
    addressed_letter = _prepare(context, attempt, notice, earlier_ids)
    if isinstance(addressed_letter, Failure):
        _record_result(context, replace(attempt, result=addressed_letter))
    else:
        pool.start(attempt, *addressed_letter)
    return True


def _record_result(context: DeliveryContext, attempt: Attempt) -> None:
    row, result = attempt.row, attempt.result
    pass_failpoint("alerts.sent")
    result_row = _apply_result(row, result, context.clock())
    with context.db.write() as conn:
        alerts.replace_delivery(conn, row, result_row)
    pass_failpoint("alerts.result_recorded")
    _log_attempt(result_row, result)
    outcome = "sent" if isinstance(result, Acceptance) else "failed"
    context.on_attempt(DeliveryAttempt(row.channel, outcome, attempt.alert, attempt.attempted_at))


def _log_attempt(row: DeliveryRow, result: Acceptance | Failure) -> None:
    event_log = _log.bind(
        alert=row.alert, delivery=row.id, channel=row.channel, role=row.role,
        reason=row.reason, attempt=row.attempts, state=row.state,
    )  # fmt: skip
    if isinstance(result, Acceptance):
        event_log.info("notice_sent")
    else:
        write = event_log.error if is_failing(row) else event_log.warning
        write("notice_not_sent", problem=result.problem)


def _apply_result(row: DeliveryRow, result: Acceptance | Failure, instant: datetime) -> DeliveryRow:
    if isinstance(result, Acceptance):
        return replace(row, state=SENT, sent_at=instant, next_attempt_at=None, error="")
    if result.can_retry:
        return replace(row, error=result.problem)
    return replace(row, state=GIVEN_UP, next_attempt_at=None, error=result.problem)


def _compute_retry_wait(row: DeliveryRow) -> timedelta:
    """Return the time until the next attempt: twice as long after each, spread by id."""
    spread = 1 + int(row.id[:2], 16) / 512
    doublings = min(row.attempts, _MOST_DOUBLINGS)
    wait_s = _FIRST_WAIT.total_seconds() * spread * 2.0**doublings
    return min(timedelta(seconds=wait_s), _LONGEST_WAIT)


def _prepare(
    context: DeliveryContext, attempt: Attempt, notice: Notice, earlier_ids: tuple[str, ...]
) -> tuple[Send, Letter, str] | Failure:
    """Return the channel, the letter and its address."""
    row, instant = attempt.row, attempt.attempted_at
    recipient = context.recipients.find(row.role, row.recipient, row.channel)
    if recipient is None:
        return Failure(
            "no longer a recipient: not in recipients.yaml, or not active", can_retry=False
        )
    channel = context.channels.get(recipient.channel)
    if channel is None:
        return Failure(f"no channel {recipient.channel} is set up")
    token = links.make_token(context.keys, notice.alert.id, recipient.name, instant)
    try:
        letter = notice.address(row, f"{context.url}/alerts/{token}", instant, earlier_ids)
    except Exception as error:  # noqa: BLE001 - one that cannot be written holds up no other
        return Failure(f"notice cannot be written ({type(error).__name__})")
    return channel, letter, recipient.address
