"""``aegis alerts``: what people were told, and who has seen it."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence

from services.acts.acknowledgement import acknowledge
from services.acts.alert_reminders import escalate_alert, revoke_links, snooze_alert
from services.alerts.acknowledgement import (
    describe_grade,
    find_short_name,
    write_alert_text,
)
from services.alerts.adapters.study_recipients import find_recipients
from services.alerts.alert_states import AlertStatus, load_alert_states
from services.alerts.load_evidence import load_evidence
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.active_folder import find_active_folder
from services.cli.shared.columns import ACKNOWLEDGEMENTS, ALERTS, DELIVERIES
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.seal_written_rows import seal_written_rows
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.stored_keys import load_stored_keys
from services.cli.shared.tables import format_utc, make_explained_table
from services.runtime.clock import now_utc
from services.store import alerts
from services.store.alerts import DeliveryRow
from services.vocabulary.act import ActKind
from services.vocabulary.alert import Alert
from services.vocabulary.printable_text import escape_lines


def perform(args: Namespace) -> int:
    """List alerts, show one, say where some would go, or record what a person does about one."""
    if args.word == "route":
        from services.cli.commands import alerts_route  # noqa: PLC0415 (it takes a second)

        return alerts_route.perform(args)
    data = open_stored_data(args)
    if args.word == "revoke-links":
        return _revoke_links(data, args)
    recipients = find_recipients(find_active_folder(data.settings))
    with data.db.read() as conn:
        statuses = load_alert_states(conn, data.study_id, recipients, now_utc())
    if args.word == "list":
        return _list(args, [one for one in statuses if args.all or one.is_open])
    return _ABOUT_ONE_ALERT[args.word](data, _find(statuses, args.alert), args)


def _list(args: Namespace, statuses: Sequence[AlertStatus]) -> int:
    if args.json:
        print_json_lines(_summarize_alert(one.alert) | _summarize_state(one) for one in statuses)
        return 0
    rows = [
        (
            find_short_name(one.alert),
            one.alert.version,
            one.alert.level,
            one.alert.kind.replace("_", " "),
            one.alert.participant or one.alert.about,
            describe_grade(one.alert),
            format_utc(one.alert.opened_at),
            escape_lines(str(one)),
        )
        for one in statuses
    ]
    print(make_explained_table(ALERTS, rows) if rows else "no open alerts")
    return 0


def _show(data: StoredData, status: AlertStatus, args: Namespace) -> int:
    alert = status.alert
    with data.db.read() as conn:
        text = write_alert_text(alert, "the link in the notice", load_evidence(conn, alert))
        deliveries = alerts.load_deliveries(conn, [alert.id])
    if args.json:
        words = {"subject": text.subject, "body": text.body}
        content = _summarize_alert(alert) | _summarize_state(status) | words
        print_json_lines([content | {"deliveries": deliveries}])
        return 0
    print(escape_lines(f"{text.subject}\n\n{text.body}\nversion {alert.version}\n{status}\n"))
    if status.answer is not None:
        answer = status.answer
        answered = f"{answer.answer}, on {answer.events} events, by {answer.person}"
        line = f"answered {format_utc(answer.answered_at)}: {answered}: {answer.reason}\n"
        print(escape_lines(line))
    seen = [
        (
            format_utc(one.acknowledged_at),
            escape_lines(one.person),
            escape_lines(one.comment) or "-",
        )
        for one in status.acknowledgements
    ]
    if seen:
        print(f"{make_explained_table(ACKNOWLEDGEMENTS, seen)}\n")
    if status.missing_people:
        print(f"not yet acknowledged by {', '.join(status.missing_people)}\n")
    rows = [_list_delivery_cells(row) for row in deliveries]
    print(make_explained_table(DELIVERIES, rows) if rows else "nobody has been told yet")
    return 0


def _summarize_state(status: AlertStatus) -> dict[str, object]:
    return {
        "state": status.state,
        "seen_by": [
            {"by": one.person, "at": one.acknowledged_at, "comment": one.comment}
            for one in status.acknowledgements
        ],
        "waits_for": status.missing_people,
        "snoozed_until": status.snoozed_until,
        "escalated": status.is_escalated,
        "answer": status.answer,
    }


def _summarize_alert(alert: Alert) -> dict[str, object]:
    return {
        "alert": find_short_name(alert),
        "id": alert.id,
        "version": alert.version,
        "level": alert.level,
        "kind": alert.kind,
        "about": alert.about,
        "participant": alert.participant,
        "grade_or_events": describe_grade(alert),
        "opened_at": alert.opened_at,
        "protocol": alert.protocol,
        "suspected": alert.suspected,
        "provisional": alert.provisional,
        "retracted": alert.retracted,
        "detail": alert.detail,
    }


def _acknowledge(data: StoredData, status: AlertStatus, args: Namespace) -> int:
    alert = status.alert
    name = find_short_name(alert)
    actor = find_actor(data, ActKind.ACKNOWLEDGE)
    seen_alert = acknowledge(data.db, actor, alert.id, args.comment, version=args.version)
    seal_written_rows(data.db, load_stored_keys(data))
    print(write_alert_text(seen_alert, "").subject)
    print(f"version {seen_alert.version}, grade or events {describe_grade(seen_alert)}")
    print(f"alert {name} acknowledged by {actor.name}: seen, not answered")
    return 0


def _snooze(data: StoredData, status: AlertStatus, args: Namespace) -> int:
    alert = status.alert
    instant = now_utc()
    ends_at = instant + args.time
    snooze_alert(
        data.db, find_actor(data, ActKind.SNOOZE), alert.id, args.reason, instant, ends_at=ends_at
    )
    seal_written_rows(data.db, load_stored_keys(data))
    print(f"alert {find_short_name(alert)} snoozed until {format_utc(ends_at)}")
    return 0


def _escalate(data: StoredData, status: AlertStatus, args: Namespace) -> int:
    alert = status.alert
    actor = find_actor(data, ActKind.ESCALATE)
    role = escalate_alert(data.db, actor, alert.id, args.reason, now_utc(), role=args.to)
    seal_written_rows(data.db, load_stored_keys(data))
    print(f"alert {find_short_name(alert)} escalated: {role.replace('_', ' ')} is told now")
    return 0


def _revoke_links(data: StoredData, args: Namespace) -> int:
    actor = find_actor(data, ActKind.REVOKE_LINK)
    revoke_links(data.db, actor, args.recipient, args.reason, now_utc())
    seal_written_rows(data.db, load_stored_keys(data))
    print(f"no link that {args.recipient} was sent until now acknowledges anything")
    return 0


def _list_delivery_cells(row: DeliveryRow) -> tuple[object, ...]:
    state = row.state.replace("_", " ")
    name, role = row.recipient, row.role.replace("_", " ")
    return (
        format_utc(row.recorded_at), name, role, row.channel, row.reason, state, row.attempts,
        row.error or "-",
    )  # fmt: skip


def _find(statuses: Sequence[AlertStatus], name: str) -> AlertStatus:
    """Return the one alert called *name*, with its state.

    Raises:
        CommandError: None is called so, or several are.
    """
    matches = [
        one
        for one in statuses
        if find_short_name(one.alert) == name.upper() or one.alert.id.startswith(name)
    ]
    if len(matches) != 1:
        count = len(matches) or "no"
        raise CommandError(f"{count} alerts are called {name}: `aegis alerts list --all`")
    return matches[0]


_ABOUT_ONE_ALERT: Mapping[str, Callable[[StoredData, AlertStatus, Namespace], int]] = {
    "show": _show,
    "ack": _acknowledge,
    "snooze": _snooze,
    "escalate": _escalate,
}
