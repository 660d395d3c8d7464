"""``aegis alerts``: what people were told, and who has seen it."""

from argparse import Namespace

from services.alerts.application import acknowledge, grade_of, name_of, text_of
from services.alerts.plan_notices import OPEN, states
from services.cli.command import CommandError
from services.cli.shared.columns import ALERTS, DELIVERIES
from services.cli.shared.open_study import StudyContext, open_data
from services.cli.shared.tables import explained_table, utc
from services.runtime.clock import now_utc
from services.store import alerts
from services.store.alerts import DeliveryRow
from services.vocabulary.alert import Alert


def perform(args: Namespace) -> int:
    """List alerts, show one, or acknowledge it."""
    context = open_data(args, create=False)
    with context.db.read() as conn:
        known = states(conn, context.study_id)
    if args.word == "list":
        rows = [
            (
                name_of(one),
                one.version,
                one.level,
                one.kind.replace("_", " "),
                one.participant or one.about,
                grade_of(one),
                utc(one.opened_at),
                state,
            )
            for one, state in known
        ]
        chosen = rows if args.all else [row for row in rows if row[-1] == OPEN]
        print(explained_table(ALERTS, chosen) if chosen else "no open alerts")
        return 0
    one = _find([alert for alert, _ in known], args.alert)
    if args.word == "ack":
        return _acknowledge(context, one, args)
    text = text_of(one, "the link in the notice")
    print(f"{text.subject}\n\n{text.body}\nversion {one.version}\n")
    with context.db.read() as conn:
        told = [_told(row) for row in alerts.load_deliveries(conn, [one.id])]
    print(explained_table(DELIVERIES, told) if told else "nobody has been told yet")
    return 0


def _acknowledge(context: StudyContext, alert: Alert, args: Namespace) -> int:
    name = name_of(alert)
    about = context.db, alert.id, args.by, args.comment, now_utc()
    seen = acknowledge(*about, version=args.version)
    if seen is None:
        raise CommandError(
            f"alert {name} is not version {args.version}: read it again with"
            f" `aegis alerts show {name}`; nothing is acknowledged"
        )
    print(text_of(seen, "").subject)
    print(f"version {seen.version}, grade or events {grade_of(seen)}")
    print(f"alert {name} acknowledged by {args.by}: seen, not answered")
    return 0


def _told(row: DeliveryRow) -> tuple[object, ...]:
    state = row.state.replace("_", " ")
    name, role = row.recipient, row.role.replace("_", " ")
    return (
        utc(row.recorded_at), name, role, row.channel, row.reason, state, row.attempts,
        row.error or "-",
    )  # fmt: skip


def _find(known: list[Alert], name: str) -> Alert:
    found = [a for a in known if name_of(a) == name.upper() or a.id.startswith(name)]
    if len(found) != 1:
        count = len(found) or "no"
        raise CommandError(f"{count} alerts are called {name}: `aegis alerts list --all`")
    return found[0]
