"""The alerts that records and decisions call for, and their ends."""

from dataclasses import replace

import pytest

from services.safety_rules.domain.alerting import alerts_of_records
from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.alert import AlertKind, ClosingReason, DeathDetail, Level, QuarantineDetail
from services.vocabulary.decision import Reversal, Signal
from services.vocabulary.episode import EpisodeState, Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.protocols import PROTOCOL
from tests.helpers.store import CONTENT, DECISION, EPISODE

BOUNDARY_REACHED, LIKELY = AlertKind.BOUNDARY_REACHED, AlertKind.BOUNDARY_LIKELY


def of_episode(at_least, at_most, **changes):
    content = replace(CONTENT, worst=Span(Grade(at_least), Grade(at_most)), **changes)
    return alerts_of_records.make_episode_alert(replace(EPISODE, content=content), PROTOCOL)


@pytest.mark.parametrize(
    ("at_least", "at_most", "kind", "grade"),
    [
        (2, 2, None, None),
        (1, 2, None, None),
        (3, 3, AlertKind.EPISODE, 3),
        (3, 4, AlertKind.EPISODE, 3),
        (5, 5, AlertKind.EPISODE, 5),
        (2, 3, AlertKind.POSSIBLE, 2),
        (0, 4, AlertKind.POSSIBLE, 0),
    ],
)
def test_from_the_protocols_grade_on_an_episode_calls_for_an_alert(at_least, at_most, kind, grade):
    alert = of_episode(at_least, at_most)
    assert (alert and alert.kind) == kind
    assert (alert and alert.grade) == grade


@pytest.mark.parametrize(
    "changes",
    [{"state": EpisodeState.REJECTED}, {"before_exposure": True}],
    ids=["rejected", "before the first dose"],
)
def test_what_is_no_event_calls_for_none(changes):
    assert of_episode(4, 4, **changes) is None


def test_a_retracted_record_calls_for_none():
    episode = replace(EPISODE, retracted=True)
    assert alerts_of_records.make_episode_alert(episode, PROTOCOL) is None


def test_a_data_query_is_no_certain_event():
    assert of_episode(3, 3, possible=True).kind is AlertKind.POSSIBLE


@pytest.mark.parametrize(
    ("state", "provisional"), [(EpisodeState.SUSPECTED, True), (EpisodeState.CONFIRMED, False)]
)
def test_suspected_and_provisional_are_said(state, provisional):
    alert = of_episode(3, 3, state=state, provisional=provisional)
    assert alert.suspected is (state is EpisodeState.SUSPECTED)
    assert alert.provisional is provisional
    assert alert.protocol == "protocol v1 DRAFT, signed by nobody"


def test_a_record_has_one_alert_whatever_its_grade_and_version():
    worse_episode = replace(
        EPISODE, version=7, content=replace(CONTENT, worst=Span(Grade(4), Grade(4)))
    )
    ids = {alerts_of_records.make_episode_alert(e, PROTOCOL).id for e in (EPISODE, worse_episode)}
    assert ids == {alerts_of_records.make_episode_alert_id("e1")}


def test_a_death_is_told_to_those_whom_the_protocol_names_for_deaths():
    anchors = Anchors(graft_at=HOUR_ZERO, courses=(hours(24 * 78),), died_at=hours(24 * 90))
    alert = alerts_of_records.make_death_alert("P-001", anchors, HOUR_ZERO, PROTOCOL)
    assert (alert.kind, alert.grade, alert.suspected) == (AlertKind.DEATH, 5, False)
    assert alert.roles == ("safety_officer", "dsmb")
    assert alert.detail == DeathDetail("", 90, 13)


def test_nobody_died():
    assert alerts_of_records.make_death_alert("P-001", Anchors(), HOUR_ZERO, PROTOCOL) is None


def of_decision(signal, **changes):
    decision = replace(DECISION, signal=Signal(signal), events=2, **changes)
    return alerts_of_records.make_decision_alert(decision, PROTOCOL, HOUR_ZERO)


@pytest.mark.parametrize(
    ("signal", "changes", "kind"),
    [
        ("continue", {}, None),
        ("boundary likely", {}, LIKELY),
        ("boundary reached: review required", {}, BOUNDARY_REACHED),
        ("boundary reached: review required", {"watch_only": True}, None),
        ("boundary reached: review required", {"silenced_at_events": 2}, None),
        ("boundary reached: review required", {"silenced_at_events": 1}, BOUNDARY_REACHED),
        ("boundary likely", {"silenced_at_events": 2}, None),
    ],
)
def test_a_decision_calls_for_an_alert_unless_watched_or_answered(signal, changes, kind):
    alert = of_decision(signal, **changes)
    assert (alert and alert.kind) == kind
    if alert:
        assert (alert.level, alert.about, alert.grade) == (Level.STUDY, "T.S1", 2)
        assert alert.protocol == DECISION.protocol


@pytest.mark.parametrize(("confirmed", "is_suspected"), [(0, True), (1, True), (2, False)])
def test_an_alert_of_a_rule_is_suspected_until_each_of_its_events_is_confirmed(
    confirmed, is_suspected
):
    alert = of_decision("boundary reached: review required", confirmed=confirmed)
    assert alert.suspected is is_suspected


A_REACHED = of_decision("boundary reached: review required")
A_LIKELY = of_decision("boundary likely")
KNOWN_ALERTS = {alert.id: alert for alert in (A_REACHED, A_LIKELY)}


@pytest.mark.parametrize(
    ("signal", "silenced_events", "ends"),
    [
        # how the rule's open alerts of both kinds end: (reached, likely)
        ("continue", None, ("retracted", "retracted")),
        ("continue", 2, ("retracted", "retracted")),
        ("boundary likely", None, ("retracted", "open")),
        ("boundary likely", 2, ("retracted", ClosingReason.DSMB_ANSWER)),
        ("boundary reached: review required", None, ("open", ClosingReason.STRONGER_ALERT)),
        (
            "boundary reached: review required",
            2,
            (ClosingReason.DSMB_ANSWER, ClosingReason.STRONGER_ALERT),
        ),
        ("boundary reached: review required", 1, ("open", ClosingReason.STRONGER_ALERT)),
    ],
)
def test_only_what_was_corrected_is_retracted(signal, silenced_events, ends):
    decision = replace(
        DECISION, signal=Signal(signal), events=2, silenced_at_events=silenced_events
    )
    alert = alerts_of_records.make_decision_alert(decision, PROTOCOL, HOUR_ZERO)
    closed_alerts = alerts_of_records.find_closed_alerts(decision)
    rows = alerts_of_records.find_changed_alerts(
        KNOWN_ALERTS, [alert] if alert else [], closed_alerts
    )
    latest_alerts = KNOWN_ALERTS | {row.id: row for row in rows}
    assert tuple(_end(latest_alerts[alert.id]) for alert in (A_REACHED, A_LIKELY)) == ends


def _end(alert):
    if alert.is_open:
        return "open"
    return alert.closed or "retracted"


def test_what_says_the_same_is_not_written_again():
    assert alerts_of_records.find_changed_alerts(KNOWN_ALERTS, [A_REACHED, A_LIKELY], {}) == []
    retracted_alerts = {key: replace(one, retracted=True) for key, one in KNOWN_ALERTS.items()}
    assert alerts_of_records.find_changed_alerts(retracted_alerts, [], {}) == []


def test_a_change_keeps_when_it_was_opened_and_counts_its_versions():
    known_alerts = {A_REACHED.id: replace(A_REACHED, version=3)}
    later = replace(A_REACHED, grade=3, opened_at=hours(9))
    (row,) = alerts_of_records.find_changed_alerts(known_alerts, [later], {})
    assert (row.opened_at, row.version, row.grade) == (HOUR_ZERO, 4, 3)


def test_what_is_called_for_again_is_open_again():
    for closed_alert in (
        replace(A_REACHED, retracted=True),
        replace(A_REACHED, closed=ClosingReason.DSMB_ANSWER),
    ):
        (row,) = alerts_of_records.find_changed_alerts(
            {closed_alert.id: closed_alert}, [A_REACHED], {}
        )
        assert row.is_open


def test_what_was_answered_is_still_retracted_when_it_is_corrected():
    answered_alert = replace(A_REACHED, closed=ClosingReason.DSMB_ANSWER, version=3)
    (row,) = alerts_of_records.find_changed_alerts({answered_alert.id: answered_alert}, [], {})
    assert (row.retracted, row.closed, row.version) == (True, None, 4)


def test_what_was_overtaken_ends_with_the_alert_that_says_more():
    overtaken = replace(A_LIKELY, closed=ClosingReason.STRONGER_ALERT)
    assert alerts_of_records.find_changed_alerts({overtaken.id: overtaken}, [], {}) == []


def test_records_that_are_not_up_to_date_are_for_operations():
    alert = alerts_of_records.make_quarantine_alert("P-001", HOUR_ZERO, PROTOCOL, "ValueError")
    assert (alert.level, alert.kind) == (Level.OPERATIONS, AlertKind.QUARANTINE)
    assert (alert.roles, alert.escalate_to) == (("operator",), PROTOCOL.alerts.tell)
    assert (alert.about, alert.participant, alert.study) == ("P-001", "P-001", PROTOCOL.study)
    assert (alert.grade, alert.suspected, alert.opened_at) == (0, False, HOUR_ZERO)
    assert alert.detail == QuarantineDetail("ValueError")


def test_what_is_called_for_first_is_written_as_it_is():
    assert alerts_of_records.find_changed_alerts({}, [A_REACHED], {}) == [A_REACHED]


def test_a_rule_may_have_raised_one_alert_of_each_kind():
    assert set(alerts_of_records.list_rule_alert_ids(DECISION)) == {*KNOWN_ALERTS, AN_UPPER.id}


def of_upper(signal="continue", **changes):
    """Two events count; with incomplete grades at their upper ends, three that reach it."""
    fields = {"events": 2, "upper": 3, "upper_crossed": True, "crossed_since": None}
    decision = replace(DECISION, signal=Signal(signal), **(fields | changes))
    return alerts_of_records.make_upper_grades_alert(decision, PROTOCOL, HOUR_ZERO)


AN_UPPER = of_upper()


@pytest.mark.parametrize(
    ("signal", "changes", "grade"),
    [
        ("continue", {}, 3),
        ("boundary likely", {}, 3),
        ("continue", {"upper_crossed": False}, None),
        ("boundary reached: review required", {"crossed_since": HOUR_ZERO}, None),
        ("continue", {"watch_only": True}, None),
        ("continue", {"silenced_at_events": 2}, None),
    ],
)
def test_incomplete_grades_that_reach_it_at_their_upper_ends_alone_call_for_an_alert(
    signal, changes, grade
):
    alert = of_upper(signal, **changes)
    assert (alert and alert.grade) == grade
    if alert:
        assert alert.kind is AlertKind.BOUNDARY_AT_UPPER
        assert (alert.level, alert.suspected) == (Level.STUDY, True)


@pytest.mark.parametrize(
    ("signal", "changes", "end"),
    [
        ("continue", {"upper_crossed": False}, "retracted"),
        ("continue", {"silenced_at_events": 2}, ClosingReason.DSMB_ANSWER),
        (
            "boundary reached: review required",
            {"crossed_since": HOUR_ZERO},
            ClosingReason.STRONGER_ALERT,
        ),
    ],
)
def test_how_the_alert_about_upper_grades_ends(signal, changes, end):
    decision = replace(
        DECISION, signal=Signal(signal), events=2, **({"upper_crossed": True} | changes)
    )
    (row,) = alerts_of_records.find_changed_alerts(
        {AN_UPPER.id: AN_UPPER}, [], alerts_of_records.find_closed_alerts(decision)
    )
    assert _end(row) == end


PAST_CROSSING = replace(
    DECISION,
    signal=Signal.BOUNDARY_REACHED,
    events=2,
    contributors=(
        *DECISION.contributors,
        replace(DECISION.contributors[0], participant="P-002"),
    ),
)


def test_what_undid_a_boundary_is_who_no_longer_counts_and_what_is_counted_now():
    assert alerts_of_records.add_undone(PAST_CROSSING, DECISION) == replace(
        PAST_CROSSING, undone=Reversal(1, 1.5, ("P-002",))
    )


def test_a_crossing_that_is_over_has_an_alert_of_its_own_for_each_time():
    past_crossing = alerts_of_records.add_undone(PAST_CROSSING, DECISION)
    alert = alerts_of_records.make_past_crossing_alert(past_crossing, PROTOCOL)
    later_alert = alerts_of_records.make_past_crossing_alert(
        replace(past_crossing, as_of=hours(2)), PROTOCOL
    )
    assert (alert.kind, alert.about, alert.opened_at) == (
        BOUNDARY_REACHED,
        "T.S1",
        PAST_CROSSING.as_of,
    )
    assert len({alert.id, later_alert.id, A_REACHED.id}) == 3
    silent = replace(past_crossing, silenced_at_events=2)
    assert alerts_of_records.make_past_crossing_alert(silent, PROTOCOL) is None
