"""``aegis alerts``: what people were told, and who has seen it."""

from argparse import ArgumentParser, Namespace

from services.alerts.application import acknowledge, grade_of, name_of, text_of
from services.alerts.plan_notices import OPEN, states
from services.cli.command import Command, CommandError
from services.cli.shared.enter_facts import by_argument
from services.cli.shared.open_study import Opened, data_arguments, open_data
from services.cli.shared.tables import table, utc
from services.runtime.clock import now_utc
from services.store import alerts
from services.store.alerts import DeliveryRow
from services.vocabulary.alert import Alert


def _arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="list|show|ack")
    word = words.add_parser("list", help="open alerts, the oldest first")
    word.add_argument("--all", action="store_true", help="retracted and acknowledged ones too")
    data_arguments(word)
    for name, meaning in (
        ("show", "what one alert says, and who was told"),
        ("ack", "say that you have seen it"),
    ):
        word = words.add_parser(name, help=meaning, description=meaning)
        word.add_argument("alert", metavar="ALERT", help="its four letters, or how its id begins")
        data_arguments(word)
        if name == "ack":
            word.add_argument(
                "--version", type=int, metavar="N", help="as it was shown: refused when it changed"
            )
            word.add_argument("--comment", default="")
            by_argument(word)


def _alerts(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        known = states(conn, opened.name)
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
        head = (
            "alert", "version", "level", "kind", "about", "grade or events", "since (UTC)", "state",
        )  # fmt: skip
        print(table(head, chosen) if chosen else "no open alerts")
        return 0
    one = _find([alert for alert, _ in known], args.alert)
    if args.word == "ack":
        return _acknowledge(opened, one, args)
    text = text_of(one, "the link in the notice")
    print(f"{text.subject}\n\n{text.body}\nversion {one.version}\n")
    with opened.db.read() as conn:
        told = [_told(row) for row in alerts.load_deliveries(conn, [one.id])]
    about = ("since (UTC)", "told", "role", "by", "why", "state", "attempts", "problem")
    print(table(about, told) if told else "nobody has been told yet")
    return 0


def _acknowledge(opened: Opened, alert: Alert, args: Namespace) -> int:
    name = name_of(alert)
    about = opened.db, alert.id, args.by, args.comment, now_utc()
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


COMMAND = Command("alerts", "what people were told, and who has seen it", _arguments, _alerts)
