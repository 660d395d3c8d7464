"""What the trial of a demo came to: tables, a mail, pictures, and the answer key beside it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Literal

from services.charts.boundary import boundary_chart
from services.charts.course import course_chart
from services.cli.demo.mail_sink import MailSink
from services.cli.demo.scoring import Score, score_decisions, score_mails, score_records
from services.cli.shared.open_study import StudyContext
from services.cli.shared.rules_table import rules_table
from services.cli.shared.tables import table
from services.runtime.settings import StoreSettings
from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.application.past_crossings import load_first_crossings
from services.safety_rules.inquiries.course import gather_course
from services.simulator.answer_key import count_events
from services.simulator.trial import TABLE, SimulatedTrial, to_json
from services.store import messages, parking, records
from services.vocabulary.decision import Decision, Signal
from services.vocabulary.episode import Episode

FORMS: tuple[Literal["svg", "png"], ...] = ("svg", "png")
_KNOWN_BY = timedelta(hours=6)  # after an event, what a feed says of it has come


@dataclass(frozen=True, slots=True)
class Fed:
    """How many messages were sent, how many not accepted, and how long everything took."""

    sent: int
    refused: int
    took_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """What the trial came to."""

    episodes: list[Episode]
    decisions: tuple[Decision, ...]
    ever_crossed: Mapping[str, datetime | None]
    scores: tuple[Score, ...]
    parked: int
    lost: int
    fed: Fed

    @property
    def is_as_it_should_be(self) -> bool:
        """Nothing was refused or lost; records, decisions and mails are those of the answer key."""
        differences = any(score.differences for score in self.scores)
        return not (differences or self.lost or self.fed.refused)


def show(
    context: StudyContext, trial: SimulatedTrial, out: Path, sink: MailSink, fed: Fed
) -> Ended:
    """Print what *trial* came to, draw its pictures in *out*, and return it."""
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in sink.mails]
    ended = _ended(context, trial, mails, fed)
    pictures = _pictures(context, ended, out)
    print(ae_table(ended.episodes))
    print(f"\n{rules_table(ended.decisions, ended.ever_crossed)}\n")
    told = next((mail for mail in mails if "Boundary reached" in str(mail["Subject"])), None)
    if told is not None:
        body = told.get_body(("plain",))
        print(f"One of {len(mails)} mails, in {sink.folder}:\n\n{told['Subject']}")
        print(body.get_content() if body else "")
    for difference in [line for score in ended.scores for line in score.differences][:20]:
        print(difference)
    print(
        f"{fed.sent} sent, {fed.refused} refused, {ended.parked} parked, lost {ended.lost};"
        f" {fed.took_s:.0f} s"
    )
    print("\n".join(map(str, ended.scores)))
    print(f"pictures: {', '.join(str(path) for path in pictures)}")
    return ended


def _ended(
    context: StudyContext, trial: SimulatedTrial, mails: Sequence[EmailMessage], fed: Fed
) -> Ended:
    rules = context.study.rules
    with context.db.read() as conn:
        episodes = [one for one in records.load_latest_episodes(conn) if not one.retracted]
        decisions = decide_rules(conn, rules)
        ever = load_first_crossings(conn, rules)
        parked = sum(parking.count_parked(conn).values())
        kept = messages.count_messages(conn, sources=("mllp",))
    lost = len(set(trial.messages)) - fed.refused - kept
    key = [to_json(record) for record in trial.expected_records]
    scores = (
        score_records(episodes, key),
        score_decisions(decisions, count_events(trial.people, TABLE)),
        score_mails(
            mails,
            [line | {"term": rules.find_title(str(line["criterion"]))} for line in key],
            [person.name for person in trial.people if person.died_at is not None],
            rules.protocol.alerts.participant_grade,
        ),
    )
    return Ended(episodes, decisions, ever, scores, parked, lost, fed)


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


def _pictures(context: StudyContext, ended: Ended, out: Path) -> list[Path]:
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
    with context.db.read() as conn:
        course = gather_course(conn, context.study.rules, content)
    if course is not None:
        for form in FORMS:
            made.append(out / f"course.{form}")
            made[-1].write_bytes(course_chart(course, form))
    return made


def next_steps(context: StudyContext, ended: Ended, out: Path) -> str:
    """Return the commands to go on with."""
    worst = max(ended.episodes, key=lambda e: (e.content.worst.at_least, e.id), default=None)
    seen = [d.data_to for d in ended.decisions if d.data_to]
    middle = f"{min(seen):%Y-%m-%dT00:00Z}" if seen else "2026-05-01T00:00Z"
    crossed = [d.crossed_since for d in ended.decisions if d.crossed_since]
    when = f"{min(crossed) + _KNOWN_BY:%Y-%m-%dT%H:%MZ}" if crossed else middle
    data = f"--data {out}"
    study = context.settings.study
    where = f"{data} --study {study}" if study != StoreSettings().study else data
    return "\n".join(
        (
            "Go on with:",
            f"  .venv/bin/aegis explain {worst.id[:8] if worst else 'RECORD'} {where}",
            f"  .venv/bin/aegis rules status --as-of {when} {where}",
            f"  .venv/bin/aegis run {where}",
        )
    )
