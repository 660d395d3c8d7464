"""From facts to people, hour by hour: who is told when and why, in a real database."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from services.alerts.channel_contract import Failure
from services.alerts.plan_notices import plan_notices
from services.charts.boundary import draw_boundary_chart
from services.runtime import failpoints
from services.vocabulary.alert import ClosingReason
from tests.helpers.fact_notes import hours
from tests.helpers.timeline import Timeline, list_reasons

RULE = "BLINA-HSCT.S4"  # non-relapse mortality: 2 of 2 to 4, 3 of 5 to 11, ...
pytestmark = pytest.mark.slow

OFFICER, INVESTIGATOR = "safety-officer", "principal-investigator"
CHAIR, STATISTICIAN = "dsmb-chair", "dsmb-member"
DSMB = [CHAIR, STATISTICIAN]


@pytest.fixture
def trial(tmp_path):
    timeline = Timeline(tmp_path)
    timeline.treat("P-001")
    assert timeline.advance_to(0) == []
    yield timeline
    timeline.close()


def expect(reason, *people):
    return sorted(f"{one}: {reason}" for one in people)


def test_a_severe_result_is_told_at_once_to_the_safety_officer_alone(trial):
    trial.potassium("6.5", hour=1)
    posts = trial.advance_to(1)
    assert list_reasons(posts) == expect("first", OFFICER)
    assert posts[0].subject.startswith("[BLINA-HSCT] P-001: Hyperkalemia, grade 3, suspected")
    assert "P-001: onset transplant day 78, treatment day 1; now grade 3." in posts[0].body


def test_what_is_written_a_second_after_all_alerts_were_looked_at_is_told_at_once(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    second = 1 + 1 / 3600
    trial.potassium("7.5", hour=second)
    assert list_reasons(trial.advance_to(second)) == expect("grade rose", OFFICER)


def test_a_moderate_result_is_told_to_nobody(trial):
    trial.potassium("5.8", hour=1)
    assert trial.advance_to(1) == []
    assert trial.alerts() == []


def test_what_nobody_acknowledges_goes_to_one_role_more_each_day_and_never_stops(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    late = "not acknowledged in time"
    assert trial.advance_to(24.9) == []
    assert list_reasons(trial.advance_to(25)) == expect(late, OFFICER, INVESTIGATOR)
    assert trial.advance_to(48.9) == []
    assert list_reasons(trial.advance_to(49)) == expect(late, OFFICER, INVESTIGATOR, *DSMB)
    assert list_reasons(trial.advance_to(73)) == expect(late, OFFICER, INVESTIGATOR, *DSMB)
    assert list_reasons(trial.advance_to(24 * 30)) == expect(late, OFFICER, INVESTIGATOR, *DSMB)


def test_what_is_acknowledged_is_not_told_again(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    trial.acknowledge(*trial.alerts())
    assert trial.advance_to(24 * 30) == []


def test_a_rise_updates_the_same_alert_and_is_told_also_after_it_was_acknowledged(trial):
    trial.potassium("6.5", hour=1)
    (first,) = trial.advance_to(1)
    trial.acknowledge(*trial.alerts())
    trial.potassium("7.5", hour=2)
    (rise,) = trial.advance_to(2)
    (alert,) = trial.alerts()
    assert (rise.recipient, rise.reason, alert.grade, alert.version) == (
        OFFICER,
        "grade rose",
        4,
        2,
    )
    assert "grade 4" in rise.subject
    assert rise.id != first.id
    assert list_reasons(trial.advance_to(26)) == expect(
        "not acknowledged in time", OFFICER, INVESTIGATOR
    )


def test_a_fall_is_told_with_the_next_notice_and_makes_none(trial):
    trial.potassium("7.5", hour=1)
    trial.advance_to(1)
    trial.potassium("6.5", hour=1, status="C")
    assert trial.advance_to(2) == []
    (reminder, _) = trial.advance_to(25)
    assert "worst grade 3" in reminder.body


def test_a_correction_is_told_to_exactly_those_who_were_told(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    trial.advance_to(25)  # the investigator too
    trial.potassium("4.5", hour=1, status="C")
    posts = trial.advance_to(26)
    assert list_reasons(posts) == expect("retracted", OFFICER, INVESTIGATOR)
    assert all(post.subject.startswith("Retracted: [BLINA-HSCT] P-001: Hyper") for post in posts)
    assert trial.advance_to(24 * 30) == []


def test_what_is_so_again_after_a_retraction_is_told_to_those_who_were_told_otherwise(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    trial.advance_to(25)
    trial.acknowledge(*trial.alerts())
    trial.potassium("4.5", hour=1, status="C")
    trial.advance_to(26)
    trial.potassium("6.6", hour=1, status="C")
    posts = trial.advance_to(27)
    assert list_reasons(posts) == expect("returned after retraction", OFFICER, INVESTIGATOR)
    assert len(trial.alerts()) == 1
    assert "holds again" in posts[0].body
    assert list_reasons(trial.advance_to(51)) == expect(
        "not acknowledged in time", OFFICER, INVESTIGATOR
    )


def test_what_is_corrected_before_it_was_told_is_told_to_nobody_and_later_as_the_first(trial):
    trial.potassium("6.5", hour=1)
    trial.grade(1)
    trial.potassium("4.5", hour=1, status="C")
    assert trial.advance_to(1) == []
    assert trial.deliveries() == []
    trial.advance_to(1.5)  # the second correction is reported later than the first
    trial.potassium("6.6", hour=1, status="C")
    assert list_reasons(trial.advance_to(2)) == expect("first", OFFICER)


def test_a_notice_that_waits_is_withdrawn_when_it_is_no_longer_true(trial):
    address = "safety-officer@example.org"
    trial.refuses = {address: Failure("mail server not reached")}
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    trial.potassium("4.5", hour=1, status="C")
    trial.refuses = {}
    posts = trial.advance_to(1.001)
    assert list_reasons(posts) == expect("retracted", OFFICER)  # it was tried: it may have arrived
    assert [row.state for row in trial.deliveries()] == ["withdrawn", "sent"]


def test_a_death_goes_to_the_safety_officer_and_the_dsmb(trial):
    trial.treat("P-002", "P-003", "P-004", "P-005")
    trial.death("P-001", 5)
    posts = trial.advance_to(6)
    assert list_reasons(posts) == expect("first", OFFICER, *DSMB)
    assert "P-001 died: transplant day 78, treatment day 1." in posts[0].body


def test_a_death_that_was_reported_by_mistake_is_taken_back_from_all_of_them(trial):
    trial.treat("P-002", "P-003", "P-004", "P-005")
    trial.death("P-001", 5)
    trial.advance_to(6)
    trial.death("P-001", 5, status="D")
    assert list_reasons(trial.advance_to(7)) == expect("retracted", OFFICER, *DSMB)


@pytest.fixture
def crossed_trial(trial):
    """Two of four have died: the boundary is reached, and everybody has been told."""
    trial.treat("P-002", "P-003", "P-004")
    trial.death("P-001", 5)
    trial.advance_to(6)
    trial.death("P-002", 6)
    trial.advance_to(7)
    return trial


def of_rule(posts):
    return [post for post in posts if f"[{RULE}]" in post.subject]


def test_each_rule_has_one_alert_that_people_hear_of_at_once(crossed_trial):
    (alert,) = crossed_trial.alerts(about=RULE, kind="boundary_reached")
    posts = [post for post in of_rule(crossed_trial.posts) if "Boundary reached" in post.subject]
    assert list_reasons(posts) == expect("first", OFFICER, *DSMB)
    assert {post.hour for post in posts} == {7}
    assert "2 events" in posts[0].body
    assert alert.grade == 2


def test_the_chart_of_an_alert_is_drawn_once_for_all_who_get_it(trial, monkeypatch):
    charts = []

    def draw(decision, form):
        charts.append(draw_boundary_chart(decision, form))
        return charts[-1]

    monkeypatch.setattr("services.alerts.notice.draw_boundary_chart", draw)
    trial.treat("P-002", "P-003", "P-004")
    trial.death("P-001", 5)
    trial.advance_to(5)
    for hour, name in enumerate(("P-002", "P-003"), start=6):  # it is reached, then rises
        trial.death(name, hour)
        posts = [post for post in trial.advance_to(hour) if post.picture is not None]
        (alert,) = trial.alerts(about=RULE)
        assert {post.picture for post in of_rule(posts)} == {
            draw_boundary_chart(alert.detail, "png")
        }
        assert len(of_rule(posts)) == len((OFFICER, *DSMB))
        assert Counter(charts) == Counter({post.picture for post in posts})
        charts.clear()


def test_a_likely_boundary_that_is_then_reached_is_not_retracted(trial):
    rule = "BLINA-HSCT.S3"  # non-hematologic: 4 of 4, at an acceptable rate of .30
    trial.treat("P-002", "P-003", "P-004")
    for name in ("P-001", "P-002", "P-003"):
        trial.potassium("7.5", name=name, hour=1)
    likely = [post for post in trial.advance_to(2) if f"[{rule}] Boundary likely" in post.subject]
    assert list_reasons(likely) == expect("first", OFFICER, *DSMB)
    assert "by 40" in likely[0].body
    trial.potassium("7.5", name="P-004", hour=3)
    posts = [post for post in trial.advance_to(4) if f"[{rule}]" in post.subject]
    assert list_reasons(posts) == expect("first", OFFICER, *DSMB)
    assert "P-004 transplant day 78, treatment day 1: Hyperkalemia, grade 4" in posts[0].body
    (alert,) = trial.alerts(about=rule, kind="boundary_likely")
    assert alert.closed is ClosingReason.STRONGER_ALERT
    late = [post for post in trial.advance_to(24 * 5) if f"[{rule}]" in post.subject]
    assert {post.subject.partition(": review")[0] for post in late} == {
        f"Reminder: [{rule}] Boundary reached"
    }


def test_a_correction_that_uncrosses_a_boundary_is_told_to_those_who_were_told(crossed_trial):
    crossed_trial.death("P-002", 6, status="D")
    posts = of_rule(crossed_trial.advance_to(8))
    retracted = [post for post in posts if post.reason == "retracted"]
    assert list_reasons(retracted) == expect("retracted", OFFICER, *DSMB)
    assert f"It said: {RULE}: Boundary reached: review required, 2 events." in retracted[0].body
    assert "What changed: P-002 no longer counts. Now: 1 event at" in retracted[0].body


def test_continue_silences_the_rule_until_a_new_event_counts(crossed_trial):
    crossed_trial.determine(RULE, "continue")
    assert of_rule(crossed_trial.advance_to(8)) == []
    (alert,) = crossed_trial.alerts(about=RULE, kind="boundary_reached")
    assert alert.closed is ClosingReason.DSMB_ANSWER
    assert of_rule(crossed_trial.advance_to(24 * 10)) == []
    crossed_trial.death("P-003", 24 * 10)
    posts = of_rule(crossed_trial.advance_to(24 * 10 + 1))
    assert list_reasons(posts) == expect("grade rose", OFFICER, *DSMB)
    assert "More events count than when you were last told." in posts[0].body
    assert crossed_trial.alerts(about=RULE, kind="boundary_reached")[0].is_open


def test_another_event_in_place_of_one_that_was_answered_is_a_new_event(crossed_trial):
    crossed_trial.determine(RULE, "continue")
    crossed_trial.advance_to(8)
    crossed_trial.death("P-002", 6, status="D")
    crossed_trial.advance_to(9)
    crossed_trial.death("P-003", 10)
    posts = [
        post for post in of_rule(crossed_trial.advance_to(11)) if "Boundary reached" in post.subject
    ]
    assert list_reasons(posts) == expect("returned after retraction", OFFICER, *DSMB)
    assert "P-003 transplant day" in posts[0].body


def test_a_correction_after_continue_is_told_too(crossed_trial):
    crossed_trial.determine(RULE, "continue")
    crossed_trial.advance_to(8)
    crossed_trial.death("P-001", 5, status="D")
    crossed_trial.death("P-002", 6, status="D")
    retracted = [post for post in of_rule(crossed_trial.advance_to(9)) if "reached" in post.subject]
    assert list_reasons(retracted) == expect("retracted", OFFICER, *DSMB)


def test_a_channel_that_fails_is_tried_again_ever_more_slowly_and_arrives_once(trial):
    trial.refuses = {"safety-officer@example.org": Failure("mail server not reached")}
    trial.potassium("6.5", hour=0.001)
    for minute in range(30):
        trial.advance_to(0.001 + minute / 60 / 4)
    (row,) = [row for row in trial.deliveries() if row.reason == "first"]
    times = [at for at, _, letter in trial.attempts if letter == row.id]
    gaps = [b - a for a, b in pairwise(times)]
    assert row.state == "waiting"
    assert len(times) == row.attempts >= 4
    assert gaps == sorted(gaps)
    assert row.error == "mail server not reached"
    trial.refuses = {}
    deliveries = [post for post in trial.advance_to(3) if post.id == row.id]
    assert len(deliveries) == 1
    assert trial.advance_to(4) == []


def test_a_channel_that_fails_for_long_is_said_to_the_next_role_and_to_operations(trial):
    trial.refuses = {"safety-officer@example.org": Failure("mail server not reached")}
    trial.potassium("6.5", hour=0.001)
    posts = [post for quarter in range(1, 12) for post in trial.advance_to(quarter / 4)]
    assert list_reasons(posts) == expect("could not be delivered", INVESTIGATOR, "operator")
    assert posts[0].hour < 3
    (row,) = [row for row in trial.deliveries() if row.role == "safety_officer"]
    assert row.state == "waiting"  # and it goes on


def test_a_channel_that_never_tires_waits_an_hour_at_most(trial):
    trial.refuses = {"safety-officer@example.org": Failure("mail server not reached")}
    trial.potassium("6.5", hour=0.001)
    trial.advance_to(0.001)
    trial.acknowledge(*trial.alerts())
    for hour in range(1, 80):
        trial.advance_to(hour * 1.001)
    (row,) = [row for row in trial.deliveries() if row.role == "safety_officer"]
    assert row.attempts == 80
    assert row.state == "waiting"


def test_an_address_that_is_refused_for_good_is_said_to_others_at_once(trial):
    trial.refuses = {"safety-officer@example.org": Failure("recipient refused (550)", False)}
    trial.potassium("6.5", hour=1)
    posts = trial.advance_to(1)
    assert list_reasons(posts) == expect("could not be delivered", INVESTIGATOR, "operator")
    assert trial.advance_to(2) == []
    reminders = trial.advance_to(25.1)
    assert list_reasons(reminders) == expect("not acknowledged in time", INVESTIGATOR)


def test_a_retraction_does_not_go_to_whom_nothing_reached(trial):
    trial.refuses = {"safety-officer@example.org": Failure("recipient refused (550)", False)}
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    trial.refuses = {}
    trial.potassium("4.5", hour=1, status="C")
    assert list_reasons(trial.advance_to(2)) == expect("retracted", INVESTIGATOR, "operator")


class ProcessKilled(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("place", "arrivals"), [("alerts.attempt_recorded", 1), ("alerts.sent", 2)]
)
def test_what_a_crash_interrupts_is_sent_again_under_the_same_id(
    trial, monkeypatch, place, arrivals
):
    def die(name):
        if name == place:
            raise ProcessKilled

    trial.potassium("6.5", hour=1)
    with monkeypatch.context() as patches:
        patches.setattr("services.alerts.deliver_notices.pass_failpoint", die)
        with pytest.raises(ProcessKilled):
            trial.advance_to(1)
    trial.advance_to(1.01)
    assert place in failpoints.NAMES
    assert Counter(post.id for post in trial.posts) == {trial.posts[0].id: arrivals}
    assert [row.state for row in trial.deliveries()] == ["sent"]


def test_a_clock_that_is_set_back_holds_no_first_notice_up(trial):
    trial.potassium("6.5", hour=9)
    trial.grade(9)
    assert plan_notices(trial.delivery, trial.clock_time) == 1
    assert list_reasons(trial.advance_to(7)) == expect("first", OFFICER)


def test_a_clock_that_is_set_back_holds_no_further_attempt_up(trial):
    trial.refuses = {"safety-officer@example.org": Failure("mail server not reached")}
    trial.potassium("6.5", hour=9)
    assert trial.advance_to(9) == []
    trial.refuses = {}
    assert list_reasons(trial.advance_to(7)) == expect("first", OFFICER)


def test_a_clock_that_is_set_back_repeats_nothing(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    trial.potassium("4.5", hour=1, status="C")
    trial.clock_time -= timedelta(minutes=30)
    posts = trial.advance_to(0.5)
    posts += trial.advance_to(0.6)
    assert list_reasons(posts) == expect("retracted", OFFICER)


def test_what_is_acknowledged_by_a_clock_that_was_set_back_is_not_told_again(trial):
    trial.potassium("6.5", hour=1)
    assert list_reasons(trial.advance_to(5)) == expect("first", OFFICER)
    trial.clock_time = hours(1.5)
    trial.acknowledge(*trial.alerts())
    assert [str(one) for one in trial.statuses()] == ["seen by safety"]
    assert trial.advance_to(24 * 30) == []


def test_what_returns_after_it_was_acknowledged_by_a_clock_ahead_has_to_be_seen_again(trial):
    trial.potassium("6.5", hour=1)
    trial.advance_to(1)
    trial.clock_time = hours(5)
    trial.acknowledge(*trial.alerts())
    trial.clock_time = hours(1.5)
    trial.potassium("4.5", hour=1, status="C")
    assert list_reasons(trial.advance_to(2)) == expect("retracted", OFFICER)
    trial.potassium("6.6", hour=1, status="C")
    assert list_reasons(trial.advance_to(3)) == expect("returned after retraction", OFFICER)
    assert [str(one) for one in trial.statuses()] == ["open"]


def test_a_possible_grade_is_told_once_and_again_when_it_is_certain(trial):
    trial.potassium(">5.8", hour=1)
    (possible,) = trial.advance_to(1)
    assert "possible" in possible.subject
    trial.acknowledge(*trial.alerts())
    trial.potassium("6.5", hour=1, status="C")
    (certain,) = trial.advance_to(2)
    assert certain.reason == "grade rose"
    assert "possible" not in certain.subject
    assert len(trial.alerts()) == 1
