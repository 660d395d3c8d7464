"""The watch of the alerts service, hour by hour: silence, clocks, the heartbeat, the daily note."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from services.acts.sae_clocks import ClockStart, close_clock, start_clocks
from services.alerts.delivery_worker import DeliveryWorker
from services.alerts.domain.routes import Channel, Recipient
from services.alerts.watch import Watch
from services.runtime.sites_file import ExpectationRow, SiteRow
from services.store import sae_clocks
from services.store.heartbeat import find_unreturned, return_heartbeat
from services.store.records import load_latest_episodes
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.operations import ClockKind
from services.vocabulary.person import Actor, Role
from tests.helpers.fact_notes import fact, hours, lab
from tests.helpers.timeline import STUDY, Timeline, list_reasons

pytestmark = pytest.mark.slow
OFFICER, OPERATOR = "safety-officer", "operator"
NORTH = SiteRow(
    id="north",
    timezone="America/New_York",
    expect=ExpectationRow(labs="24h", vitals="6h"),
)


@pytest.fixture
def trial(tmp_path):
    timeline = Timeline(tmp_path)
    timeline.treat("P-001")
    timeline.worker.watch = Watch(timeline.delivery, [NORTH], note_time=None, has_heartbeat=False)
    timeline.advance_to(0)
    yield timeline
    timeline.close()


def list_subjects(posts):
    return [post.subject for post in posts]


def test_a_silent_site_is_told_once_and_is_over_when_it_speaks(trial):
    trial.potassium("4.0", hour=1)
    assert trial.advance_to(25) == []
    (post,) = trial.advance_to(25.1)
    assert (post.recipient, post.reason) == (OPERATOR, "first")
    assert "north (labs) is silent" in post.subject
    assert "Something is expected within 24 h, as sites.yaml expects." in post.body
    trial.potassium("4.1", hour=26)
    assert trial.advance_to(26.1) == []
    assert [str(one) for one in trial.statuses()] == ["ended"]
    trial.advance_to(50.5)
    assert [str(one) for one in trial.statuses()] == ["ended", "open"]  # the next silence


def test_an_alertmanager_alone_is_told_that_a_silence_is_over(trial):
    recipients = trial.delivery.recipients
    manager = Recipient("operator", "am", Channel.ALERTMANAGER, "http://localhost:9093")
    by_role = {**recipients.by_role, "operator": (*recipients.by_role["operator"], manager)}
    delivery = replace(trial.delivery, recipients=replace(recipients, by_role=by_role))
    trial.worker = DeliveryWorker(delivery, "alerts")
    trial.worker.watch = Watch(delivery, [NORTH], note_time=None, has_heartbeat=False)
    trial.potassium("4.0", hour=1)
    assert len(trial.advance_to(25.1)) == 2
    trial.potassium("4.1", hour=26)
    (post,) = trial.advance_to(26.1)
    assert (post.recipient, post.reason, post.hour) == (manager.address, "ended", 26.1)
    assert post.subject.startswith("Over: [BLINA-HSCT] north (labs) is silent")
    assert trial.advance_to(40) == []


def test_nobody_answers_for_a_silent_site_and_the_safety_desk_is_told(trial):
    trial.potassium("4.0", hour=1)
    trial.advance_to(25.1)
    late = trial.advance_to(29.2)
    assert {post.recipient for post in late} == {OPERATOR, OFFICER}


def test_a_participant_in_hospital_without_vital_signs_is_told_and_one_at_home_is_not(trial):
    trial.treat("P-002", "P-003")  # the third is at home, and has vital signs each hour
    for name, place in (("P-001", "ward"), ("P-002", "discharge")):
        trial.say(fact(Movement(place), 1, subject=name))
        trial.say(lab("temperature", "36.8", 1, "Cel", subject=name))
    trial.potassium("4.0", hour=1)
    trial.grade(1)
    posts = []
    for hour in range(2, 15):
        trial.say(lab("temperature", "36.8", hour, "Cel", subject="P-003"))
        posts += trial.advance_to(hour)
    assert [post.subject.partition("   ")[0] for post in posts] == [
        "[BLINA-HSCT] P-001 (vitals) is silent"
    ]
    assert posts[0].hour == 14  # later than twice the six hours of the site


def test_a_clock_is_told_at_its_start_in_its_last_quarter_and_when_it_is_over(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    with trial.db.read() as conn:
        record = load_latest_episodes(conn, "P-001")[0]
    actor = Actor("anna", "Anna", Role.SAFETY_OFFICER)
    start = ClockStart(record, [ClockKind.ONE_DAY], hours(1), "in intensive care")
    start_clocks(trial.db, actor, start, hours(1))
    (post,) = trial.advance_to(1.1)
    assert (post.recipient, post.reason) == (OFFICER, "first")
    assert "the 24h clock runs, until 2026-03-02 09:00 UTC" in post.subject
    trial.acknowledge(*trial.alerts(kind="sae_clock"))
    for alert in trial.alerts(kind="episode"):
        trial.acknowledge(alert)
    assert trial.advance_to(18.9) == []
    (quarter,) = trial.advance_to(19)
    assert quarter.subject.startswith("Less time is left: [BLINA-HSCT] P-001: Hyperkalemia")
    assert "6 h left, or less." in quarter.body
    (last_notice,) = [post for post in trial.advance_to(25.1) if "clock" in post.subject]
    assert "the 24h clock is over" in last_notice.subject
    with trial.db.read() as conn:
        (row,) = sae_clocks.load_clocks(conn)
    close_clock(trial.db, actor, row, "reported", hours(26))
    trial.advance_to(27)
    (alert,) = trial.alerts(kind="sae_clock")
    assert (alert.closed, alert.retracted) == ("ended", False)


def test_a_clock_of_another_protocol_runs_as_long_as_it_says(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    with trial.db.read() as conn:
        record = load_latest_episodes(conn, "P-001")[0]
    actor = Actor("anna", "Anna", Role.SAFETY_OFFICER)
    periods = {ClockKind.SEVEN_DAYS: timedelta(hours=48)}
    start = ClockStart(record, [ClockKind.SEVEN_DAYS], hours(1), "life-threatening", periods)
    (row,) = start_clocks(trial.db, actor, start, hours(1))
    assert row.due_at == hours(49)
    posts = [post for post in trial.advance_to(1.1) if "clock" in post.subject]
    assert "2 calendar days to the authorities" in posts[0].body
    for alert in (*trial.alerts(kind="sae_clock"), *trial.alerts(kind="episode")):
        trial.acknowledge(alert)
    assert [p for p in trial.advance_to(36.9) if p.subject.startswith("Less time is left")] == []
    quarter = [p for p in trial.advance_to(37) if p.subject.startswith("Less time is left")]
    assert ["12 h left, or less." in post.body for post in quarter] == [True]


def test_a_heartbeat_that_does_not_come_back_is_told_after_five_minutes(trial):
    trial.worker.watch.has_heartbeat = True
    minute = 1 / 60
    trial.worker.step()
    for number in range(2, 8):
        trial.clock_time = hours(number * minute)
        trial.worker.step()
    assert "The engine is silent" not in "".join(list_subjects(trial.posts))
    trial.clock_time = hours(8 * minute)
    while trial.worker.step():
        pass
    (post,) = [one for one in trial.posts if "engine" in one.subject]
    assert (post.recipient, "The engine is silent" in post.subject) == (OPERATOR, True)
    with trial.db.write() as conn:
        assert return_heartbeat(conn, trial.clock_time)
    trial.clock_time = hours(9.5 * minute)
    trial.worker.step()
    assert [str(one) for one in trial.statuses()] == ["ended"]


def test_the_rules_return_the_heartbeat(trial):
    trial.worker.watch.has_heartbeat = True
    trial.clock_time = hours(1)
    trial.worker.step()
    with trial.db.read() as conn:
        assert find_unreturned(conn) is not None
    trial.rules.step()
    with trial.db.read() as conn:
        assert find_unreturned(conn) is None


def test_the_daily_note_says_that_all_is_well_and_names_the_head(trial):
    trial.worker.watch.note_time = time(6)  # 22 h after the first hour of the trial
    trial.potassium("4.0", hour=1)
    assert trial.advance_to(21.9) == []
    (note,) = trial.advance_to(22)
    assert list_reasons([note]) == [f"{OFFICER}: first"]
    assert note.subject.startswith("[BLINA-HSCT] Daily note 2026-03-02: data to 2026-03-01 09:00")
    assert "Open alerts: none." in note.body
    assert "Head of the audit trail: " in note.body
    assert "Acknowledge" not in note.body
    assert [str(one) for one in trial.statuses()] == ["told"]
    later = [post for post in trial.advance_to(46) if "Daily note" in post.subject]
    assert len(later) == 1
    assert not [post for post in trial.advance_to(60) if "Daily note" in post.subject]
    assert STUDY in note.subject
