"""A trial on a clock that the test moves: facts in, notices out, in a real database."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

from msgspec import structs

from services.alerts.acknowledgement import acknowledge
from services.alerts.adapters.study_recipients import load_recipients
from services.alerts.alert_states import load_alert_states
from services.alerts.channel_contract import Acceptance, Failure
from services.alerts.delivery_context import DeliveryContext
from services.alerts.delivery_worker import DeliveryWorker
from services.alerts.domain.routes import Channel
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.workers.journal_worker import JournalWorker
from services.store import alerts
from services.store.decisions import load_latest_decisions
from services.store.journal import Arrival, append_arrivals
from services.store.participants import Participant, add_participants
from services.store.schema import upgrade
from services.store.session import Database
from services.vocabulary.clinical_fact import Action, Administration, Death, Enrolment, Transplant
from services.vocabulary.fact import Status
from services.vocabulary.judgement import Answer, Determination
from services.vocabulary.person import Actor
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, lab
from tests.helpers.store import message, registered_keys

STUDY = "BLINA-HSCT"
FOLDER = Path(__file__).parents[2] / "studies" / "blina-hsct"
URL = "https://aegis.example.org"


@dataclass(frozen=True)
class Post:
    """A notice that arrived, with its hour, recipient and reason."""

    hour: float
    recipient: str
    reason: str
    subject: str
    body: str
    id: str
    link: str
    picture: bytes | None


@cache
def _rules(*, advises):
    """The rules of the trial, without dosing, Hy's law and deviations unless *advises*."""
    rules = load_rules(FOLDER).rules
    silent = {} if advises else {"dosing": None, "hys_law": None, "deviations": None}
    return replace(rules, protocol=replace(rules.protocol, **silent))


class Timeline:
    """The rules and the alerts of one study; hours count from ``HOUR_ZERO``."""

    def __init__(self, folder, *, advises=False, url=None):
        self.clock_time = HOUR_ZERO
        self.posts = []
        self.refuses = {}  # address -> what its channel answers
        self.attempts = []
        self.db = Database.open(url or f"sqlite:///{folder}/db/aegis.db")
        upgrade(self.db)
        self.keys = registered_keys(self.db, folder / "keys")
        self.delivery = DeliveryContext(
            self.db,
            self.keys,
            STUDY,
            load_recipients(FOLDER),
            dict.fromkeys(Channel, self._send),
            lambda: self.clock_time,
            URL,
        )
        self.rules = JournalWorker(
            self.db, _rules(advises=advises), "rules", lambda: self.clock_time
        )
        self.worker = DeliveryWorker(self.delivery, "alerts")
        self._messages = 0
        with self.db.write() as conn:
            add_participants(conn, [Participant(STUDY, STUDY, "")], self.clock_time)

    def close(self):
        self.db.close()

    def treat(self, *names):
        """Enter *names* as transplanted 78 days ago and treated since an hour ago."""
        with self.db.write() as conn:
            add_participants(
                conn, [Participant(name, STUDY, "north") for name in names], self.clock_time
            )
        for name in names:
            self.say(
                fact(Enrolment("north"), -80 * 24, subject=name),
                fact(Transplant("haploidentical"), -78 * 24, subject=name),
                fact(Administration("blinatumomab", Action.START), -1, subject=name),
                lab("potassium", "4.0", -2, "mmol/L", subject=name),
            )

    def say(self, *facts):
        """Append *facts* as one message received now; the clock moves to the latest of them."""
        self.clock_time = max(self.clock_time, *(one.observed_at for one in facts))
        self._messages += 1
        raw = message(f"m{self._messages}", self.clock_time)
        stored_facts = [structs.replace(one, id=f"{raw.id}-{n}") for n, one in enumerate(facts)]
        with self.db.write() as conn:
            append_arrivals(conn, self.keys, [Arrival(raw, tuple(stored_facts), ())])

    def potassium(self, value, *, name="P-001", hour=0, status="F"):
        """Enter a potassium result of *hour*; entered again with another status it corrects."""
        self.clock_time = max(self.clock_time, hours(hour))
        result = lab("potassium", value, hour, "mmol/L", subject=name, series=f"{name}|{hour}")
        self.say(structs.replace(result, reported_at=self.clock_time, status=Status(status)))

    def death(self, name, hour, status="F"):
        """Enter a death at *hour*."""
        self.clock_time = max(self.clock_time, hours(hour))
        body = fact(Death(), hour, subject=name, series=f"death|{name}")
        self.say(structs.replace(body, reported_at=self.clock_time, status=Status(status)))

    def determine(self, rule, answer):
        """Enter the DSMB's answer to the current decision of *rule*."""
        with self.db.read() as conn:
            rows = {row.decision.rule: row for row in load_latest_decisions(conn, STUDY)}
        row = rows[rule]
        participants = tuple(one.participant for one in row.decision.contributors)
        events = row.decision.events
        body = Determination(
            rule, row.id, Answer(answer), "chair", "reviewed", events, participants
        )
        self.say(
            structs.replace(
                fact(body, subject=STUDY), observed_at=self.clock_time, reported_at=self.clock_time
            )
        )

    def grade(self, hour):
        """Move the clock to *hour* and run the rules; no notice is sent yet."""
        self.clock_time = hours(hour)
        while self.rules.step():
            pass

    def advance_to(self, hour):
        """Move the clock to *hour*, run rules and deliveries, and return the new notices."""
        earlier_count = len(self.posts)
        self.grade(hour)
        while self.worker.step():
            pass
        return self.posts[earlier_count:]

    def acknowledge(self, alert, person="safety"):
        """Acknowledge *alert* as *person*."""
        return acknowledge(self.db, alert.id, Actor(person, person), "", self.clock_time)

    def statuses(self):
        """Return the state of every alert now."""
        with self.db.read() as conn:
            return load_alert_states(conn, STUDY, self.delivery.recipients, self.clock_time)

    def alerts(self, **attributes):
        """Return the alerts with these attributes."""
        with self.db.read() as conn:
            stored_alerts = alerts.load_alerts(conn)
        return [
            one for one in stored_alerts if all(getattr(one, k) == v for k, v in attributes.items())
        ]

    def deliveries(self):
        """Return all deliveries of notices."""
        with self.db.read() as conn:
            return alerts.load_deliveries(conn)

    def _send(self, letter, address):
        self.attempts.append((self.clock_time, address, letter.id))
        answer = self.refuses.get(address, Acceptance())
        if isinstance(answer, Failure):
            return answer
        text = letter.text
        self.posts.append(
            Post(
                round((self.clock_time - HOUR_ZERO) / timedelta(hours=1), 3),
                address.partition("@")[0],
                letter.reason,
                text.subject,
                text.body,
                letter.id,
                text.link,
                letter.picture,
            )
        )
        return answer


def list_reasons(posts):
    """Return ``recipient: reason`` of each notice, sorted."""
    return sorted(f"{post.recipient}: {post.reason}" for post in posts)
