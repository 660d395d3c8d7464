"""``aegis alerts``: what people were told, and who has seen it."""

from argparse import Namespace
from collections.abc import Sequence

from services.acts.acknowledgement import acknowledge
from services.alerts.acknowledgement import (
    describe_grade,
    find_short_name,
    write_alert_text,
)
from services.alerts.plan_notices import OPEN, load_alert_states
from services.cli.command import CommandError
from services.cli.shared.columns import ALERTS, DELIVERIES
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.seal_written_rows import seal_written_rows
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.stored_keys import load_stored_keys
from services.cli.shared.tables import format_utc, make_explained_table
from services.store import alerts
from services.store.alerts import DeliveryRow
from services.vocabulary.alert import Alert
from services.vocabulary.person import Actor
from services.vocabulary.printable_text import escape_lines


def perform(args: Namespace) -> int:
    """List alerts, show one, or acknowledge it."""
    data = open_stored_data(args)
    with data.db.read() as conn:
        alert_states = load_alert_states(conn, data.study_id)
    if args.word == "list":
        return _list(
            args, [(alert, state) for alert, state in alert_states if args.all or state == OPEN]
        )
    alert, state = _find(alert_states, args.alert)
    if args.word == "ack":
        return _acknowledge(data, alert, args)
    return _show(data, alert, state, args)


def _list(args: Namespace, alert_states: Sequence[tuple[Alert, str]]) -> int:
    if args.json:
        print_json_lines(
            _summarize_alert(alert) | {"state": state} for alert, state in alert_states
        )
        return 0
    rows = [
        (
            find_short_name(alert),
            alert.version,
            alert.level,
            alert.kind.replace("_", " "),
            alert.participant or alert.about,
            describe_grade(alert),
            format_utc(alert.opened_at),
            state,
        )
        for alert, state in alert_states
    ]
    print(make_explained_table(ALERTS, rows) if rows else "no open alerts")
    return 0


def _show(data: StoredData, alert: Alert, state: str, args: Namespace) -> int:
    text = write_alert_text(alert, "the link in the notice")
    with data.db.read() as conn:
        deliveries = alerts.load_deliveries(conn, [alert.id])
    if args.json:
        words = {"state": state, "subject": text.subject, "body": text.body}
        print_json_lines([_summarize_alert(alert) | words | {"deliveries": deliveries}])
        return 0
    print(escape_lines(f"{text.subject}\n\n{text.body}\nversion {alert.version}\n"))
    rows = [_list_delivery_cells(row) for row in deliveries]
    print(make_explained_table(DELIVERIES, rows) if rows else "nobody has been told yet")
    return 0


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


def _acknowledge(data: StoredData, alert: Alert, args: Namespace) -> int:
    name = find_short_name(alert)
    actor = Actor(args.by, args.by)
    seen_alert = acknowledge(data.db, actor, alert.id, args.comment, version=args.version)
    seal_written_rows(data.db, load_stored_keys(data))
    print(write_alert_text(seen_alert, "").subject)
    print(f"version {seen_alert.version}, grade or events {describe_grade(seen_alert)}")
    print(f"alert {name} acknowledged by {args.by}: seen, not answered")
    return 0


def _list_delivery_cells(row: DeliveryRow) -> tuple[object, ...]:
    state = row.state.replace("_", " ")
    name, role = row.recipient, row.role.replace("_", " ")
    return (
        format_utc(row.recorded_at), name, role, row.channel, row.reason, state, row.attempts,
        row.error or "-",
    )  # fmt: skip


def _find(alert_states: Sequence[tuple[Alert, str]], name: str) -> tuple[Alert, str]:
    """Return the one alert called *name*, with its state.

    Raises:
        CommandError: None is called so, or several are.
    """
    matches = [
        (alert, state)
        for alert, state in alert_states
        if find_short_name(alert) == name.upper() or alert.id.startswith(name)
    ]
    if len(matches) != 1:
        count = len(matches) or "no"
        raise CommandError(f"{count} alerts are called {name}: `aegis alerts list --all`")
    return matches[0]
