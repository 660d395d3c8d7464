"""The outcome of a demo's trial: tables, a mail, pictures, and the answer key beside it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Literal

from services.acts.study_context import StudyContext
from services.charts.boundary import draw_boundary_chart
from services.charts.course import draw_course_chart
from services.cli.demo.demo_people import SIGN_IN_FILE
from services.cli.demo.mail_sink import MailSink
from services.cli.demo.scoring import Score, score_decisions, score_mails, score_records
from services.cli.shared.rules_table import make_rules_table
from services.cli.shared.tables import make_table
from services.runtime.store_settings import read_store_settings
from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.application.past_crossings import load_first_crossings
from services.safety_rules.reports.course import gather_course
from services.simulator.answer_key import count_events
from services.simulator.trial import TABLE, SimulatedTrial, to_json
from services.store import messages, parking, records
from services.vocabulary.decision import Decision, Signal
from services.vocabulary.episode import Episode

FORMS: tuple[Literal["svg", "png"], ...] = ("svg", "png")
_KNOWN_BY = timedelta(hours=6)  # after an event, what a feed says of it has come


@dataclass(frozen=True, slots=True)
class FeedResult:
    """The messages of a trial: numbers of those sent and of those not accepted, and the time."""

    sent_count: int
    refused_count: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """Records, decisions and mails of the trial, scored against its answer key."""

    episodes: list[Episode]
    decisions: tuple[Decision, ...]
    first_crossings: Mapping[str, datetime | None]
    scores: tuple[Score, ...]
    parked_count: int
    lost_count: int
    feed: FeedResult

    @property
    def matches_key(self) -> bool:
        """Nothing was refused or lost; records, decisions and mails are those of the answer key."""
        differences = any(score.differences for score in self.scores)
        return not (differences or self.lost_count or self.feed.refused_count)


def show_outcome(
    context: StudyContext, trial: SimulatedTrial, folder: Path, sink: MailSink, feed: FeedResult
) -> TrialOutcome:
    """Print the outcome of *trial*, draw its pictures in *folder*, and return it."""
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in sink.mails]
    outcome = _load_outcome(context, trial, mails, feed)
    pictures = _draw_pictures(context, outcome, folder)
    print(make_ae_table(outcome.episodes))
    print(f"\n{make_rules_table(outcome.decisions, outcome.first_crossings)}\n")
    example = next((mail for mail in mails if "Boundary reached" in str(mail["Subject"])), None)
    if example is not None:
        body = example.get_body(("plain",))
        print(f"One of {len(mails)} mails, in {sink.folder}:\n\n{example['Subject']}")
        print(body.get_content() if body else "")
    for difference in [line for score in outcome.scores for line in score.differences][:20]:
        print(difference)
    print(
        f"{feed.sent_count} sent, {feed.refused_count} refused, {outcome.parked_count} parked,"
        f" lost {outcome.lost_count}; {feed.duration_s:.0f} s"
    )
    print("\n".join(map(str, outcome.scores)))
    print(f"pictures: {', '.join(str(path) for path in pictures)}")
    return outcome


def _load_outcome(
    context: StudyContext, trial: SimulatedTrial, mails: Sequence[EmailMessage], feed: FeedResult
) -> TrialOutcome:
    rules = context.study.rules
    with context.db.read() as conn:
        episodes = [one for one in records.load_latest_episodes(conn) if not one.retracted]
        decisions = decide_rules(conn, rules)
        first_crossings = load_first_crossings(conn, rules)
        parked_count = sum(parking.count_parked(conn).values())
        stored_count = messages.count_messages(conn, sources=("mllp",))
    lost_count = len(set(trial.messages)) - feed.refused_count - stored_count
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
    return TrialOutcome(
        episodes, decisions, first_crossings, scores, parked_count, lost_count, feed
    )


def make_ae_table(episodes: Sequence[Episode]) -> str:
    """Return the number of participants with each term, by worst grade."""
    worst: dict[str, dict[str, str]] = {}
    for episode in episodes:
        content = episode.content
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
    return make_table(("adverse event", "participants", *(f"grade {g}" for g in grades)), rows)


def _draw_pictures(context: StudyContext, outcome: TrialOutcome, folder: Path) -> list[Path]:
    """Draw the rule that says most, and the course of the most severe CRS."""
    paths = []
    order = [Signal.CONTINUE, Signal.BOUNDARY_LIKELY, Signal.BOUNDARY_REACHED]
    decision = max(outcome.decisions, key=lambda d: (order.index(d.signal), -len(d.rule)))
    for form in FORMS:
        paths.append(folder / f"boundary.{form}")
        paths[-1].write_bytes(draw_boundary_chart(decision, form))
    severe = [e.content for e in outcome.episodes if e.content.criterion == "astct-2019.crs"]
    if not severe:
        return paths
    content = max(severe, key=lambda c: (c.worst.at_least, c.participant))
    with context.db.read() as conn:
        course = gather_course(conn, context.study.rules, content)
    if course is not None:
        for form in FORMS:
            paths.append(folder / f"course.{form}")
            paths[-1].write_bytes(draw_course_chart(course, form))
    return paths


def list_next_steps(context: StudyContext, outcome: TrialOutcome, folder: Path) -> str:
    """Return the commands to go on with."""
    worst = max(outcome.episodes, key=lambda e: (e.content.worst.at_least, e.id), default=None)
    data_times = [d.data_to for d in outcome.decisions if d.data_to]
    middle = f"{min(data_times):%Y-%m-%dT00:00Z}" if data_times else "2026-05-01T00:00Z"
    crossing_times = [d.crossed_since for d in outcome.decisions if d.crossed_since]
    cut_at = f"{min(crossing_times) + _KNOWN_BY:%Y-%m-%dT%H:%MZ}" if crossing_times else middle
    data = f"--data {folder}"
    study = context.settings.study
    options = f"{data} --study {study}" if study != read_store_settings().study else data
    return "\n".join(
        (
            "Go on with:",
            f"  .venv/bin/aegis login safety --password-file {folder / SIGN_IN_FILE} {options}",
            f"  .venv/bin/aegis explain {worst.id[:8] if worst else 'RECORD'} {options}",
            f"  .venv/bin/aegis rules status --as-of {cut_at} {options}",
            f"  .venv/bin/aegis run {options}",
        )
    )
