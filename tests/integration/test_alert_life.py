"""The life of alerts as timelines: at one time something happens, between two times people hear."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from services.acts.alert_reminders import escalate_alert, snooze_alert
from services.acts.refusal import ActRefusedError
from services.vocabulary.person import Actor, Role
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.timeline import Timeline

pytestmark = pytest.mark.slow

RULE = "BLINA-HSCT.S4"  # non-relapse mortality: 2 of 2 to 4
OFFICER = Actor("officer", "A. Officer", Role.SAFETY_OFFICER)
SECOND = 1 / 3600  # of an hour
LOOKS = [0, 1 * SECOND, 2 * SECOND, 5 * SECOND, *range(1, 80)]  # hours at which services work


@dataclass(frozen=True)
class Step:
    """An event at *hour*: the name of a step of a trial, with its words."""

    hour: float
    name: str
    words: str = ""


@dataclass(frozen=True)
class Want:
    """A notice for *reason* to exactly *people* between two hours, the second outside."""

    first: float
    last: float
    reason: str
    people: str


class Trial(Timeline):
    """Two treated participants, and the steps of the timelines."""

    def two_die(self, _):
        for number in (1, 2):
            self.death(f"P-00{number}", self.hour)

    def rises(self, value):
        self.potassium(value, hour=self.hour)

    def corrects(self, value):
        self.potassium(value, hour=0.0, status="C")

    def acknowledges(self, person):
        self.acknowledge(self.alert, person)

    def snoozes(self, end):
        self.act(snooze_alert, "in surgery", ends_at=hours(float(end)))

    def snoozing_is_refused(self, end):
        with pytest.raises(ActRefusedError, match="study level is never snoozed"):
            self.snoozes(end)

    def escalates(self, role):
        self.act(escalate_alert, "on leave", role=role)

    def answers(self, answer):
        self.determine(RULE, answer)

    def is_(self, state):
        (status,) = [one for one in self.statuses() if one.alert.id == self.alert.id]
        assert str(status) == state

    def act(self, change, reason, **details):
        change(self.db, OFFICER, self.alert.id, reason, self.clock_time, **details)

    @property
    def hour(self):
        return (self.clock_time - HOUR_ZERO) / timedelta(hours=1)

    @property
    def alert(self):
        """The rule's alert, or the only one."""
        return next(iter(self.alerts(about=RULE, kind="boundary_reached")), *self.alerts()[:1])


CHAIR, STATISTICIAN = "dsmb-chair", "dsmb-member"
BOARD, PI = f"{CHAIR} {STATISTICIAN}", "principal-investigator"
SAFETY, LATE = "safety-officer", "not acknowledged in time"
DIE = Step(0, "two_die")
FIRST_NOTICES = Want(2 * SECOND, 5 * SECOND, "first", f"{BOARD} safety-officer")
SEVERE = Step(0, "rises", "6.5")
FIRST_NOTICE = Want(0, 5 * SECOND, "first", SAFETY)

TIMELINES = {
    "a boundary is told within seconds; nobody acknowledges: an escalation after 24 h, and again": [
        DIE, FIRST_NOTICES,
        Want(24, 25.1, LATE, f"{BOARD} {SAFETY} {PI}"),
        Want(48, 49.1, LATE, f"{BOARD} {SAFETY} {PI}"),
        Want(72, 73.1, LATE, f"{BOARD} {SAFETY} {PI}"),
    ],
    "the chair acknowledges: reminders to the statistician go on": [
        DIE, FIRST_NOTICES,
        Step(2, "acknowledges", "chair"),
        Step(2, "acknowledges", "safety"),
        Step(3, "is_", "open: seen by safety, chair, waits for member"),
        Want(24, 25.1, LATE, f"{STATISTICIAN} {PI}"),
        Step(
            26, "is_", "escalated: seen by safety, chair, waits for member"
        ),
        Want(48, 49.1, LATE, f"{STATISTICIAN} {PI}"),
        Want(72, 73.1, LATE, f"{STATISTICIAN} {PI}"),
    ],
    "each acknowledges for themselves: silence": [
        DIE, FIRST_NOTICES,
        Step(2, "acknowledges", "chair"),
        Step(3, "acknowledges", "member"),
        Step(4, "acknowledges", "safety"),
        Step(5, "is_", "seen by chair, member, safety"),
    ],
    "the board does not acknowledge for the desk": [
        DIE, FIRST_NOTICES,
        Step(2, "acknowledges", "chair"),
        Step(3, "acknowledges", "member"),
        Want(24, 25.1, LATE, f"{SAFETY} {PI}"),
        Want(48, 49.1, LATE, f"{SAFETY} {PI}"),
        Want(72, 73.1, LATE, f"{SAFETY} {PI}"),
    ],
    "the desk does not acknowledge for the board, nor who is in no role": [
        DIE, FIRST_NOTICES,
        Step(2, "acknowledges", "somebody on duty"),
        Want(24, 25.1, LATE, f"{BOARD} {PI}"),
        Want(48, 49.1, LATE, f"{BOARD} {PI}"),
        Want(72, 73.1, LATE, f"{BOARD} {PI}"),
    ],
    "the board answers: no reminder, and the list shows the answer": [
        DIE, FIRST_NOTICES,
        Step(2, "answers", "pause"), Step(3, "is_", "answered: pause, by chair"),
    ],
    "no alert of the study is snoozed": [
        DIE, FIRST_NOTICES,
        Step(2, "snoozing_is_refused", "40"),
        Want(24, 25.1, LATE, f"{BOARD} {SAFETY} {PI}"),
        Want(48, 49.1, LATE, f"{BOARD} {SAFETY} {PI}"),
        Want(72, 73.1, LATE, f"{BOARD} {SAFETY} {PI}"),
    ],
    "a snooze ends, and reminders go on": [
        SEVERE, FIRST_NOTICE, Step(2, "snoozes", "40"),
        Step(3, "is_", "snoozed until 2026-03-03 00:00"),
        Want(40, 40.1, LATE, f"{SAFETY} {PI}"),
        Want(64, 64.1, LATE, f"{SAFETY} {PI} {BOARD}"),
    ],
    "a rise ends a snooze": [
        SEVERE, FIRST_NOTICE, Step(2, "snoozes", "40"), Step(3, "rises", "7.5"),
        Want(3, 4.1, "grade rose", SAFETY),
        Want(27, 28.1, LATE, f"{SAFETY} {PI}"),
        Want(51, 52.1, LATE, f"{SAFETY} {PI} {BOARD}"),
        Want(75, 76.1, LATE, f"{SAFETY} {PI} {BOARD}"),
    ],
    "a person escalates: the role is told at once, and reminded from then on": [
        SEVERE, FIRST_NOTICE, Step(2, "escalates", "dsmb"),
        Want(2, 3.1, "escalated by a person", BOARD),
        Step(4, "is_", "escalated"),
        Want(26, 27.1, LATE, f"{SAFETY} {PI} {BOARD}"),
        Want(50, 51.1, LATE, f"{SAFETY} {PI} {BOARD}"),
        Want(74, 75.1, LATE, f"{SAFETY} {PI} {BOARD}"),
    ],
    "to whom it was escalated acknowledges for the desk": [
        SEVERE, FIRST_NOTICE, Want(24, 25.1, LATE, f"{SAFETY} {PI}"),
        Step(30, "acknowledges", "Principal investigator"),
        Step(31, "is_", "seen by Principal investigator"),
    ],
    "what was snoozed is retracted at once": [
        SEVERE, FIRST_NOTICE, Step(2, "snoozes", "40"), Step(3, "corrects", "4.5"),
        Want(3, 4.1, "retracted", SAFETY),
    ],
}  # fmt: skip


@pytest.mark.parametrize("timeline", TIMELINES.values(), ids=TIMELINES)
def test_who_hears_of_it_when(tmp_path, timeline):
    trial = Trial(tmp_path)
    trial.treat("P-001", "P-002")
    trial.advance_to(-0.5)
    posts_left = run(trial, [one for one in timeline if isinstance(one, Step)])
    for want in (one for one in timeline if isinstance(one, Want)):
        posts = [
            post
            for post in posts_left
            if want.first <= post.hour < want.last and post.reason == want.reason
        ]
        assert sorted(post.recipient for post in posts) == sorted(want.people.split()), want
        posts_left = [post for post in posts_left if post not in posts]
    assert [(post.hour, post.recipient, post.reason) for post in posts_left] == []
    trial.close()


def run(trial, steps):
    """Return the notices of the timeline: services look at `LOOKS`, after the steps of then."""
    for hour in LOOKS:
        trial.clock_time = hours(hour)
        for step in (one for one in steps if one.hour == hour):
            getattr(trial, step.name)(step.words)
        if hour >= 2 * SECOND:  # services are busy elsewhere until then
            trial.advance_to(hour)
    return [post for post in trial.posts if is_followed(trial, post)]


def is_followed(trial, post):
    """True for notices of the alert that the timeline is about, not of those that it brings."""
    return f"[{RULE}] " in post.subject or not trial.alerts(about=RULE)
