"""Which alert a recommendation is told by, and when that alert stays the same."""

from dataclasses import replace

import pytest

from services.safety_rules.domain.alerting.alerts_of_advice import make_advice_alerts
from services.vocabulary.alert import AlertKind, Level
from services.vocabulary.recommendation import Advice, AdviceKind
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.protocols import PROTOCOL

LIVER = Advice("P-001", AdviceKind.DOSE, "liver", 1, "interrupt blinatumomab", hours(24), hours(48))


def alerts(found, known=()):
    return make_advice_alerts(found, known, HOUR_ZERO, PROTOCOL)


def told(*found):
    """What was told of *found* before."""
    return list(zip(alerts(found), found, strict=True))


@pytest.mark.parametrize(
    ("advice", "kind"),
    [
        (AdviceKind.DOSE, AlertKind.DOSE),
        (AdviceKind.HYS_LAW, AlertKind.HYS_LAW),
        (AdviceKind.DEVIATION, AlertKind.DEVIATION),
    ],
)
def test_a_recommendation_is_told_to_the_protocols_people_for_participants(advice, kind):
    one = replace(LIVER, kind=advice, level=2, suspected=False, provisional=True)
    (alert,) = alerts([one])
    assert (alert.level, alert.kind, alert.grade) == (Level.PARTICIPANT, kind, 2)
    assert (alert.about, alert.participant, alert.roles) == ("P-001", "P-001", ("safety_officer",))
    assert (alert.suspected, alert.provisional) == (False, True)
    assert alert.detail == one


def test_what_is_certain_of_nothing_calls_for_no_alert_of_its_own():
    assert alerts([replace(LIVER, level=0, may_be="interrupt blinatumomab")]) == []


# what is recommended now, and whether that is the occasion that was told before
MOVED = {
    "the same": ({}, True),
    "more is asked for": ({"level": 4, "says": "discontinue blinatumomab", "until": None}, True),
    "an earlier result made it longer": ({"since": hours(12)}, True),
    "its first result was corrected away": ({"since": hours(36)}, True),
    "it lasts": ({"until": None}, True),
    "it was earlier, and over": ({"since": hours(0), "until": hours(20)}, False),
    "it is another one, later": ({"since": hours(60), "until": None}, False),
    "another rule": ({"rule": "crs"}, False),
    "another record": ({"criterion": "ctcae-5.0.tremor"}, False),
    "another kind": ({"kind": AdviceKind.HYS_LAW}, False),
}


@pytest.mark.parametrize(("changes", "same"), MOVED.values(), ids=MOVED)
def test_an_occasion_keeps_its_alert_while_it_overlaps_what_was_told(changes, same):
    known = told(LIVER)
    (alert,) = alerts([replace(LIVER, **changes)], known)
    assert (alert.id == known[0][0].id) is same


def test_two_occasions_never_share_an_alert():
    later = replace(LIVER, since=hours(60), until=hours(72))
    known = told(LIVER, later)
    joined = replace(LIVER, until=hours(72))
    (one,) = alerts([joined], known)
    assert one.id == known[0][0].id
    again = alerts([LIVER, later, replace(LIVER, since=hours(90), until=None)], known)
    assert [alert.id for alert in again[:2]] == [alert.id for alert, _ in known]
    assert len({alert.id for alert in again}) == 3


def test_an_open_alert_is_continued_before_one_that_was_taken_back():
    (first,), (second,) = told(LIVER), told(replace(LIVER, since=hours(36)))
    known = [(replace(first[0], retracted=True), first[1]), second]
    (alert,) = alerts([LIVER], known)
    assert alert.id == second[0].id


def test_a_new_occasion_at_the_instant_of_one_that_moved_away_gets_an_id_of_its_own():
    (known,) = told(LIVER)
    moved = (known[0], replace(LIVER, since=hours(200), until=hours(210)))
    (alert,) = alerts([LIVER], [moved])
    assert alert.id != known[0].id
