"""Answers of the embedded service to each start of a feed: every fault has to end in them."""

from sqlalchemy import text

from services.store import alerts
from tests.helpers.installation import Installation


class Answers:
    """The embedded answer to the messages of a trial, so far as they were asked for."""

    def __init__(self, trial, folder, clock="message"):
        self.trial = trial
        self.clock = clock
        self._folder = folder
        self._run_count = 0
        self._expected = {}
        self._begin()

    def answer_after(self, count):
        """The answer to the first *count* messages; fewer than before are fed anew."""
        if count not in self._expected:
            if count < self._taken_rows:
                self._begin()
            self.installation.accept(self.trial.messages[self._taken_rows : count])
            self.installation.settle()
            self._taken_rows = count
            self._expected[count] = Answer(
                tuple(self.installation.canonical()), facts_of(self.installation.db),
                what_is_open(self.installation.db),
            )  # fmt: skip
        return self._expected[count]

    def _begin(self):
        self._run_count += 1
        self.installation = Installation(self._folder / str(self._run_count), self.clock)
        self.installation.enrol(self.trial)
        self._taken_rows = 0


class Answer:
    """Records (canonical lines), ids of facts, and what the open alerts say."""

    def __init__(self, records, facts, is_open):
        self.records, self.facts, self.what_is_open = records, frozenset(facts), is_open


def facts_of(db):
    """The ids of all facts of the journal, as often as it holds them."""
    with db.read() as conn:
        return list(conn.scalars(text("SELECT id FROM fact")))


def open_alerts(db):
    """The alerts that are open."""
    with db.read() as conn:
        return [one for one in alerts.load_alerts(conn) if one.is_open]


def what_is_open(db):
    """The open alerts: kind, participant or rule, grade, suspected and provisional.

    A record keeps the identity that it got first, and so does its alert: which that is depends on
    the order in which facts became known, and the order depends on who was down when.
    """
    return sorted(
        (one.kind, one.participant or one.about, one.grade, one.suspected, one.provisional)
        for one in open_alerts(db)
    )
