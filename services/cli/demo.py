"""``aegis demo``: a whole synthetic trial through the real ports, and what came of it."""

import shutil
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Literal

from services.charts.boundary import boundary_chart
from services.charts.course import course_chart
from services.cli.background import Background
from services.cli.command import Command, CommandError
from services.cli.entering import intake_of
from services.cli.opened import Opened, open_in
from services.cli.roles.parts import Told
from services.cli.scoring import Score, score
from services.cli.service import Service
from services.cli.sink import MailSink
from services.cli.tables import table
from services.cli.watching import rules_table
from services.ingest.enrolment import import_participants
from services.ingest.files import messages_in
from services.ingest.mllp_client import Answered, send
from services.runtime import log
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings, StoreSettings
from services.safety_rules.course import course_of
from services.safety_rules.look_back import ever_crossed
from services.safety_rules.study import status
from services.simulator.trial import Trial, as_json, simulate, write
from services.store import alerts, journal, messages, parking, records
from services.vocabulary.decision import Decision, Signal
from services.vocabulary.episode import Episode

_SETTLE_S = 300.0
_QUIET = 3  # looks in a row that find nothing to do
FORMS: tuple[Literal["svg", "png"], ...] = ("svg", "png")
_BAR = 40
_KNOWN_BY = timedelta(hours=6)  # after an event, what a feed says of it has come


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--participants", type=int, default=40, metavar="N")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=int, metavar="N", help="followed after the first dose")
    parser.add_argument("--out", type=Path, default=Path("var/demo"), metavar="DIR")
    parser.add_argument("--study", type=Path, default=Path("studies/blina-hsct"), metavar="DIR")


def _demo(args: Namespace) -> int:
    began_s = time.monotonic()
    try:
        trial = simulate(args.participants, args.seed, args.days)
    except ValueError as error:
        raise CommandError(str(error)) from error
    out: Path = args.out
    if out.exists() and not (out / "trial").is_dir() and any(out.iterdir()):
        raise CommandError(f"{out} holds something else: name another folder with --out")
    shutil.rmtree(out, ignore_errors=True)
    write(trial, out / "trial")
    (out / "log").mkdir(parents=True)
    settings = StoreSettings(data=out, study=args.study, clock="message")
    opened = open_in(settings)
    with (out / "log" / "aegis.log").open("w") as stream, MailSink(out / "mails") as sink:
        log.configure(as_json=True, stream=stream)
        sent, refused = _through_the_ports(opened, trial, sink)
    fed = _Fed(sent, refused, time.monotonic() - began_s)
    return _conclude(opened, trial, out, sink, fed)


@dataclass(frozen=True, slots=True)
class _Fed:
    """How many messages were sent, how many not accepted, and how long everything took."""

    sent: int
    refused: int
    took_s: float


def _through_the_ports(opened: Opened, trial: Trial, sink: MailSink) -> tuple[int, int]:
    """Serve, enrol, feed, and wait until everything is graded and told; return sent and refused."""
    service = Service(
        opened,
        Told(
            IngestSettings(mllp_port=0),
            HttpSettings(http_port=0),
            AlertSettings(smtp_host="127.0.0.1", smtp_port=sink.port),
        ),
    )
    running = Background(service)
    ports = running.start()
    try:
        intake = intake_of(opened)
        people = (opened.settings.data / "trial" / "participants.csv").read_bytes()
        import_participants(intake, people, "demo")
        codes = Counter(
            answered.code
            for answered in _progress(send("127.0.0.1", ports.mllp, trial.messages), trial)
        )
        facts = (opened.settings.data / "trial" / "facts.ndjson").read_bytes()
        intake.accept(list(messages_in(facts, "demo")))
        _wait_until_told(opened)
    finally:
        running.stop()
    return codes.total(), codes.total() - codes["AA"]


def _progress(answers: Iterator[Answered], trial: Trial) -> Iterator[Answered]:
    """Show how far the feed is, when somebody looks."""
    whole = len(trial.messages)
    shown = sys.stderr.isatty()
    for number, answered in enumerate(answers, 1):
        if shown and (number % 100 == 0 or number == whole):
            done = _BAR * number // whole
            bar = "#" * done + "." * (_BAR - done)
            print(f"\rsending [{bar}] {number} of {whole}", end="", file=sys.stderr)
        elif not shown and number % 5000 == 0:
            print(f"sent {number} of {whole}", file=sys.stderr)
        yield answered
    if shown:
        print(file=sys.stderr)


def _wait_until_told(opened: Opened) -> None:
    """Return once every fact is graded and every notice has left.

    Raises:
        CommandError: That takes too long.
    """
    until_s = time.monotonic() + _SETTLE_S
    quiet = 0
    while quiet < _QUIET:
        if time.monotonic() > until_s:
            raise CommandError(f"not done after {_SETTLE_S:.0f} s: see the log")
        time.sleep(0.3)
        with opened.db.read() as conn:
            busy = journal.unhandled(conn) or alerts.undelivered(conn)
        quiet = 0 if busy else quiet + 1


@dataclass(frozen=True, slots=True)
class _Ended:
    """What the trial came to."""

    episodes: list[Episode]
    decisions: tuple[Decision, ...]
    ever_crossed: Mapping[str, datetime | None]
    score: Score
    parked: int
    lost: int


def _conclude(opened: Opened, trial: Trial, out: Path, sink: MailSink, fed: _Fed) -> int:
    ended = _ended(opened, trial, fed)
    pictures = _pictures(opened, ended, out)
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in sink.mails]
    print(ae_table(ended.episodes))
    print(f"\n{rules_table(ended.decisions, ended.ever_crossed)}\n")
    told = next((mail for mail in mails if "Boundary reached" in str(mail["Subject"])), None)
    if told is not None:
        body = told.get_body(("plain",))
        print(f"One of {len(mails)} mails, in {sink.folder}:\n\n{told['Subject']}")
        print(body.get_content() if body else "")
    for difference in ended.score.differences[:20]:
        print(difference)
    print(
        f"{fed.sent} sent, {fed.refused} refused, {ended.parked} parked, lost {ended.lost};"
        f" {fed.took_s:.0f} s"
    )
    print(ended.score)
    print(f"pictures: {', '.join(str(path) for path in pictures)}")
    print(_next(opened, ended, out))
    return 0 if not (ended.score.differences or ended.lost or fed.refused) else 1


def _ended(opened: Opened, trial: Trial, fed: _Fed) -> _Ended:
    with opened.db.read() as conn:
        episodes = [one for one in records.latest_episodes(conn) if not one.retracted]
        decisions = status(conn, opened.study.rules)
        ever = ever_crossed(conn, opened.study.rules)
        parked = sum(parking.count_parked(conn).values())
        kept = messages.count_messages(conn, sources=("mllp",))
    lost = len(set(trial.messages)) - fed.refused - kept
    found = score(episodes, map(as_json, trial.expected))
    return _Ended(episodes, decisions, ever, found, parked, lost)


def ae_table(episodes: Sequence[Episode]) -> str:
    """Return how many participants had each term, by worst grade."""
    worst: dict[str, dict[str, str]] = {}
    for one in episodes:
        content = one.content
        if not content.possible and not content.before_exposure:
            of_term = worst.setdefault(content.term, {})
            of_term[content.participant] = max(
                of_term.get(content.participant, ""), str(content.worst)
            )
    grades = sorted({grade for of_term in worst.values() for grade in of_term.values()})
    rows = []
    for term, of_term in sorted(worst.items()):
        counts = Counter(of_term.values())
        rows.append((term, len(of_term), *(counts[grade] or "-" for grade in grades)))
    return table(("adverse event", "participants", *(f"grade {g}" for g in grades)), rows)


def _pictures(opened: Opened, ended: _Ended, out: Path) -> list[Path]:
    """Draw the rule that says most, and the course of the most severe CRS."""
    made = []
    order = [Signal.CONTINUE, Signal.BOUNDARY_LIKELY, Signal.BOUNDARY_REACHED]
    decision = max(ended.decisions, key=lambda d: (order.index(d.signal), -len(d.rule)))
    for form in FORMS:
        made.append(out / f"boundary.{form}")
        made[-1].write_bytes(boundary_chart(decision, form))
    severe = [e.content for e in ended.episodes if e.content.criterion == "astct-2019.crs"]
    if not severe:
        return made
    content = max(severe, key=lambda c: (c.worst.at_least, c.participant))
    with opened.db.read() as conn:
        course = course_of(conn, opened.study.rules, content)
    if course is not None:
        for form in FORMS:
            made.append(out / f"course.{form}")
            made[-1].write_bytes(course_chart(course, form))
    return made


def _next(opened: Opened, ended: _Ended, out: Path) -> str:
    worst = max(ended.episodes, key=lambda e: (e.content.worst.at_least, e.id), default=None)
    seen = [d.data_to for d in ended.decisions if d.data_to]
    middle = f"{min(seen):%Y-%m-%dT00:00Z}" if seen else "2026-05-01T00:00Z"
    crossed = [d.crossed_since for d in ended.decisions if d.crossed_since]
    when = f"{min(crossed) + _KNOWN_BY:%Y-%m-%dT%H:%MZ}" if crossed else middle
    data = f"--data {out}"
    study = opened.settings.study
    where = f"{data} --study {study}" if study != StoreSettings().study else data
    return "\n".join(
        (
            "Go on with:",
            f"  .venv/bin/aegis explain {worst.id[:8] if worst else 'RECORD'} {where}",
            f"  .venv/bin/aegis rules status --as-of {when} {where}",
            f"  .venv/bin/aegis run {where}",
        )
    )


DEMO = Command("demo", "a synthetic trial, from HL7 to the DSMB's mail", _arguments, _demo)
