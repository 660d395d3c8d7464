"""The alert of a recommendation, and the occasions on which it stays the same alert."""

from dataclasses import replace

import pytest

from services.safety_rules.domain.alerting.alerts_of_advice import make_advice_alerts
from services.vocabulary.alert import AlertKind, Level
from services.vocabulary.recommendation import Advice, AdviceKind
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.protocols import PROTOCOL

LIVER = Advice("P-001", AdviceKind.DOSE, "liver", 1, "interrupt blinatumomab", hours(24), hours(48))


def alerts(advice, known_alerts=()):
    return make_advice_alerts(advice, known_alerts, HOUR_ZERO, PROTOCOL)


def make_known_alerts(*advice):
    """Earlier alerts about *advice*, each with its advice."""
    return list(zip(alerts(advice), advice, strict=True))


@pytest.mark.parametrize(
    ("advice", "kind"),
    [
        (AdviceKind.DOSE, AlertKind.DOSE),
        (AdviceKind.HYS_LAW, AlertKind.HYS_LAW),
        (AdviceKind.DEVIATION, AlertKind.DEVIATION),
    ],
)
def test_a_recommendation_is_told_to_the_protocols_people_for_participants(advice, kind):
    recommendation = replace(LIVER, kind=advice, level=2, suspected=False, provisional=True)
    (alert,) = alerts([recommendation])
    assert (alert.level, alert.kind, alert.grade) == (Level.PARTICIPANT, kind, 2)
    assert (alert.about, alert.participant, alert.roles) == ("P-001", "P-001", ("safety_officer",))
    assert (alert.suspected, alert.provisional) == (False, True)
    assert alert.detail == recommendation


def test_what_is_certain_of_nothing_calls_for_no_alert_of_its_own():
    assert alerts([replace(LIVER, level=0, may_be="interrupt blinatumomab")]) == []


# what is recommended now, and whether that is the occasion that was told before
OCCASIONS = {
    "the same": ({}, True),
    "more is asked for": ({"level": 4, "says": "discontinue blinatumomab", "until": None}, True),
    "an earlier result made it longer": ({"since": hours(12)}, True),
    "its first result was corrected away": ({"since": hours(36)}, True),
    "it lasts": ({"until": None}, True),
    "it begins as the other ends": ({"since": hours(48), "until": None}, True),
    "it begins just after the other has ended": ({"since": hours(48.01), "until": None}, False),
    "it ends as the other begins": ({"since": hours(0), "until": hours(24)}, True),
    "it was earlier, and over": ({"since": hours(0), "until": hours(20)}, False),
    "it is another one, later": ({"since": hours(60), "until": None}, False),
    "another rule": ({"rule": "crs"}, False),
    "another record": ({"criterion": "ctcae-5.0.tremor"}, False),
    "another kind": ({"kind": AdviceKind.HYS_LAW}, False),
}


@pytest.mark.parametrize(("changes", "is_same"), OCCASIONS.values(), ids=OCCASIONS)
def test_an_occasion_keeps_its_alert_while_it_overlaps_what_was_told(changes, is_same):
    known_alerts = make_known_alerts(LIVER)
    (alert,) = alerts([replace(LIVER, **changes)], known_alerts)
    assert (alert.id == known_alerts[0][0].id) is is_same


def test_a_deviation_of_one_instant_keeps_its_alert():
    deviation = replace(LIVER, kind=AdviceKind.DEVIATION, until=LIVER.since)
    known_alerts = make_known_alerts(deviation)
    (alert,) = alerts([deviation], known_alerts)
    assert alert.id == known_alerts[0][0].id


def test_two_occasions_never_share_an_alert():
    later = replace(LIVER, since=hours(60), until=hours(72))
    known_alerts = make_known_alerts(LIVER, later)
    longer_advice = replace(LIVER, until=hours(72))
    (alert,) = alerts([longer_advice], known_alerts)
    assert alert.id == known_alerts[0][0].id
    alerts_of_three = alerts(
        [LIVER, later, replace(LIVER, since=hours(90), until=None)], known_alerts
    )
    assert [alert.id for alert in alerts_of_three[:2]] == [alert.id for alert, _ in known_alerts]
    assert len({alert.id for alert in alerts_of_three}) == 3


def test_an_open_alert_is_continued_before_one_that_was_taken_back():
    (first,), (second,) = (
        make_known_alerts(LIVER),
        make_known_alerts(replace(LIVER, since=hours(36))),
    )
    known_alerts = [(replace(first[0], retracted=True), first[1]), second]
    (alert,) = alerts([LIVER], known_alerts)
    assert alert.id == second[0].id


def test_a_new_occasion_at_the_instant_of_one_that_moved_away_gets_an_id_of_its_own():
    (known_alert,) = make_known_alerts(LIVER)
    moved_alert = (known_alert[0], replace(LIVER, since=hours(200), until=hours(210)))
    (alert,) = alerts([LIVER], [moved_alert])
    assert alert.id != known_alert[0].id
